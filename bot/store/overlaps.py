"""Which runs of schedules go on while their next is due."""

from collections.abc import Mapping

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bot.states import Cause
from bot.store.columns import RUN
from bot.store.posts import PART
from bot.store.transitions import UNFINISHED
from bot.tables import Run
from bot.text.names import job_and_schedule, schedule_key


def before(session: Session, due: Mapping[str, float]) -> list[Run]:
    """The runs that have begun for an earlier moment of their schedule than `due` says, by its key."""
    names, rows = sorted({job_and_schedule(key)[0] for key in due}), list[Run]()
    going = and_(RUN.state.in_(UNFINISHED), RUN.started_at.is_not(None), RUN.cause == Cause.SCHEDULE)
    for start in range(0, len(names), PART):
        mine = RUN.job.in_(names[start : start + PART])
        found = session.scalars(select(Run).where(going, mine))
        rows += [
            row
            for row in found
            if row.tick_at is not None and row.tick_at < due.get(schedule_key(row.job, row.schedule), 0.0)
        ]
    return rows
