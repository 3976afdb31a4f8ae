"""The conditional UPDATE that every change of a run is, and the stop that somebody asks for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from bot.states import State
from bot.store import posts
from bot.store.clocks import moment
from bot.store.columns import RUN
from bot.store.times import in_order
from bot.store.wakeups import changed, ring
from bot.tables import Run

QUEUED = (State.WAITING, State.BUILDING)
"""States of a run that the engine knows nothing of yet."""
ACTIVE = (State.STARTING, State.RUNNING, State.STOPPING)
UNFINISHED = (*QUEUED, *ACTIVE)

FREE: dict[str, Any] = {"lease_owner": None, "lease_until": 0.0}
"""Nobody holds it."""


def change(session: Session, number: int, conditions: Sequence[Any], **values: Any) -> Run | None:
    """Change one run if it meets `conditions`; what changed is shown on the run's cards."""
    rows = change_all(session, [RUN.number == number, *conditions], **values)
    return rows[0] if rows else None


def change_all(session: Session, conditions: Sequence[Any], **values: Any) -> Sequence[Run]:
    """Change every run that meets `conditions`, and show it; gives them as they are now."""
    rows = session.scalars(
        update(Run)
        .where(*conditions)
        .values(**in_order(RUN, values))
        .returning(Run)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    if rows:
        numbers = [row.identity for row in rows]
        posts.want(session, runs=numbers, urgent=values.get("state") == State.FINISHED)
        changed(session, *rows)
    return rows


def end_unbegun(
    session: Session, number: int, *, by: str, now: float, message: str | None = None
) -> Run | None:
    """End a run that nobody began; None where somebody did, or where it has ended."""
    unclaimed = [
        RUN.state.in_(QUEUED),
        or_(RUN.lease_owner.is_(None), RUN.lease_until <= moment(session, now)),
    ]
    end = {"state": State.FINISHED, "result": "cancelled", "finished_at": now, "waiting_for": None}
    return change(session, number, unclaimed, stop_by=by, message=message, **end, **FREE)


def ask_to_stop(session: Session, number: int, *, by: str) -> Run | None:
    """Ask whoever holds an unfinished run to stop it; None where somebody asked before."""
    run = change(session, number, [RUN.state != State.FINISHED, RUN.stop_by.is_(None)], stop_by=by)
    if run is not None:
        ring(session, "stops")
    return run
