"""Locks of people: a target (a lock of jobs, or a job) is closed until a time, or until somebody opens it."""

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from bot.store import gate
from bot.store.bells import ring
from bot.store.columns import LOCK
from bot.tables import Lock


def get(session: Session, target: str, *, now: float) -> Lock | None:
    """The lock on `target`, unless its time has passed."""
    found = session.get(Lock, target)
    return found if found is not None and (found.until is None or found.until > now) else None


def add(session: Session, lock: Lock, *, now: float) -> Lock | None:
    """Close a target; gives the lock of somebody else who closed it before, and then changes nothing.

    What has begun goes on. Closing it again changes one's own reason and time.
    """
    gate.hold(session)
    before = get(session, lock.target, now=now)
    if before is not None and before.actor != lock.actor:
        return before
    session.merge(lock)
    session.flush()
    gate.shut(session, lock.target, now=now)
    ring(session, "locks")
    return None


def remove(session: Session, target: str, *, now: float) -> bool:
    """Open a target; False where it was not closed."""
    gate.hold(session)
    return _open(session, LOCK.target == target, now)


def expire(session: Session, *, now: float) -> None:
    """Open what was closed until now."""
    if session.scalar(select(LOCK.target).where(LOCK.until <= now).limit(1)) is not None:
        gate.hold(session)
        _open(session, LOCK.until <= now, now)


def _open(session: Session, which: ColumnElement[bool], now: float) -> bool:
    gone = session.scalars(delete(Lock).where(which).returning(LOCK.target)).all()
    for target in gone:
        gate.opened(session, job=target, lock=target, now=now)
    return bool(gone)


def next_expiry(session: Session) -> float | None:
    """When the next lock opens by itself."""
    return session.scalar(select(func.min(LOCK.until)))
