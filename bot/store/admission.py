"""The gate: which runs may start while others are under way.

Nothing starts that the gate has not let through (`admitted`), and what it let through counts until its
end. A run that must wait is closed: its `due_at` is `CLOSED`, so claims never look at it. Whatever ends or
opens something lets through, in the same transaction, what that kept back; nobody polls, and a crash
leaves either both done or neither. Only one transaction at a time decides: SQLite has one writer, and on
PostgreSQL it holds an advisory lock.

Two runs exclude each other when they share a `lock`, or when they are of one job and either says anything
but `allow`. Of those of one job the older goes first. A run waits while it holds nothing, and only for
what was let through or is older, so no two can wait for each other.

What is held (`hold`) has not come here yet: nothing waits for it, nothing lets it through, and only what
replaces it ends it. `bot.store.holds` sends it here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, false, func, or_, select, text, true, update
from sqlalchemy.orm import Session

from bot.states import Hold, State, Waiting
from bot.store import queue_positions
from bot.store.columns import LOCK, RUN, among
from bot.store.prepared import Prepared
from bot.store.statements import one
from bot.store.transitions import ACTIVE, FREE, QUEUED, RUNS, UNFINISHED
from bot.store.wakeups import wake
from bot.tables import Run

CLOSED = 1e12
"""The `due_at` of a run that was not let through."""

_ADVISORY_LOCK = 0x4552_5241_4E46
"""PostgreSQL's advisory lock of whoever decides; held to the end of the transaction."""

_IS_SHUT = (RUN.admitted == false(), RUN.hold.is_(None))
_IS_CLOSED = (among(RUN.state, QUEUED), *_IS_SHUT)
_IS_REPLACED = or_(RUN.hold.is_(None), RUN.hold != Hold.TIME)
"""Whether a newer run takes its place: not where somebody chose the moment at which it is to begin."""
_IS_OLD = (among(RUN.state, QUEUED), RUN.admitted == false(), _IS_REPLACED)
_IS_READY = or_(RUN.build_number.is_(None), RUN.digest.is_not(None))
_OPEN: dict[str, Any] = {"admitted": True, "due_at": 0.0, "waiting_for": None}


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """What is in the way: a lock of a person, or a `run`, which holds the lock or is of the same job."""

    run: int | None = None
    by_lock: bool = False


def hold(session: Session) -> None:
    """Let no other bot decide before this transaction has ended."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def refusal(session: Session, job: str, concurrency: str) -> dict[str, Any] | None:
    """The run because of which one of `job` may not even be enqueued, as a reason that is stored, or None.

    Ask before every new run.
    """
    if concurrency != "forbid":
        return None
    hold(session)
    there = [RUN.job == job, RUN.state.in_(UNFINISHED), RUN.hold.is_(None)]
    mates = session.scalars(select(Run).where(*there).limit(20)).all()
    if not mates:
        return None
    mate = min(mates, key=lambda run: (not run.admitted, run.identity))
    return {"kind": "alone", "job": job, "run": mate.number, "state": mate.state, "actor": mate.actor}


def arrive(session: Session, run: Run, *, now: float) -> None:
    """Before `run` is stored: let it through if it is ready and nothing is in the way, else close it."""
    if run.state == State.FINISHED:
        run.hold = run.hold_until = None
    if run.state == State.FINISHED or run.hold is not None:
        return
    hold(session)
    run.admitted = _is_ready(run) and _obstacle(session, run, now) is None
    run.due_at = 0.0 if run.admitted else CLOSED


def arrive_all(session: Session, runs: Sequence[Run], *, now: float) -> None:
    """The same for many of different jobs that say `allow` and name no lock: none is in another's way."""
    hold(session)
    valid = or_(LOCK.until.is_(None), LOCK.until > now)
    shut = set(session.scalars(select(LOCK.target).where(valid)))
    alone = [RUN.state.in_(UNFINISHED), RUN.concurrency != "allow", RUN.hold.is_(None)]
    shut |= set(session.scalars(select(RUN.job).where(*alone).distinct()))
    for run in runs:
        if run.state != State.FINISHED:
            run.admitted = _is_ready(run) and run.job not in shut
            run.due_at = 0.0 if run.admitted else CLOSED


def settle(session: Session, run: Run, *, now: float) -> bool:
    """After `run` is stored: it may replace others; if it waits, its card says what for.

    Gives whether there was anything to settle: then `run` may be another now.
    """
    if run.admitted or run.state == State.FINISHED or run.hold is not None:
        return False
    if run.concurrency == "replace" and _is_ready(run):
        opened(session, job=run.job, lock=run.lock, now=now)
    else:
        queue_positions.tell_last(session, run, now=now)
    return True


