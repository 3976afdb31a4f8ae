"""What is kept of runs: how many, for how long, and what goes with them. A run that goes on never goes."""

from collections.abc import Collection, Iterator
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from bot.runs import State, attempt_name
from bot.store import gate
from bot.store.columns import ATTEMPT, POST, RUN, table_of
from bot.tables import Attempt, JobState, Post, Run, Tick

BATCH = 200
"""Runs that one transaction forgets: others wait for it."""


def jobs(session: Session) -> Iterator[str]:
    """Every job that has runs, by name; each is one step through the index."""
    name = session.scalar(select(func.min(RUN.job)))
    while name is not None:
        yield name
        name = session.scalar(select(func.min(RUN.job)).where(RUN.job > name))


def superfluous(session: Session, job: str, *, keep: int, before: float | None) -> list[int]:
    """Up to `BATCH` finished runs of `job` to forget, oldest first.

    The newest `keep` stay, and the newest `keep` that did not succeed, so that no success pushes out a
    failure; of neither what finished before the moment `before`.
    """
    finished = and_(RUN.job == job, RUN.state == State.FINISHED)
    failed = and_(finished, RUN.result != "succeeded")
    last, last_failed = _after(session, finished, keep), _after(session, failed, keep)
    old: list[ColumnElement[bool]] = []
    if last is not None:
        succeeded: ColumnElement[bool] = RUN.result == "succeeded"
        old.append(and_(RUN.number <= last, or_(succeeded, RUN.number <= (last_failed or 0))))
    if before is not None:
        old.append(RUN.finished_at < before)
    if not old:
        return []
    query = select(RUN.number).where(finished, or_(*old)).order_by(RUN.number).limit(BATCH)
    return list(session.scalars(query))


def all_finished(session: Session, job: str) -> list[int]:
    """Up to `BATCH` finished runs of a job, oldest first."""
    finished = and_(RUN.job == job, RUN.state == State.FINISHED)
    return list(session.scalars(select(RUN.number).where(finished).order_by(RUN.number).limit(BATCH)))


def is_active(session: Session, job: str) -> bool:
    """Whether a run of the job goes on or waits; nobody starts one until this transaction ends."""
    gate.hold(session)
    query = select(RUN.number).where(RUN.job == job, RUN.state != State.FINISHED).limit(1)
    return session.scalar(query) is not None


def forget(session: Session, numbers: Collection[int]) -> list[str]:
    """Forget those of these runs that are finished, with attempts and posts; gives the keys of their logs."""
    rows = session.execute(
        delete(Run)
        .where(RUN.number.in_(numbers), RUN.state == State.FINISHED)
        .returning(RUN.number, RUN.name, RUN.attempt)
        .execution_options(synchronize_session=False)
    ).all()
    gone = [row.number for row in rows]
    for table, column in ((Attempt, ATTEMPT.run_number), (Post, POST.run_number)):
        session.execute(delete(table).where(column.in_(gone)).execution_options(synchronize_session=False))
    return [attempt_name(row.name, attempt) for row in rows for attempt in range(1, row.attempt + 1)]


def forget_schedule(session: Session, job: str) -> int:
    """Forget the ticks of a job and what people said about its schedule; gives how many ticks."""
    session.execute(delete(JobState).where(table_of(JobState).c.job == job))
    gone = session.execute(delete(Tick).where(table_of(Tick).c.job == job))
    return cast("CursorResult[Any]", gone).rowcount


def _after(session: Session, condition: ColumnElement[bool], keep: int) -> int | None:
    """The number of the newest run behind the `keep` newest that meet `condition`."""
    query = select(RUN.number).where(condition).order_by(RUN.number.desc()).offset(keep).limit(1)
    found: int | None = session.scalar(query)
    return found
