"""Locks of people: a target (a lock of jobs, or a job) is closed until a time, or until somebody opens it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, delete, false, func, or_, select, true
from sqlalchemy.orm import Session

from bot.access import people
from bot.states import ERRAND, EVERYTHING, EntryKind
from bot.store import admission, journal, run_locks
from bot.store.columns import LOCK, RUN, RUN_LOCK
from bot.store.lock_owners import goes_on
from bot.store.prepared import Prepared
from bot.store.run_locks import Scope
from bot.store.statements import one
from bot.store.transitions import QUEUED, UNFINISHED
from bot.store.wakeups import wake
from bot.tables import JournalEntry, Lock, Run

_OVER = Prepared(select(LOCK.target).where(LOCK.until <= bindparam("now")).limit(1))


@dataclass(frozen=True, slots=True)
class Standing:
    """One target: the person who closed it, the run that holds it, and how many runs wait for it."""

    target: str
    closed: Lock | None
    holder: Run | None
    waiting: int


def get(session: Session, target: str, *, now: float) -> Lock | None:
    """The lock on `target`, unless its time has passed."""
    found = session.get(Lock, target)
    return found if found is not None and (found.until is None or found.until > now) else None


def add(session: Session, lock: Lock, *, now: float) -> Lock | None:
    """Close a target; gives the lock of somebody else who closed it before, and then changes nothing.

    What has begun goes on. Closing it again changes one's own reason and time.
    """
    admission.hold(session)
    before = get(session, lock.target, now=now)
    if before is not None and not people.is_same(before.actor, lock.actor):
        return before
    session.merge(lock)
    session.flush()
    admission.shut(session, lock.target, now=now)
    wake(session, "locks")
    return None


def remove(session: Session, target: str, *, now: float) -> bool:
    """Open a target; False where it was not closed."""
    admission.hold(session)
    return bool(_open(session, LOCK.target == target, now))


def expire(session: Session, *, now: float) -> None:
    """Open what was closed until now."""
    if one(session, _OVER, {"now": now}) is not None:
        admission.hold(session)
        gone = _open(session, LOCK.until <= now, now)
        journal.record(session, [_expired(target, now) for target in gone])


def _expired(target: str, now: float) -> JournalEntry:
    return JournalEntry(at=now, kind=EntryKind.UNLOCKED, actor=ERRAND, subject=f"lock:{target}", rule="until")


def _open(session: Session, which: ColumnElement[bool], now: float) -> Sequence[str]:
    gone = session.scalars(delete(Lock).where(which).returning(LOCK.target)).all()
    for target in gone:
        scopes = [Scope(target, locks=(target,), whole=True)]
        for scope in admission.waiting_scopes(session) if target == EVERYTHING else scopes:
            admission.opened(session, scope, now=now)
    if gone:
        wake(session, "locks")
    return gone


def end_with_pull(session: Session, repository: str, number: int, *, now: float) -> Sequence[str]:
    """Open what was closed until this pull request is merged or closed; gives the targets."""
    of = and_(LOCK.repository == repository.casefold(), LOCK.pull_request == number)
    if session.scalar(select(LOCK.target).where(of).limit(1)) is None:
        return ()
    admission.hold(session)
    gone = _open(session, of, now)
    ended = [
        JournalEntry(
            at=now, kind=EntryKind.UNLOCKED, actor=ERRAND, subject=f"lock:{target}", rule="until merged"
        )
        for target in gone
    ]
    journal.record(session, ended)
    return gone


def closed(session: Session, *, now: float) -> list[Lock]:
    """Every target that a person closed, by name."""
    valid = or_(LOCK.until.is_(None), LOCK.until > now)
    return list(session.scalars(select(Lock).where(valid).order_by(LOCK.target)))


def standing(session: Session, *, now: float) -> list[Standing]:
    """Every target that a person closed or a run holds, by name."""
    shut_by = {lock.target: lock for lock in closed(session, now=now)}
    going = [RUN.state.in_(UNFINISHED), RUN.admitted == true(), RUN.lock.is_not(None)]
    holders = {
        lock: run for run in session.scalars(select(Run).where(*going)) for lock in run_locks.locks_of(run)
    }
    waiting = _waiting(session)
    return [
        Standing(
            target,
            shut_by.get(target),
            holders.get(target),
            sum(
                count
                for job, lock, count in waiting
                if target == lock
                or (target in (job, EVERYTHING) and target in shut_by and (job is not None or target == lock))
            ),
        )
        for target in sorted({*shut_by, *holders})
    ]


def _waiting(session: Session) -> list[tuple[str | None, str | None, int]]:
    """How many wait by job and lock; for locks that are taken besides the first, without a job."""
    shut = [RUN.state.in_(QUEUED), RUN.admitted == false(), RUN.hold.is_(None)]
    by_first = session.execute(
        select(RUN.job, RUN.lock, func.count()).where(*shut).group_by(RUN.job, RUN.lock)
    )
    others = (
        select(RUN_LOCK.target, func.count())
        .join(Run, RUN.number == RUN_LOCK.run_number)
        .where(RUN_LOCK.held == false(), RUN_LOCK.target != RUN.lock, *shut)
        .group_by(RUN_LOCK.target)
    )
    found: list[tuple[str | None, str | None, int]] = [(job, lock, count) for job, lock, count in by_first]
    return found + [(None, lock, count) for lock, count in session.execute(others)]


def passed(session: Session, run: Run, *, now: float) -> str | None:
    """The first target that who asked for `run` closed themselves, so that it goes on."""
    targets = (*run_locks.locks_of(run), run.job, EVERYTHING)
    shut = {lock.target: lock for lock in closed(session, now=now) if lock.target in targets}
    return next((name for name in targets if name in shut and goes_on(run, shut[name])), None)


def next_expiry(session: Session) -> float | None:
    """When the next lock opens by itself."""
    return session.scalar(select(func.min(LOCK.until)))
