"""Targets that people closed, and locks of runs that take several."""

from sqlalchemy import Double, Index, Text
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class RunLock(SQLModel, table=True):
    """One of several locks that an unfinished run has (`held`), or waits for; a single one is the run's own.

    `held` is what the run's `admitted` is, beside the target, so that an index gives who has a lock and who
    is next without the runs themselves.
    """

    __tablename__ = "run_locks"
    __table_args__ = (Index("run_locks_target", "target", "held", "run_number"),)

    run_number: int = Field(primary_key=True, sa_type=Number)
    target: str = Field(primary_key=True)
    held: bool = False


class Lock(SQLModel, table=True):
    """A target that people closed: no run that names it starts until it is opened again or `until`."""

    __tablename__ = "locks"

    target: str = Field(primary_key=True)
    reason: str | None = Field(default=None, sa_type=Text)
    actor: str
    created_at: float = Field(sa_type=Double)
    until: float | None = Field(default=None, sa_type=Double)
    person: str | None = None  # its owner, whose runs go on, as `bot.access.people.identity` calls them
    repository: str | None = None  # with `pull_request`: it ends when that is merged or closed
    pull_request: int | None = Field(default=None, sa_type=Number)
    told_at: float | None = Field(default=None, sa_type=Double)  # when its person heard that somebody waits

    @property
    def everyone(self) -> bool:
        """Whether the runs of who closed it wait, too."""
        return self.person is None
