"""Pushes that were decided, and what they decided of each image."""

from typing import Any

from sqlalchemy import JSON, Double, Index
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class PushSeen(SQLModel, table=True):
    """A push that was decided; of one ref the row with the highest `id` is what it is at."""

    __tablename__ = "pushes"
    __table_args__ = (
        Index("pushes_key", "repository", "ref", "before", "after", unique=True),
        Index("pushes_ref", "repository", "ref", "id"),
        Index("pushes_age", "decided_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    repository: str  # its number, else its name in small letters
    ref: str  # refs/heads/main
    before: str
    after: str  # zeros: it was deleted
    pushed_at: float | None = Field(default=None, sa_type=Double)  # as GitHub says, in whole seconds
    delivery_id: int = Field(sa_type=Number)
    decided_at: float = Field(sa_type=Double)

    @property
    def is_deletion(self) -> bool:
        """Whether there is no such branch or tag any more."""
        return not self.after.strip("0")


class PushVerdict(SQLModel, table=True):
    """What a push decided of one image. `verdict`: `built`, `filtered`, `older`, `repeated` or `deleted`.

    `reason` and the reasons in `unstarted`, by the job that a build would have started, are a `kind` with
    what it speaks of; `bot.messages` says it. The rest is as in `PushSeen`.
    """

    __tablename__ = "push_verdicts"
    __table_args__ = (
        Index("push_verdicts_delivery", "delivery_id"),
        Index("push_verdicts_ref", "repository", "ref", "image", "verdict", "id"),
        Index("push_verdicts_image", "image", "repository", "id"),
        Index("push_verdicts_age", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    delivery_id: int = Field(sa_type=Number)
    repository: str
    ref: str
    before: str
    after: str
    pushed_at: float | None = Field(default=None, sa_type=Double)
    image: str
    verdict: str
    reason: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    unstarted: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    received_at: float = Field(sa_type=Double)
