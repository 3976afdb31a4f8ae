"""Locks of runs that take several."""

from sqlalchemy import Index
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
