"""What is kept of runs: how many, for how long, and what goes with them. A run that goes on never goes."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    and_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from bot.states import State, attempt_name
from bot.store import admission
from bot.store.columns import APPROVAL, ATTEMPT, BUILD, JOB_STATE, POST, RUN, TICK
from bot.tables import Approval, Attempt, Build, JobState, Post, Run, Tick
from bot.text.names import schedule_key

BATCH = 200
"""Runs or builds that one transaction forgets: others wait for it."""

ROWS = 1000
"""Small rows that one transaction forgets."""

_ENDED = RUN.state == literal(State.FINISHED.value, literal_execute=True)
"""Written into the statement, so that the database sees that its indexes of finished runs serve it."""

_WITH_IT: Any = ((Attempt, ATTEMPT.run_number), (Post, POST.run_number), (Approval, APPROVAL.run))
"""What goes with a run, and by what it names that."""

_PLAIN: dict[str, Any] = {"synchronize_session": False}


def jobs(session: Session) -> Iterator[str]:
    """Every job that has runs, by name; each is one step through the index."""
    name = session.scalar(select(func.min(RUN.job)))
    while name is not None:
        yield name
        name = session.scalar(select(func.min(RUN.job)).where(RUN.job > name))


def jobs_of_build(session: Session, number: int) -> list[str]:
    """The jobs whose runs, of those that are kept, wanted a build."""
    return list(session.scalars(select(RUN.job).where(RUN.build_number == number).distinct()))


def jobs_of_runs(session: Session, numbers: Collection[int]) -> set[str]:
    """The jobs of those of these runs that have ended."""
    names, ended = set[str](), RUN.state == State.FINISHED
    rest = iter(numbers)
    while some := list(islice(rest, ROWS)):
        # Not DISTINCT: that leads SQLite to walk through all jobs.
        names.update(session.scalars(select(RUN.job).where(RUN.number.in_(some), ended)))
    return names


def superfluous(
    session: Session, job: str, *, keep: int, before: float | None, untold: bool = False
) -> list[int]:
    """Up to `BATCH` finished runs of `job` to forget, oldest first.

    The newest `keep` stay, and the newest `keep` that did not succeed, so that no success pushes out a
    failure; of neither what finished before the moment `before`. Those whose end is still to be told stay:
    they are what is given where `untold`.
    """
    waits = exists().where(POST.run_number == RUN.number, POST.state == "open", POST.sent < POST.wanted)
    found: set[int] = set()
    for condition, order in _old(session, job, keep, before):
        query = select(RUN.number).where(RUN.job == job, _ENDED, condition, waits if untold else ~waits)
        found.update(session.scalars(query.order_by(order).limit(BATCH)))
    return sorted(found)[:BATCH]


def _old(
    session: Session, job: str, keep: int, before: float | None
) -> Iterator[tuple[ColumnElement[bool], Column[Any]]]:
    """What makes a finished run superfluous, and which go first; each is served by an index of its own."""
    if before is not None:
        yield RUN.finished_at < before, RUN.finished_at
    finished, succeeded = and_(RUN.job == job, _ENDED), RUN.result == "succeeded"
    last = _after(session, finished, keep)
    if last is not None:
        last_failed = _after(session, and_(finished, ~succeeded), keep)
        yield and_(RUN.number <= last, or_(succeeded, RUN.number <= (last_failed or 0))), RUN.number


def next_expiry(session: Session, job: str, expire: float) -> float | None:
    """When the next finished run of `job` is older than `expire` seconds."""
    oldest: float | None = session.scalar(select(func.min(RUN.finished_at)).where(RUN.job == job, _ENDED))
    return None if oldest is None else oldest + expire


def all_finished(session: Session, job: str) -> list[int]:
    """Up to `BATCH` finished runs of a job, oldest first."""
    finished = and_(RUN.job == job, RUN.state == State.FINISHED)
    return list(session.scalars(select(RUN.number).where(finished).order_by(RUN.number).limit(BATCH)))


def is_active(session: Session, job: str) -> bool:
    """Whether a run of the job goes on or waits; nobody starts one until this transaction ends."""
    admission.hold(session)
    query = select(RUN.number).where(RUN.job == job, RUN.state != State.FINISHED).limit(1)
    return session.scalar(query) is not None


def has_any(session: Session, job: str) -> bool:
    """Whether anything is left of the runs of a job."""
    return session.scalar(select(RUN.number).where(RUN.job == job).limit(1)) is not None


def kept(session: Session, jobs: Collection[str]) -> set[str]:
    """Those of these jobs of whose runs anything is left."""
    return set(session.scalars(select(RUN.job).where(RUN.job.in_(jobs)).distinct())) if jobs else set()


def forget(session: Session, numbers: Collection[int]) -> list[str]:
    """Forget those of these runs that are finished, with all that is theirs; gives the keys of their logs.

    The tick that became one of them stays, number and all: it is decided, and no number is given twice.
    """
    free = select(RUN.number).where(RUN.number.in_(numbers), _ENDED).with_for_update(skip_locked=True)
    rows = session.execute(
        delete(Run)
        .where(RUN.number.in_(list(session.scalars(free))))
        .returning(RUN.number, RUN.name, RUN.attempt)
        .execution_options(**_PLAIN)
    ).all()
    gone = [row.number for row in rows]
    for table, column in _WITH_IT:
        session.execute(delete(table).where(column.in_(gone)).execution_options(**_PLAIN))
    return [attempt_name(row.name, attempt) for row in rows for attempt in range(1, row.attempt + 1)]


_NOTHING_SAID: dict[str, Any] = {"paused": False} | dict.fromkeys(
    (
        "paused_until",
        "paused_by",
        "paused_why",
        "failures",
        "skip_at",
        "skipped_by",
        "ticked_to",
        "timetable",
        "named_timetable",
    )
)


def forget_schedule(session: Session, job: str) -> int:
    """Forget up to `ROWS` ticks of a job, and what people said about its schedules; gives how many ticks."""
    named = JOB_STATE.job.startswith(schedule_key(job, ""), autoescape=True)
    keys = [job, *session.scalars(select(JOB_STATE.job).where(named))]
    some = select(TICK.id).where(TICK.job.in_(keys)).limit(ROWS)
    gone = cast(
        "CursorResult[Any]",
        session.execute(delete(Tick).where(TICK.id.in_(some)).execution_options(**_PLAIN)),
    ).rowcount
    mine = JOB_STATE.job.in_(keys)
    if gone < ROWS:
        session.execute(delete(JobState).where(mine))
    else:  # ticks are left, of which only these rows say whose they are
        session.execute(update(JobState).where(mine).values(_NOTHING_SAID).execution_options(**_PLAIN))
    return gone


def forget_builds(session: Session, *, before: float, images: Collection[str]) -> list[str]:
    """Forget up to `BATCH` builds that ended before `before` and that nothing needs; gives their logs' keys.

    Needed are those of runs that are kept, and of each of these `images` the newest and the newest good one.
    The rows are locked before it is looked whether a run has them: who orders a run locks them as well.
    """
    mine = select(func.max(BUILD.number)).where(BUILD.image.in_(images)).group_by(BUILD.image)
    good = mine.where(BUILD.result == "succeeded", BUILD.digest.is_not(None))
    needed = {*session.scalars(mine), *session.scalars(good)}
    old = and_(BUILD.state == State.FINISHED, BUILD.finished_at < before, BUILD.number.not_in(needed))
    free = ~exists().where(RUN.build_number == BUILD.number)
    some = session.scalars(
        select(BUILD.number).where(old, free).limit(BATCH).with_for_update(skip_locked=True)
    ).all()
    rows = session.execute(
        delete(Build)
        .where(BUILD.number.in_(some), free)
        .returning(BUILD.number, BUILD.name)
        .execution_options(**_PLAIN)
    ).all()
    session.execute(
        delete(Post).where(POST.build_number.in_([row.number for row in rows])).execution_options(**_PLAIN)
    )
    return [row.name for row in rows]


def _after(session: Session, condition: ColumnElement[bool], keep: int) -> int | None:
    """The number of the newest run behind the `keep` newest that meet `condition`."""
    query = select(RUN.number).where(condition).order_by(RUN.number.desc()).offset(keep).limit(1)
    found: int | None = session.scalar(query)
    return found
