"""What the first page shows of runs and builds: of all jobs, or of some. Nothing counts beyond a bound."""

from collections.abc import Collection, Sequence
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from bot.states import Hold, State
from bot.store.columns import BUILD, DELIVERY, RUN, among
from bot.store.deliveries import FAILED
from bot.store.series import ENDED
from bot.store.transitions import ACTIVE, QUEUED
from bot.tables import Build, Run
from executor.spec import BAD, Result

LOOKS = 500
"""Rows that are looked through for those of some jobs, or of some time: the newest of each kind."""

_FEW = 100
"""Jobs that a statement names one by one."""

_OPEN = 5000
"""Runs of all jobs that are looked through for those of many."""

_SAMPLE = 20
"""Runs of a job that tell how long one takes, its newest that succeeded."""

_ENDS = 30
"""Runs of a job among which those are looked for."""


def running(session: Session, jobs: Collection[str] | None, *, limit: int) -> list[int]:
    """The numbers of up to `limit` runs that the engine has, newest first."""
    return _numbers(session, ACTIVE, jobs, RUN.number.desc(), limit)


def waiting(session: Session, jobs: Collection[str] | None, *, limit: int) -> list[int]:
    """The numbers of up to `limit` runs that have not begun, those that were asked for first.

    Not of those whose moment is still to come: nothing keeps them back.
    """
    return _numbers(session, QUEUED, jobs, RUN.number, limit)


def given_up(session: Session, *, limit: int) -> int:
    """How many deliveries were given up, counted up to `limit`."""
    failed = select(DELIVERY.id).where(DELIVERY.state == FAILED).limit(limit)
    return session.scalar(select(func.count()).select_from(failed.subquery())) or 0


class Failure(NamedTuple):
    """A run that ended badly, and when."""

    at: float
    number: int


def failed(
    session: Session, jobs: Collection[str] | None, *, since: float, most: int = LOOKS
) -> list[Failure]:
    """Runs that ended badly after `since`, the last first, among the newest `LOOKS` of each kind.

    Of all jobs up to `most` of each kind are enough.
    """
    looks = LOOKS if jobs is not None else most
    newest = [
        select(
            select(RUN.number, RUN.job, RUN.finished_at)
            .where(RUN.result == result)
            .order_by(RUN.number.desc())
            .limit(looks)
            .subquery()
        )
        for result in BAD
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
        if result in BAD and (finished or 0.0) > since
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


def runs(session: Session, numbers: Sequence[int]) -> list[Run]:
    """These runs, in this order."""
    if not numbers:
        return []
    found = {run.identity: run for run in session.scalars(select(Run).where(RUN.number.in_(numbers)))}
    return [found[number] for number in numbers if number in found]


def _numbers(
    session: Session, states: Sequence[State], jobs: Collection[str] | None, order: Any, limit: int
) -> list[int]:
    """The numbers of runs in these states, of these jobs alone unless None.

    Of many jobs all runs in these states are looked through: naming the jobs takes a database longer.
    """
    here = [among(RUN.state, states), RUN.hold.is_distinct_from(Hold.TIME)]
    if jobs is None or len(jobs) <= _FEW:
        query = select(RUN.number).where(*here)
        named = query if jobs is None else query.where(RUN.job.in_(sorted(jobs)))
        return list(session.scalars(named.order_by(order).limit(limit)))
    every = select(RUN.number, RUN.job).where(*here).order_by(order).limit(_OPEN)
    return [number for number, job in session.execute(every) if job in jobs][:limit]
