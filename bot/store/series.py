"""How the last runs of jobs went, for what is drawn and listed of them: only the columns that are shown."""

import json
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import CTE, JSON, ColumnElement, Text, bindparam, cast, func, literal, select, type_coerce
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.columns import RUN
from bot.store.transitions import QUEUED, UNFINISHED

ENDED = RUN.state == literal(State.FINISHED.value, literal_execute=True)
"""Written into the statement, so that the database sees that its indexes of finished runs serve it."""


class EndedRun(NamedTuple):
    """A run that is over; `started_at` is None for one that never began. Seconds since the epoch."""

    number: int
    result: str | None
    created_at: float
    started_at: float | None
    finished_at: float | None

    @property
    def seconds(self) -> float | None:
        """How long it took, never negative; None for one that never began."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, self.finished_at - self.started_at)


def ended(session: Session, job: str, *, limit: int) -> list[EndedRun]:
    """The last `limit` runs of a job that are over, newest first."""
    return _ended(session, RUN.job == job, limit=limit)


def ended_of(session: Session, job: str, repository: str | None, *, limit: int) -> list[EndedRun]:
    """The same of those of one repository, or of none."""
    mine = RUN.repository.is_not_distinct_from(repository)
    return _ended(session, RUN.job == job, mine, limit=limit)


def _ended(session: Session, *which: ColumnElement[bool], limit: int) -> list[EndedRun]:
    columns = (RUN.number, RUN.result, RUN.created_at, RUN.started_at, RUN.finished_at)
    query = select(*columns).where(*which, ENDED).order_by(RUN.number.desc()).limit(limit)
    return [EndedRun(*row) for row in session.execute(query)]


class LastRun(NamedTuple):
    """The newest run of a job, which may still go on."""

    job: str
    number: int
    state: str
    result: str | None
    created_at: float
    started_at: float | None
    finished_at: float | None


class Mark(NamedTuple):
    """How a run ended, and its number."""

    number: int
    result: str | None


def last(session: Session, jobs: Collection[str]) -> dict[str, LastRun]:
    """The newest run of each of these jobs (a page of them) that has any; each is one step of an index."""
    if not jobs:
        return {}
    named = _named(session, jobs)
    newest = select(func.max(RUN.number)).where(RUN.job == named.c.name).scalar_subquery()
    columns = (RUN.job, RUN.number, RUN.state, RUN.result, RUN.created_at, RUN.started_at, RUN.finished_at)
    query = select(*columns).where(RUN.number.in_(select(newest).select_from(named)))
    return {row[0]: LastRun(*row) for row in session.execute(query)}


def strips(session: Session, jobs: Collection[str], *, limit: int) -> dict[str, list[Mark]]:
    """The last `limit` runs of each of these jobs (a page of them) that are over, oldest first.

    One statement for all, which an index answers alone: it finds where the last ones begin, and reads on.
    """
    if not jobs:
        return {}
    named = _named(session, jobs)
    begin = (
        select(RUN.number)
        .where(RUN.job == named.c.name, ENDED)
        .order_by(RUN.number.desc())
        .offset(limit - 1)
        .limit(1)
        .scalar_subquery()
    )
    began = select(named.c.name, func.coalesce(begin, 0).label("begin")).cte("began")
    query = (
        select(RUN.job, RUN.number, RUN.result)
        .join(began, (RUN.job == began.c.name) & (RUN.number >= began.c.begin))
        .where(ENDED)
        .order_by(RUN.job, RUN.number)
    )
    found: dict[str, list[Mark]] = {}
    for job, number, result in session.execute(query):
        found.setdefault(job, []).append(Mark(number, result))
    return found


def unfinished(session: Session, jobs: Collection[str]) -> dict[str, tuple[int, int]]:
    """How many runs of each of these jobs (a page of them) wait, and how many are under way."""
    mine = (RUN.job.in_(sorted(jobs)), RUN.state.in_(UNFINISHED))
    found: dict[str, tuple[int, int]] = {}
    for job, state, count in session.execute(
        select(RUN.job, RUN.state, func.count()).where(*mine).group_by(RUN.job, RUN.state)
    ):
        waiting, going = found.get(job, (0, 0))
        found[job] = (waiting + count, going) if state in QUEUED else (waiting, going + count)
    return found


def jobs_in(session: Session, states: Collection[State]) -> set[str]:
    """The jobs of which a run is in one of these states; not for `finished`, in which nearly all are."""
    return set(session.scalars(select(RUN.job).where(RUN.state.in_(states)).distinct()))


def that_ended(session: Session, jobs: Collection[str], result: str) -> set[str]:
    """Those of these jobs whose last run that is over ended so; one step of an index for each."""
    named = _named(session, jobs)
    newest = (
        select(RUN.result)
        .where(RUN.job == named.c.name, ENDED)
        .order_by(RUN.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return set(session.scalars(select(named.c.name).where(newest == result)))


def _named(session: Session, jobs: Collection[str]) -> CTE:
    """These names as rows, which are one parameter: a statement for any number of them is made once."""
    one = bindparam("names", json.dumps(sorted(jobs)), type_=Text)
    if session.get_bind().dialect.name == "postgresql":
        rows = func.json_array_elements_text(cast(one, JSON)).table_valued("value")
    else:
        rows = func.json_each(one).table_valued("value")
    return select(type_coerce(rows.c.value, Text).label("name")).cte("named")
