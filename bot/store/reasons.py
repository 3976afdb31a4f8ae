"""What `plan` and `why` want to know of a schedule."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.store.columns import table_of
from bot.tables import JobState, Tick


def state(session: Session, job: str) -> JobState | None:
    """What people said about the schedule of a job."""
    return session.get(JobState, job)


def last_ticks(session: Session, job: str, *, limit: int) -> list[Tick]:
    """What became of the last due moments of a job, newest first."""
    columns = table_of(Tick).c
    query = select(Tick).where(columns.job == job).order_by(columns.at.desc()).limit(limit)
    return list(session.scalars(query))
