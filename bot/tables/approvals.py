"""Who said yes or no to a run that waits for that: one row for each person, whatever they came through."""

from sqlalchemy import Double, Index
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class Approval(SQLModel, table=True):
    """What one person said of one run. `lost`: it counts no longer, since they may not say it any more."""

    __tablename__ = "approvals"
    __table_args__ = (Index("approvals_person", "run", "person", unique=True),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    run: int = Field(sa_type=Number)
    person: str  # by what they are known whatever door they came through, see bot.access.people
    actor: str  # github:octocat, slack:U012AB3CD, token:ci
    cause: str  # of bot.states.Cause: the door
    verdict: str  # yes | no
    at: float = Field(sa_type=Double)
    bound: str  # the SHA-256 of what it was said of
    rule: str | None = None  # the entry that let them say it
    lost: bool = False
