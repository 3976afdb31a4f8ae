"""What happened in repositories and was decided, besides pushes and comments."""

from typing import Any

from sqlalchemy import JSON, Double, Index, Text
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class OccurrenceSeen(SQLModel, table=True):
    """One thing that happened, with what became of it; the runs that it started name it.

    `decisions` has each job that it concerned: nothing where that was started, else why not, a `kind` with
    what it speaks of. The rest is as in `bot.events`.
    """

    __tablename__ = "occurrences"
    __table_args__ = (
        Index("occurrences_key", "repository", "key", unique=True),
        Index("occurrences_newest", "repository", "id"),
        Index("occurrences_age", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    repository: str  # its number, else its name in small letters
    key: str  # deployment:145988746
    event: str
    subject: str  # deployment to production
    environment: str | None = None
    deployment: int | None = Field(default=None, sa_type=Number)
    review: int | None = Field(default=None, sa_type=Number)  # the workflow run that waits for an answer
    pull: int | None = Field(default=None, sa_type=Number)
    at: str | None = None  # as GitHub says, ISO 8601
    payload: str | None = Field(default=None, sa_type=Text)  # for the job, kept as long as a run needs it
    decisions: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    delivery_id: int = Field(sa_type=Number)
    received_at: float = Field(sa_type=Double)

    @property
    def identity(self) -> int:
        """The key of a stored row."""
        if self.id is None:
            raise LookupError("not stored yet")
        return self.id
