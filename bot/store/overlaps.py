"""Which runs of schedules go on while their next is due."""

from collections.abc import Mapping

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.store.columns import RUN
from bot.store.posts import PART
from bot.store.transitions import UNFINISHED
from bot.tables import Run


def before(session: Session, due: Mapping[str, float]) -> list[Run]:
    """The runs that have begun for an earlier due moment than `due` says, by job."""
    names, rows = sorted(due), list[Run]()
    going = and_(RUN.state.in_(UNFINISHED), RUN.started_at.is_not(None))
    for start in range(0, len(names), PART):
        mine = RUN.job.in_(names[start : start + PART])
        found = session.scalars(select(Run).where(going, mine))
        rows += [row for row in found if row.tick_at is not None and row.tick_at < due[row.job]]
    return rows
