"""What somebody finds at a glance: runs under way, and jobs that failed last, of some repositories."""

from collections.abc import Collection

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from bot.states import Hold, State
from bot.store.columns import RUN, among, table_of
from bot.store.transitions import UNFINISHED
from bot.tables import Run
from executor.spec import Result

LOOKS = 500
"""Failures that are looked through, the newest of each kind."""

_FAILED = (Result.FAILED, Result.TIMED_OUT, Result.ERROR)
_AMONG_FEW = RUN.number + 0
"""The number where few runs meet the other conditions: those are found first, by their index, then sorted."""


def under_way(session: Session, repositories: Collection[str], *, limit: int) -> list[Run]:
    """Up to `limit` runs of these repositories that have not ended, newest first; none held for its time."""
    here = (among(RUN.state, UNFINISHED), RUN.hold.is_distinct_from(Hold.TIME))
    mine = (*here, RUN.repository.in_(sorted(repositories)))
    return list(session.scalars(select(Run).where(*mine).order_by(_AMONG_FEW.desc()).limit(limit)))


def failing(session: Session, repositories: Collection[str], *, limit: int) -> list[Run]:
    """The newest failure of up to `limit` jobs of these repositories, those that did not succeed since."""
    newest = [
        select(
            select(RUN.number).where(RUN.result == result).order_by(RUN.number.desc()).limit(LOOKS).subquery()
        )
        for result in _FAILED
    ]
    # Few failed, and few of one job came later: the indexes of all jobs and of results are not to be used.
    later = table_of(Run).alias()
    ended = later.c.state == literal(State.FINISHED.value, literal_execute=True)
    since = select(later.c.number).where(later.c.job == RUN.job, later.c.number > RUN.number, ended)
    succeeded = since.where(func.coalesce(later.c.result, "") == Result.SUCCEEDED).exists()
    last = (
        select(func.max(RUN.number))
        .where(RUN.number.in_(union_all(*newest)), RUN.repository.in_(sorted(repositories)), ~succeeded)
        .group_by(func.coalesce(RUN.job, ""))
        .order_by(func.max(RUN.number).desc())
        .limit(limit)
    )
    return list(session.scalars(select(Run).where(RUN.number.in_(last)).order_by(RUN.number.desc())))


def repositories_of(session: Session, numbers: Collection[int]) -> set[str]:
    """The repositories of which these runs are."""
    found = session.scalars(select(RUN.repository).where(RUN.number.in_(sorted(numbers))).distinct())
    return {repository for repository in found if repository is not None}
