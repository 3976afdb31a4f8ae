"""How much is unfinished in a store."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.columns import BUILD, RUN


def active_builds(session: Session) -> int:
    """How many builds are unfinished."""
    return session.scalar(select(func.count(BUILD.number)).where(BUILD.state != State.FINISHED)) or 0


def active_runs(session: Session) -> dict[str, int]:
    """How many unfinished runs each job has."""
    query = select(RUN.job, func.count()).where(RUN.state != State.FINISHED).group_by(RUN.job)
    return {row[0]: row[1] for row in session.execute(query)}
