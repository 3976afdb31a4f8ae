"""What lists of runs and of jobs tell: runs by how they ended, and the newest of each job.

Runs with one result may be few among many, so an index of their own finds them.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Text, column, func, select, union_all, values
from sqlalchemy.orm import Session

from bot.store.columns import RUN
from bot.tables import Run

_AMONG_FEW = RUN.number + 0
"""The number where the runs are found first, and then sorted."""

_JOBS = 1000
"""Jobs that one statement names; databases take some ten thousand."""


def newest(session: Session, jobs: Collection[str]) -> dict[str, Run]:
    """The newest run of each of these jobs that has any, by job; each is one step through an index."""
    names, found = sorted(set(jobs)), dict[str, Run]()
    for start in range(0, len(names), _JOBS):
        rows = [(name,) for name in names[start : start + _JOBS]]
        named = values(column("name", Text), name="named").data(rows).cte()
        last = select(func.max(RUN.number)).where(RUN.job == named.c.name).scalar_subquery()
        query = select(Run).where(RUN.number.in_(select(last).select_from(named)))
        found |= {run.job: run for run in session.scalars(query)}
    return found


def page(
    session: Session,
    results: Collection[str],
    *,
    job: str | None = None,
    jobs: Collection[str] | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[Run]:
    """Runs with one of these results, newest first; the rest is as for `runs.page`.

    Of one job, or of some, all runs are looked through: `keep` bounds them. Of all jobs the newest of each
    result are taken, so that a result that is rare is not looked for among all the others.
    """
    if not results:
        return []
    older: list[ColumnElement[bool]] = [] if before is None else [RUN.number < before]
    query = select(Run).order_by(_AMONG_FEW.desc()).limit(limit)
    if job is None and jobs is None:
        newest = [
            select(
                select(RUN.number)
                .where(RUN.result == result, *older)
                .order_by(RUN.number.desc())
                .limit(limit)
                .subquery()
            )
            for result in sorted(set(results))
        ]
        return list(session.scalars(query.where(RUN.number.in_(union_all(*newest)))))
    if job is not None:
        query = query.where(RUN.job == job)
    if jobs is not None:
        query = query.where(RUN.job.in_(sorted(jobs)))
    among = func.coalesce(RUN.result, "").in_(sorted(set(results)))  # the index of results is not to be used
    return list(session.scalars(query.where(among, *older)))
