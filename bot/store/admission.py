"""The gate: which runs may start while others are under way.

Nothing starts that the gate has not let through (`admitted`), and what it let through counts until its
end. A run that must wait is closed: its `due_at` is `CLOSED`, so claims never look at it. Whatever ends or
opens something lets through, in the same transaction, what that kept back; nobody polls, and a crash
leaves either both done or neither. Only one transaction at a time decides: SQLite has one writer, and on
PostgreSQL it holds an advisory lock.

Two runs exclude each other when they share a lock; a run takes all of its locks, or none. Of one job, or of
those with the same values of its key, so many may be under way as the smallest limit among them says: one,
where they say a word other than `allow`. Of those the older goes first, and so it does where runs wait for
one lock. A run waits while it holds nothing, and only for what was let through or is older, so no two can
wait for each other. `bot.store.obstacles` says what is in a run's way, `bot.store.opening` lets runs through.

What is held (`hold`) has not come here yet: nothing waits for it, nothing lets it through, and only what
replaces it ends it. `bot.store.holds` sends it here.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import false, not_, or_, select, text, true, update
from sqlalchemy.orm import Session

from bot.catalog.concurrency import Turn
from bot.states import EVERYTHING, State, Waiting
from bot.store import obstacles, queue_positions, run_locks
from bot.store.columns import LOCK, RUN, RUN_LOCK
from bot.store.lock_owners import are_of
from bot.store.obstacles import IS_CLOSED, PRESENT, is_ready
from bot.store.opening import Opening
from bot.store.run_locks import Scope, locks_of, over_of, scope_of
from bot.store.transitions import ACTIVE, FREE, RUNS, UNFINISHED
from bot.tables import Lock, Run

CLOSED = 1e12
"""The `due_at` of a run that was not let through."""

_ADVISORY_LOCK = 0x4552_5241_4E46
"""PostgreSQL's advisory lock of whoever decides; held to the end of the transaction."""


def hold(session: Session) -> None:
    """Let no other bot decide before this transaction has ended."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def refusal(session: Session, job: str, turn: Turn) -> dict[str, Any] | None:
    """The run because of which one of `job` may not even be enqueued, as a reason that is stored, or None.

    Ask before every new run.
    """
    if (turn.over or turn.word) != "forbid":
        return None
    hold(session)
    limit = turn.limit or 1
    queues = [obstacles.in_queue(turn.queue), obstacles.in_queue(None)] if turn.queue else [true()]
    there = [select(Run).where(RUN.job == job, PRESENT, queue) for queue in queues]
    mates = [run for query in there for run in session.scalars(query.limit(max(limit, 20)))]
    if len(mates) < limit:
        return None
    mate = min(mates, key=lambda run: (not run.admitted, run.identity))
    why = {"kind": "alone", "job": job, "run": mate.number, "state": mate.state, "actor": mate.actor}
    if turn.limit is not None:
        why |= {"limit": limit, "queue": turn.queue}
    return why


def arrive(session: Session, run: Run, *, now: float) -> None:
    """Before `run` is stored: let it through if it is ready and nothing is in the way, else close it."""
    if run.state == State.FINISHED:
        run.hold = run.hold_until = None
    if run.state == State.FINISHED or run.hold is not None:
        return
    hold(session)
    run.admitted = is_ready(run) and obstacles.find(session, run, now) is None
    run.due_at = 0.0 if run.admitted else CLOSED


def arrive_all(session: Session, runs: Sequence[Run], *, now: float) -> None:
    """The same for many of different jobs that say `allow` and name no lock: none is in another's way."""
    hold(session)
    valid = or_(LOCK.until.is_(None), LOCK.until > now)
    shut = set(session.scalars(select(LOCK.target).where(valid)))
    is_shut = EVERYTHING in shut
    alone = [RUN.state.in_(UNFINISHED), RUN.concurrency != "allow", RUN.hold.is_(None)]
    others = set(session.scalars(select(RUN.job).where(*alone).distinct()))
    for run in runs:
        if run.state != State.FINISHED and (is_shut or run.job in others or run.job in shut):
            arrive(session, run, now=now)
        elif run.state != State.FINISHED:
            run.admitted = is_ready(run)
            run.due_at = 0.0 if run.admitted else CLOSED


def settle(session: Session, run: Run, *, now: float) -> bool:
    """After `run` is stored: it may replace others; if it waits, its card says what for.

    Gives whether there was anything to settle: then `run` may be another now.
    """
    run_locks.add(session, run)
    if run.admitted or run.state == State.FINISHED or run.hold is not None:
        return False
    if over_of(run) == "replace" and is_ready(run):
        opened(session, scope_of(run), now=now)
    else:
        queue_positions.tell_last(session, run, now=now)
    return True


