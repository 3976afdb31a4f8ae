"""Held runs: stored and shown, but not at the gate, so they are in nobody's way; then released, or ended.

What holds one is a `Hold`, `due_at` when somebody has to look at it again. The index of held runs gives the
next, so that one sleeper serves all of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.states import Hold, Wait
from bot.store import admission, journal, journal_entries, start_limits
from bot.store.columns import RUN
from bot.store.run_locks import scope_of
from bot.store.transitions import FREE, HOLDING, QUEUED, RUNS
from bot.store.wakeups import wake
from bot.tables import Run

NAMED = 1000
"""Jobs that one statement names."""
BATCH = 100
"""Held runs that are looked at in one go, those that are due longest first."""

_WAITS = {Hold.APPROVAL: Wait.APPROVAL, Hold.TIME: Wait.TIME, Hold.FREEZE: Wait.FREEZE}


@dataclass(frozen=True, slots=True)
class Holding:
    """What a new run is held by: `until` is when that ends at the latest, `due_at` when it is looked at.

    `on` is what its card says of it, see `bot.messages.waits`. Moments are seconds since the epoch.
    """

    kind: Hold
    due_at: float
    until: float | None = None
    on: Mapping[str, Any] | None = None

    def put(self, run: Run) -> Run:
        """Hold `run`, which is not stored yet."""
        run.hold, run.due_at, run.hold_until = self.kind, self.due_at, self.until
        run.waiting_for, run.waiting_on = _WAITS[self.kind], dict(self.on or {})
        run.admitted = False
        return run


def release(session: Session, number: int, kind: Hold, *, now: float) -> Run | None:
    """Send a run that `kind` holds to the gate, as if it arrived now; None where that does not hold it.

    Once, whoever else does the same at the same time. Its place among others of its job is by its number.
    """
    admission.hold(session)
    free = {"waiting_for": None, "due_at": admission.CLOSED} | dict.fromkeys(HOLDING)
    run = RUNS.change(session, number, held_by(kind), **free)
    if run is None:
        return None
    journal.record(session, [journal_entries.run_released(run, kind, now)])
    start_limits.released(session, run, now=now)
    admission.opened(session, scope_of(run), now=now)
    session.expire_all()
    return session.get_one(Run, number)


def take(session: Session, run: Run, owner: str, holding: Holding, *, now: float) -> Run | None:
    """Hold a run that was let through and that `owner` is about to begin; None where that is not so any more.

    What it had is free for others, and its place among those of its job is by its number.
    """
    admission.hold(session)
    values = {
        "hold": holding.kind,
        "hold_until": holding.until,
        "due_at": holding.due_at,
        "waiting_for": _WAITS[holding.kind],
        "waiting_on": dict(holding.on or {}),
        "admitted": False,
    }
    mine = [RUN.lease_owner == owner, RUN.state.in_(QUEUED), RUN.hold.is_(None)]
    row = RUNS.change(session, run.identity, mine, **values, **FREE)
    if row is not None:
        wake(session, "holds")
        admission.opened(session, scope_of(row), now=now)
    return row


def thawed(session: Session, *, now: float) -> None:
    """A freeze ended before its time: what freezes hold is looked at now."""
    if RUNS.change_all(session, [RUN.hold.is_not(None), RUN.hold == Hold.FREEZE], due_at=now):
        wake(session, "holds")


def hold_again(session: Session, number: int, before: Hold, holding: Holding) -> Run | None:
    """Let something else hold a run that `before` holds; None where that does not hold it."""
    values = {
        "hold": holding.kind,
        "hold_until": holding.until,
        "due_at": holding.due_at,
        "waiting_for": _WAITS[holding.kind],
        "waiting_on": dict(holding.on or {}),
    }
    wake(session, "holds")
    return RUNS.change(session, number, held_by(before), **values)


def end(
    session: Session,
    number: int,
    kind: Hold,
    *,
    now: float,
    reason: str,
    on: Mapping[str, Any],
    **values: Any,
) -> Run | None:
    """End a run that `kind` holds as cancelled, and say why; None where that does not hold it."""
    facts = {"reason": reason, "reason_on": dict(on), **values}
    return RUNS.end_unbegun(session, number, held_by(kind), now=now, **facts)


def look_at(session: Session, number: int, kind: Hold, *, at: float) -> Run | None:
    """Have a held run looked at from the moment `at` on; None where `kind` does not hold it."""
    wake(session, "holds")
    return RUNS.change(session, number, held_by(kind), due_at=at)


def wake_all(session: Session) -> None:
    """Have whoever looks at held runs look."""
    wake(session, "holds")


def due(session: Session, *, now: float) -> Sequence[Run]:
    """Up to `BATCH` held runs whose moment has come, the longest due first."""
    is_due = [RUN.hold.is_not(None), RUN.due_at <= now]
    return session.scalars(select(Run).where(*is_due).order_by(RUN.due_at, RUN.number).limit(BATCH)).all()


def next_due(session: Session) -> float | None:
    """When the next held run is to be looked at."""
    return session.scalar(select(func.min(RUN.due_at)).where(RUN.hold.is_not(None)))


def of_kind(
    session: Session, kind: Hold, *, limit: int, jobs: Collection[str] | None = None
) -> Sequence[Run]:
    """Up to `limit` runs that `kind` holds, those that were asked for first, of these jobs alone unless None.

    Of more than `NAMED` jobs the first ones count.
    """
    # Few are held at all, whose index is to be used, and neither that of numbers nor that of jobs.
    query = select(Run).where(RUN.hold.is_not(None), RUN.hold == kind).order_by(RUN.number + 0).limit(limit)
    if jobs is not None:
        query = query.where(RUN.job.concat("").in_(sorted(jobs)[:NAMED]))
    return session.scalars(query).all()


def later(session: Session, jobs: Collection[str] | None, *, limit: int) -> Sequence[Run]:
    """Up to `limit` runs that were asked for at a moment, soonest first, of these jobs alone unless None."""
    one = or_(RUN.backfill.is_(None), RUN.backfill == RUN.number)  # a backfill is told of by its last run
    query = select(Run).where(RUN.hold.is_not(None), RUN.hold == Hold.TIME, one)
    if jobs is not None:
        query = query.where(RUN.job.in_(sorted(jobs)))
    return session.scalars(query.order_by(RUN.due_at, RUN.number).limit(limit)).all()


def held_by(kind: Hold) -> list[Any]:
    """The conditions of what `kind` holds."""
    return [RUN.hold == kind, RUN.state.in_(QUEUED)]