def opened(session: Session, *, job: str, lock: str | None, now: float) -> None:
    """Something of `job` and `lock` ended or was opened: let through what that kept back, tell the others."""
    hold(session)
    if one(session, _CLOSED_JOB, {"job": job}) is None and (
        lock is None or one(session, _CLOSED_LOCK, {"lock": lock}) is None
    ):
        return
    if lock is not None:
        _open_lock(session, lock, now)
    _open_job(session, job, now)
    queue_positions.tell(session, job=job, lock=lock, now=now)


def shut(session: Session, target: str, *, now: float) -> None:
    """A person closed `target`: what was let through but not begun waits again."""
    hold(session)
    for column in (RUN.job, RUN.lock):
        back = close(session, [column == target, RUN.admitted == true(), *RUNS.unbegun(session, now)])
        for lock in {run.lock for run in back if run.lock != target}:
            opened(session, job=target, lock=lock, now=now)
    queue_positions.tell(session, job=target, lock=target, now=now)


def close(session: Session, conditions: Sequence[Any]) -> Sequence[Run]:
    """Take back that these runs were let through; no bot holds them any more."""
    return RUNS.change_all(session, conditions, admitted=False, due_at=CLOSED, **FREE)


def sweep(session: Session, *, now: float) -> None:
    """At start: put right what an older version or somebody's hand left, and open what can be opened."""
    hold(session)
    quietly = {"synchronize_session": False}
    began = update(Run).where(RUN.state.in_(ACTIVE), RUN.admitted == false()).values(admitted=True)
    session.execute(began.execution_options(**quietly))
    session.execute(update(Run).where(*_IS_CLOSED).values(due_at=CLOSED).execution_options(**quietly))
    for job, lock in session.execute(select(RUN.job, RUN.lock).where(*_IS_CLOSED).distinct()).all():
        opened(session, job=job, lock=lock, now=now)


def waits_for(session: Session, run: Run, *, now: float) -> Waiting | None:
    """What `run` (a draft will do) would wait for besides its build; None: it could start."""
    obstacle = _obstacle(session, run, now)
    if obstacle is None:
        return None
    return queue_positions.cause(session, run, now=now)


def _is_ready(run: Run) -> bool:
    return run.build_number is None or run.digest is not None


# What is in the way -----------------------------------------------------------------------------------


def _obstacle(session: Session, run: Run, now: float) -> _Obstacle | None:
    """The first thing in the way of `run`, which is not stored yet if it has no number."""
    about = {"job": run.job, "lock": run.lock or run.job, "now": now, "number": run.number or 0}
    found = one(session, _obstacles(run.number is not None, run.concurrency == "allow"), about)
    if found is None:
        return None
    if found.locked is not None:
        return _Obstacle(by_lock=found.locked == run.lock)
    if run.lock is not None and found.holder is not None:
        return _Obstacle(run=found.holder, by_lock=True)
    return None if found.mate is None else _Obstacle(run=found.mate)


# Every new run asks these, so they are made once: that takes longer than SQLite takes to answer.

_JOB: Any = bindparam("job")
_LOCK: Any = bindparam("lock")
_NUMBER: Any = bindparam("number")

_LOCKED = (
    select(LOCK.target)
    .where(LOCK.target.in_([_JOB, _LOCK]), or_(LOCK.until.is_(None), LOCK.until > bindparam("now")))
    .limit(1)
)
_HOLDER = (
    select(RUN.number)
    .where(RUN.lock == _LOCK, among(RUN.state, UNFINISHED), RUN.admitted == true(), RUN.number != _NUMBER)
    .limit(1)
)


_CLOSED_JOB = Prepared(select(RUN.number).where(RUN.job == _JOB, *_IS_CLOSED).limit(1))
_CLOSED_LOCK = Prepared(select(RUN.number).where(RUN.lock == _LOCK, *_IS_CLOSED).limit(1))


@cache
def _obstacles(stored: bool, allows: bool) -> Prepared:
    """One row: what a person closed, the number of who holds the lock, and that of a `_mate`."""
    parts = {"locked": _LOCKED, "holder": _HOLDER, "mate": _mate(stored, allows)}
    return Prepared(select(*(part.scalar_subquery().label(name) for name, part in parts.items())))


def _mate(stored: bool, allows: bool) -> Any:
    """A run of the same job that one which is `stored`, or `allows` others, may not run beside."""
    query = select(RUN.number).where(RUN.job == _JOB, among(RUN.state, UNFINISHED), RUN.hold.is_(None))
    if allows:
        query = query.where(RUN.concurrency != "allow")
    if stored:
        query = query.where(RUN.number != _NUMBER, or_(RUN.admitted == true(), RUN.number < _NUMBER))
    return query.limit(1)