def opened(session: Session, scope: Scope, *, now: float) -> None:
    """Something of `scope` ended or was opened: let through what that kept back, tell the others."""
    hold(session)
    queues = obstacles.closed_queues(session, scope.job, scope.queue, whole=scope.whole)
    locks = [lock for lock in scope.locks if obstacles.is_awaited(session, lock)]
    if not queues and not locks:
        return
    opening = Opening(session, now)
    for lock in locks:
        opening.lock(lock)
    ended = [queue for queue in queues if opening.replace(scope.job, queue)]
    if None in ended:  # what has no key counts for all queues
        queues = obstacles.closed_queues(session, scope.job, None, whole=True)
    for queue in queues:
        opening.queue(scope.job, queue)
    opening.owners(scope.job, locks)
    concerned = dict.fromkeys([*locks, *opening.locks])
    queue_positions.tell(session, job=scope.job, queues=queues, locks=concerned, now=now)


def shut(session: Session, target: str, *, now: float) -> None:
    """A person closed `target`: what was let through but not begun waits again."""
    hold(session)
    others = _but_the_owners(session, target)
    if target == EVERYTHING:
        close(session, [RUN.admitted == true(), *others, *RUNS.unbegun(session, now)])
        Opening(session, now).owners()
        for scope in waiting_scopes(session):
            queue_positions.tell(session, job=scope.job, queues=[scope.queue], locks=scope.locks, now=now)
        return
    shared = select(RUN_LOCK.run_number).where(RUN_LOCK.target == target)
    concerned = (RUN.job == target, RUN.lock == target, RUN.number.in_(shared))
    locks = set[str]()
    for each in concerned:
        back = close(session, [each, *others, RUN.admitted == true(), *RUNS.unbegun(session, now)])
        for run in back:
            locks |= {*locks_of(run)}
        locks |= {*_reserved(session, each)}
    for lock in sorted(locks - {target}):
        opened(session, Scope(target, locks=(lock,)), now=now)
    Opening(session, now).owners(target, (target,))
    queues = obstacles.closed_queues(session, target, None, whole=True)
    queue_positions.tell(session, job=target, queues=queues, locks=[target], now=now)


def _but_the_owners(session: Session, target: str) -> list[Any]:
    """Runs of others than who closed `target` for all but themselves."""
    lock = session.get(Lock, target)
    if lock is None or lock.person is None:
        return []
    return [not_(are_of(lock.person))]


def waiting_scopes(session: Session) -> list[Scope]:
    """Everything for which a run waits at the gate, each once."""
    waits = session.execute(select(RUN.job, RUN.queue, RUN.lock).where(*IS_CLOSED).distinct()).all()
    return [Scope(job, queue, () if lock is None else (lock,)) for job, queue, lock in waits]


def _reserved(session: Session, concerned: Any) -> Sequence[str]:
    """The locks that nobody younger than these runs could take while it was their turn."""
    waits = select(RUN.number).where(concerned, *IS_CLOSED, RUN.locks.is_not(None))
    query = select(RUN_LOCK.target).where(RUN_LOCK.run_number.in_(waits)).distinct()
    return session.scalars(query).all()


def close(session: Session, conditions: Sequence[Any]) -> Sequence[Run]:
    """Take back that these runs were let through; no bot holds them any more."""
    return RUNS.change_all(session, conditions, admitted=False, due_at=CLOSED, **FREE)


def sweep(session: Session, *, now: float) -> None:
    """At start: put right what an older version or somebody's hand left, and open what can be opened."""
    hold(session)
    quietly = {"synchronize_session": False}
    began = update(Run).where(RUN.state.in_(ACTIVE), RUN.admitted == false()).values(admitted=True)
    session.execute(began.execution_options(**quietly))
    session.execute(update(Run).where(*IS_CLOSED).values(due_at=CLOSED).execution_options(**quietly))
    run_locks.repair(session)
    several = select(RUN_LOCK.target).where(RUN_LOCK.held == false()).distinct()
    for target in session.scalars(several).all():
        Opening(session, now).lock(target)
    for scope in waiting_scopes(session):
        opened(session, scope, now=now)


def waits_for(session: Session, run: Run, *, now: float) -> Waiting | None:
    """What `run` (a draft will do) would wait for besides its build; None: it could start."""
    obstacle = obstacles.find(session, run, now)
    if obstacle is None:
        return None
    return queue_positions.cause(session, run, now=now)
