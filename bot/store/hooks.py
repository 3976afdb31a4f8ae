"""Deploy hooks: each opens one job, and only the hash of its token is kept."""

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.store.columns import HOOK
from bot.tables import Hook

MOST = 50
"""Hooks of one job."""


def add(session: Session, hook: Hook) -> Hook:
    """Keep a new hook; `ValueError` when the job has one of that name, or too many."""
    mine = select(HOOK.name).where(HOOK.job == hook.job).limit(MOST)
    names = session.scalars(mine).all()
    if hook.name in names:
        raise ValueError(f"{hook.job} has a hook of that name already.")
    if len(names) >= MOST:
        raise ValueError(f"{hook.job} has {MOST} hooks already; delete one first.")
    session.add(hook)
    try:
        session.flush()
    except IntegrityError:  # another bot was faster
        raise ValueError(f"{hook.job} has a hook of that name already.") from None
    return hook


def by_hash(session: Session, hash: str) -> Hook | None:
    """The hook whose token has this SHA-256."""
    return session.scalar(select(Hook).where(HOOK.hash == hash))


def touch(session: Session, id: int, *, by: str, now: float) -> bool:
    """Note that a hook is used, and by what; False where it is no more, so that nothing may come of it."""
    used = update(Hook).where(HOOK.id == id).values(last_used_at=now, last_used_by=by).returning(HOOK.id)
    return session.scalar(used.execution_options(synchronize_session=False)) is not None


def remove(session: Session, *, job: str, name: str) -> bool:
    """Forget a hook; False where there is none."""
    mine = delete(Hook).where(HOOK.job == job, HOOK.name == name).returning(HOOK.id)
    return session.scalar(mine) is not None


def forget(session: Session, job: str) -> None:
    """Forget all hooks of a job that is no more: another one of its name must not be opened by them."""
    session.execute(delete(Hook).where(HOOK.job == job))


def list(session: Session, *, job: str | None = None) -> Sequence[Hook]:
    """All hooks by job and name, or those of one job."""
    query = select(Hook).order_by(HOOK.job, HOOK.name)
    return session.scalars(query if job is None else query.where(HOOK.job == job)).all()
