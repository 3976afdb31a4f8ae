"""What somebody finds at a glance: runs under way, and jobs that failed last, of some repositories."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from bot.states import Hold, State
from bot.store.columns import RUN, among, table_of
from bot.store.transitions import UNFINISHED
from bot.tables import Run
from executor.spec import BAD, Result

LOOKS = 500
"""Failures that are looked through, the newest of each kind."""

_AMONG_FEW = RUN.number + 0
"""The number where few runs meet the other conditions: those are found first, by their index, then sorted."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose runs: those of `repositories` but for the jobs in `hidden`, and those of the jobs in `own`."""

    repositories: Collection[str]
    hidden: Collection[str] = ()
    own: Collection[str] = ()

    @property
    def condition(self) -> ColumnElement[bool]:
        """As SQL sees it."""
        theirs: ColumnElement[bool] = RUN.repository.in_(sorted(self.repositories))
        if self.hidden:
            theirs = and_(theirs, RUN.job.not_in(sorted(self.hidden)))
        return or_(theirs, RUN.job.in_(sorted(self.own))) if self.own else theirs


def under_way(session: Session, scope: Scope, *, limit: int) -> list[Run]:
    """Up to `limit` runs of these that have not ended, newest first; none held for its time."""
    here = (among(RUN.state, UNFINISHED), RUN.hold.is_distinct_from(Hold.TIME))
    mine = (*here, scope.condition)
    return list(session.scalars(select(Run).where(*mine).order_by(_AMONG_FEW.desc()).limit(limit)))


def later(session: Session, scope: Scope, *, limit: int) -> list[Run]:
    """Up to `limit` runs of these that are held for their time, soonest first."""
    one = or_(RUN.backfill.is_(None), RUN.backfill == RUN.number)  # a backfill is told of by its last run
    mine = (RUN.hold.is_not(None), RUN.hold == Hold.TIME, one, scope.condition)
    return list(session.scalars(select(Run).where(*mine).order_by(RUN.due_at, RUN.number).limit(limit)))


def failing(session: Session, scope: Scope, *, limit: int) -> list[Run]:
    """The newest failure of up to `limit` jobs of these, those that did not succeed since."""
    newest = [
        select(
            select(RUN.number).where(RUN.result == result).order_by(RUN.number.desc()).limit(LOOKS).subquery()
        )
        for result in BAD
    ]
    # Few failed, and few of one job came later: the indexes of all jobs and of results are not to be used.
    later = table_of(Run).alias()
    ended = later.c.state == literal(State.FINISHED.value, literal_execute=True)
    since = select(later.c.number).where(later.c.job == RUN.job, later.c.number > RUN.number, ended)
    succeeded = since.where(func.coalesce(later.c.result, "") == Result.SUCCEEDED).exists()
    last = (
        select(func.max(RUN.number))
        .where(RUN.number.in_(union_all(*newest)), scope.condition, ~succeeded)
        .group_by(func.coalesce(RUN.job, ""))
        .order_by(func.max(RUN.number).desc())
        .limit(limit)
    )
    return list(session.scalars(select(Run).where(RUN.number.in_(last)).order_by(RUN.number.desc())))


def touched(session: Session, numbers: Collection[int]) -> tuple[set[str], set[str]]:
    """The repositories and the jobs of which these runs are."""
    found = session.execute(select(RUN.repository, RUN.job).where(RUN.number.in_(sorted(numbers))).distinct())
    rows = found.all()
    return {row[0] for row in rows if row[0] is not None}, {row[1] for row in rows}
