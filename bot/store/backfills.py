"""Backfills: runs for due moments that have passed, one after the other.

All of them are stored at once, held; what ends lets the next one come to its turn, in the transaction that
ends it, so that nothing has to be remembered by whoever carries them. They are one backfill by the number of
the last, whose card tells how far it is. Both transactions hold the gate.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from bot.states import Hold, State, Wait
from bot.store import posts
from bot.store.columns import RUN, TICK, table_of
from bot.store.posts import PART
from bot.store.wakeups import changed, wake
from bot.tables import Run
from executor.spec import BAD

LATER = 3660 * 86400.0
"""Seconds from now until a run would be looked at whose turn does not come before."""


def known(session: Session, key: str, moments: Collection[float]) -> set[float]:
    """Those of the moments of a schedule for which a run was started already, as far as that is kept."""
    found: set[float] = set()
    rest = sorted(moments)
    for start in range(0, len(rest), PART):
        some = rest[start : start + PART]
        ran = select(TICK.at).where(TICK.job == key, TICK.at.in_(some), TICK.outcome == "run")
        keys = {f"tick:{key}:{int(at)}": at for at in some}
        stored = session.scalars(select(RUN.key).where(RUN.key.in_(keys)))
        found |= {*session.scalars(ran), *(keys[each] for each in stored)}
    return found


def begin(session: Session, numbers: Sequence[int], *, now: float) -> None:
    """Make these runs, which are stored and held, one backfill; the first has its turn now."""
    last, table = numbers[-1], table_of(Run)
    for start in range(0, len(numbers), PART):
        mine = RUN.number.in_(numbers[start : start + PART])
        session.connection().execute(update(table).where(mine).values(backfill=last, due_at=now + LATER))
    _turn(session, last, now)


def over(session: Session, run: Run) -> None:
    """A run has ended: where it is of a backfill, the next one has its turn."""
    if run.backfill is not None and run.state == State.FINISHED and run.finished_at is not None:
        _turn(session, run.backfill, run.finished_at)


def going(session: Session, job: str, *, limit: int) -> Sequence[Run]:
    """The last runs of up to `limit` backfills of a job that are not over, which tell how far they are."""
    mine = (RUN.hold.is_not(None), RUN.job == job, RUN.backfill == RUN.number)
    return session.scalars(select(Run).where(*mine).order_by(RUN.number.desc()).limit(limit)).all()


def waiting_with(session: Session, run: Run) -> list[int]:
    """The others of the backfill, which ends as a whole with one that waits for its turn; newest first."""
    if run.backfill is None or run.hold != Hold.TIME:
        return []
    mine = [RUN.backfill == run.backfill, RUN.number != run.number, RUN.state != State.FINISHED]
    return list(session.scalars(select(RUN.number).where(*mine).order_by(RUN.number.desc())))


def waiting(backfill: int) -> list[ColumnElement[bool]]:
    """The conditions of the runs of a backfill whose turn has not come."""
    return [RUN.backfill == backfill, RUN.hold == Hold.TIME]


def _turn(session: Session, backfill: int, now: float) -> None:
    table, mine = table_of(Run), RUN.backfill == backfill
    first = session.scalar(select(func.min(RUN.number)).where(*waiting(backfill)))
    if first is None:
        return
    bad = func.count().filter(RUN.result.in_(BAD))
    total, done, failed = session.execute(
        select(func.count(), func.count(RUN.finished_at), bad).select_from(table).where(mine)
    ).one()
    on = {"turn": total, "done": done} | ({"failed": failed} if failed else {})
    tells = {"waiting_for": Wait.TURN, "waiting_on": on}
    session.connection().execute(
        update(table).where(RUN.number == backfill, *waiting(backfill)).values(**tells)
    )
    session.connection().execute(update(table).where(RUN.number == first).values(due_at=now))
    wake(session, "holds")
    session.expire_all()
    if (last := session.get(Run, backfill)) is not None:
        posts.want(session, "run", [backfill], posts.Wish.NEWS)
        changed(session, last)