def _first_closed(session: Session, *conditions: Any) -> Run | None:
    """The oldest closed run that is ready; one query per state, so that the index gives it at once."""
    found = [
        session.scalar(
            select(Run)
            .where(*conditions, RUN.state == state, *_IS_SHUT, _IS_READY)
            .order_by(RUN.number)
            .limit(1)
        )
        for state in QUEUED
    ]
    return min((run for run in found if run is not None), key=lambda run: run.identity, default=None)


# Opening ----------------------------------------------------------------------------------------------


def _open_lock(session: Session, lock: str, now: float) -> None:
    """Let one run through that waits for `lock`: the oldest of those whose job lets it."""
    seen: list[str] = []
    while (run := _first_closed(session, RUN.lock == lock, RUN.job.not_in(seen))) is not None:
        obstacle = _try(session, run, now)
        if obstacle is None or obstacle.by_lock:
            return  # now this one holds it, or it is closed to all
        seen.append(run.job)  # what is in the way of the oldest of a job is in the way of all of that job


def _open_job(session: Session, job: str, now: float) -> None:
    """Let through what may run at the same time, and the oldest that wants to be alone."""
    mine = [RUN.job == job, *_IS_CLOSED]
    newest = select(func.max(RUN.number)).where(*mine, RUN.concurrency == "replace", _IS_READY)
    if (number := session.scalar(newest)) is not None and (run := session.get(Run, number)) is not None:
        _end_waiting(session, run, now)
    alone = session.scalar(select(func.min(RUN.number)).where(*mine, RUN.concurrency != "allow"))
    beside = [*mine, RUN.concurrency == "allow", *([] if alone is None else [RUN.number < alone])]
    if session.scalar(select(RUN.number).where(*beside).limit(1)) is not None:
        _open_beside(session, job, beside, now)
    if alone is not None:
        run = _first_closed(session, RUN.number == alone)
        if run is not None:
            _try(session, run, now)


def _open_beside(session: Session, job: str, beside: Sequence[Any], now: float) -> None:
    """Let through those that say `allow`, as far as they do not share a lock."""
    if _obstacle(session, Run(key="", name="", job=job, cause="", actor="", number=0, created_at=0.0), now):
        return
    if RUNS.change_all(session, [*beside, RUN.lock.is_(None), _IS_READY], **_OPEN):
        wake(session, "runs")
    locks = select(RUN.lock).where(*beside, RUN.lock.is_not(None)).distinct()
    for lock in session.scalars(locks).all():
        _open_lock(session, lock, now)


def _try(session: Session, run: Run, now: float) -> _Obstacle | None:
    """Let `run` through, or say what is in the way; what it replaces is asked to go."""
    obstacle = _obstacle(session, run, now)
    if obstacle is not None and run.concurrency == "replace" and obstacle.run and not obstacle.by_lock:
        _stop_older(session, run, now)
        obstacle = _obstacle(session, run, now)
    if obstacle is None and RUNS.change(session, run.identity, _IS_CLOSED, **_OPEN) is not None:
        wake(session, "runs")
    return obstacle


# Replacing --------------------------------------------------------------------------------------------


def _end_waiting(session: Session, run: Run, now: float) -> None:
    """What waits and is older than `run`, which replaces it, will not be wanted any more."""
    older = [RUN.job == run.job, *_IS_OLD, RUN.number < run.number]
    _end(session, run, session.scalars(select(RUN.number).where(*older)).all(), now)


def _stop_older(session: Session, run: Run, now: float) -> None:
    """`run` is ready: what is older and under way is asked to stop, with its grace."""
    older = [RUN.job == run.job, RUN.state.in_(UNFINISHED), _IS_REPLACED, RUN.number < run.number]
    numbers = session.scalars(select(RUN.number).where(*older)).all()
    left = set(numbers) - _end(session, run, numbers, now)
    for number in sorted(left):
        RUNS.ask_to_stop(session, number, by=f"run:{run.number}", now=now)


def _end(session: Session, run: Run, numbers: Collection[int], now: float) -> set[int]:
    """End those that nobody began; what only they kept back may start."""
    by = f"run:{run.number}"
    asked = [RUNS.end_unbegun(session, number, by=by, now=now, stop_by=by) for number in numbers]
    ended = [each for each in asked if each is not None]
    for lock in {each.lock for each in ended if each.lock is not None and each.lock != run.lock}:
        _open_lock(session, lock, now)
    return {each.identity for each in ended}
