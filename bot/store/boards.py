"""What the first page shows of runs and builds: of all jobs, or of some. Nothing counts beyond a bound."""

from collections.abc import Collection, Sequence
from statistics import median
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, select, true, union_all
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.columns import BUILD, DELIVERY, RUN, among
from bot.store.deliveries import FAILED
from bot.store.series import ENDED
from bot.store.transitions import ACTIVE, QUEUED
from bot.tables import Build, Run
from executor.spec import Result

LOOKS = 500
"""Rows that are looked through for those of some jobs, or of some time: the newest of each kind."""

_SAMPLE = 20
"""Runs of a job that tell how long one takes, its newest that succeeded."""

_ENDS = 60
"""Runs of a job among which those are looked for."""

_BAD = (Result.FAILED, Result.TIMED_OUT, Result.ERROR)


class Counts(NamedTuple):
    """How many there are, at most one more than was asked for: that says only that there are more."""

    running: int
    waiting: int
    given_up: int


def counts(session: Session, jobs: Collection[str] | None, *, most: int) -> Counts:
    """Runs under way, runs that wait, and deliveries that were given up."""
    failed = select(DELIVERY.id).where(DELIVERY.state == FAILED).limit(most + 1)
    some = (_of(ACTIVE, jobs).limit(most + 1), _of(QUEUED, jobs).limit(most + 1), failed)
    counted = [select(func.count()).select_from(each.subquery()).scalar_subquery() for each in some]
    return Counts(*session.execute(select(*counted)).one())


def running(session: Session, jobs: Collection[str] | None, *, limit: int) -> list[Run]:
    """Up to `limit` runs that the engine has, newest first."""
    mine = _of(ACTIVE, jobs).order_by(RUN.number.desc()).limit(limit)
    return list(session.scalars(select(Run).where(RUN.number.in_(mine)).order_by(RUN.number.desc())))


def waiting(session: Session, jobs: Collection[str] | None, *, limit: int) -> list[Run]:
    """Up to `limit` runs that have not begun, those that were asked for first."""
    mine = _of(QUEUED, jobs).order_by(RUN.number).limit(limit)
    return list(session.scalars(select(Run).where(RUN.number.in_(mine)).order_by(RUN.number)))


class Failure(NamedTuple):
    """A run that ended badly, and when."""

    at: float
    number: int


def failed(session: Session, jobs: Collection[str] | None, *, since: float) -> list[Failure]:
    """Runs that ended badly after `since`, the last first, among the newest `LOOKS` of each kind."""
    newest = [
        select(
            select(RUN.number, RUN.job, RUN.finished_at)
            .where(RUN.result == result)
            .order_by(RUN.number.desc())
            .limit(LOOKS)
            .subquery()
        )
        for result in _BAD
    ]
    found = session.execute(union_all(*newest)).all()
    failures = [
        Failure(finished, number)
        for number, job, finished in found
        if (finished or 0.0) > since and (jobs is None or job in jobs)
    ]
    return sorted(failures, reverse=True)


def recent(session: Session, jobs: Collection[str] | None, *, limit: int) -> list[Run]:
    """Up to `limit` runs that are over, the newest first, among the newest `LOOKS` runs of all jobs."""
    query = select(RUN.number, RUN.job, RUN.state).order_by(RUN.number.desc()).limit(LOOKS)
    numbers = [
        number
        for number, job, state in session.execute(query)
        if state == State.FINISHED and (jobs is None or job in jobs)
    ]
    return runs(session, numbers[:limit])


def usual(session: Session, jobs: Collection[str]) -> dict[str, float]:
    """Seconds that a run of each of these jobs takes, where that is known, in one statement.

    The median of the newest that succeeded, looked for among the last runs of each.
    """
    if not jobs:
        return {}
    each = [
        select(
            select(RUN.job, RUN.number, RUN.result, RUN.started_at, RUN.finished_at)
            .where(RUN.job == job, ENDED)
            .order_by(RUN.number.desc())
            .limit(_ENDS)
            .subquery()
        )
        for job in sorted(set(jobs))
    ]
    took: dict[str, list[float]] = {}
    for job, _, result, started, finished in session.execute(union_all(*each)):
        some = took.setdefault(job, [])
        if result == Result.SUCCEEDED and started is not None and len(some) < _SAMPLE:
            some.append(max(0.0, finished - started))
    return {job: median(some) for job, some in took.items() if some}


class BuildKey(NamedTuple):
    """What says whether somebody may see a build."""

    number: int
    image: str
    repository: str


def building(session: Session, *, limit: int) -> list[BuildKey]:
    """Up to `limit` builds that are not over, newest first."""
    open_ = among(BUILD.state, (State.WAITING, State.BUILDING))
    return _keys(session, select(*_KEY).where(open_), limit)


def failed_builds(session: Session, *, since: float) -> list[BuildKey]:
    """Builds that ended badly after `since`, newest first, among the newest `LOOKS`."""
    query = select(*_KEY, BUILD.result, BUILD.finished_at).order_by(BUILD.number.desc()).limit(LOOKS)
    return [
        BuildKey(number, image, repository)
        for number, image, repository, result, finished in session.execute(query)
        if result in _BAD and (finished or 0.0) > since
    ]


def builds(session: Session, numbers: Collection[int]) -> list[Build]:
    """These builds, newest first."""
    if not numbers:
        return []
    query = select(Build).where(BUILD.number.in_(sorted(numbers))).order_by(BUILD.number.desc())
    return list(session.scalars(query))


_KEY = (BUILD.number, BUILD.image, BUILD.repository)


def _keys(session: Session, query: Select[int, str, str], limit: int) -> list[BuildKey]:
    return [BuildKey(*row) for row in session.execute(query.order_by(BUILD.number.desc()).limit(limit))]


def runs(session: Session, numbers: Collection[int]) -> list[Run]:
    """These runs, newest first."""
    if not numbers:
        return []
    return list(session.scalars(select(Run).where(RUN.number.in_(numbers)).order_by(RUN.number.desc())))


def _of(states: Sequence[State], jobs: Collection[str] | None) -> Select[int]:
    """The numbers of runs in these states, of these jobs alone unless None."""
    mine: ColumnElement[bool] = true() if jobs is None else RUN.job.in_(sorted(jobs))
    return select(RUN.number).where(among(RUN.state, states), mine)
