"""Runs that have to start by a moment, and are given up where they have not.

The moment is counted from when a run was stored, or from when nothing held it any more. The index of those
that have not started gives the next, so that one sleeper serves all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.states import NOT_STARTED, START_LIMIT, State
from bot.store import admission
from bot.store.columns import RUN
from bot.store.run_locks import scope_of
from bot.store.transitions import RUNS
from bot.store.wakeups import wake
from bot.tables import Run

BATCH = 100
"""Runs that are given up in one go."""

_OPEN = [RUN.start_by.is_not(None), RUN.started_at.is_(None), RUN.finished_at.is_(None), RUN.attempt == 1]


def next_due(session: Session) -> float | None:
    """By when the next run has to start."""
    return session.scalar(select(func.min(RUN.start_by)).where(*_OPEN, RUN.stop_by.is_(None)))


def due(session: Session, *, now: float) -> Sequence[int]:
    """Up to `BATCH` runs that have not started by their moment, those first that are longest late."""
    late = [*_OPEN, RUN.stop_by.is_(None), RUN.start_by <= now]
    return session.scalars(select(RUN.number).where(*late).order_by(RUN.start_by).limit(BATCH)).all()


def give_up(session: Session, number: int, *, now: float) -> Run | None:
    """End a run that has not started by its moment, as an error; None where it has, or is asked to stop.

    Whoever holds it is asked to stop it, and it ends so then.
    """
    admission.hold(session)
    late = [*_OPEN, RUN.start_by <= now]
    run = session.get(Run, number, populate_existing=True)
    if run is None:
        return None
    why: Mapping[str, Any] = {"reason": NOT_STARTED, "reason_on": {"within": limit_of(run.definition)}}
    ended = RUNS.change(
        session,
        number,
        [*late, *RUNS.unbegun(session, now)],
        state=State.FINISHED,
        result="error",
        finished_at=now,
        waiting_for=None,
        lease_owner=None,
        lease_until=0.0,
        stop_by=START_LIMIT,
        **why,
    )
    if ended is not None:
        admission.opened(session, scope_of(ended), now=now)
        return ended
    return RUNS.ask_to_stop(session, number, late, by=START_LIMIT, now=now, **why)


def begin(session: Session, run: Run, *, now: float) -> None:
    """Count from now by when a run, which is about to be stored and which nothing holds, has to start."""
    limit = limit_of(run.definition)
    if limit is not None and run.hold is None and run.state != State.FINISHED:
        run.start_by = now + limit
        wake(session, "limits")


def released(session: Session, run: Run, *, now: float) -> None:
    """The same for one that is stored and was held until now."""
    if (limit := limit_of(run.definition)) is not None:
        RUNS.change(session, run.identity, [RUN.finished_at.is_(None)], start_by=now + limit)
        wake(session, "limits")


def gave_up(session: Session, number: int) -> bool:
    """Whether a run is stopped since it did not start in time."""
    by: str | None = session.scalar(select(RUN.stop_by).where(RUN.number == number))
    return by == START_LIMIT


def limit_of(definition: Mapping[str, Any]) -> float | None:
    """Seconds within which a run of this stored definition of a job has to start; None: it may take long."""
    limit = definition.get("start_within")
    return float(limit) if isinstance(limit, int | float) and not isinstance(limit, bool) else None
