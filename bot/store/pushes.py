"""Pushes that were decided: each once, and none that is older than what the branch or the tag is at.

A delivery's id is not signed, and GitHub sends a push to an App and to the webhook of a repository under two
ids. What is signed is the repository, the ref, what it pointed to before and after, and when.
"""

from typing import Any, Literal, Protocol, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session, aliased

from bot.store import admission
from bot.store.columns import PUSH
from bot.tables import PushSeen

Order = Literal["new", "again", "same", "older"]
"""`again`: the branch came back to where it was and was pushed anew, so it is no repetition."""

IS_DELETION = PUSH.after.like("0" * 40 + "%")


class Pushed(Protocol):
    """What is signed of a push, and the delivery that it came by."""

    before: str
    after: str
    pushed_at: float | None
    delivery_id: int


def place(session: Session, row: PushSeen) -> Order:
    """Where this push belongs among those that were decided; a new one is the newest from then on.

    No other bot decides one before the transaction has ended. The lock is the gate's: who starts a run takes
    that anyway, and two locks could be taken in either order.
    """
    admission.hold(session)
    here = (PUSH.repository == row.repository, PUSH.ref == row.ref)
    newest = session.scalar(select(PushSeen).where(*here).order_by(PUSH.id.desc()).limit(1))
    same = (*here, PUSH.before == row.before, PUSH.after == row.after)
    known = session.scalar(select(PushSeen).where(*same))
    order = compared(row, newest, known)
    if order in ("new", "again"):
        if known is not None:
            session.delete(known)
            session.flush()
        session.add(row)
        session.flush()
    return order


def compared(row: PushSeen, newest: Pushed | None, known: PushSeen | None) -> Order:
    """The same from what is known: `newest` of its ref, and `known`, which said the same. Pure."""
    if newest is None:
        return "new"
    if (
        row.before == row.after == newest.after
    ):  # some GitHubs tell a push twice, the second time as no change
        return "same"
    later = _later(row, newest)
    if known is not None:
        returned = known is not newest and newest.after == row.before and later is True
        return "again" if returned else "same"
    if later is not None:
        return "new" if later else "older"
    follows, precedes = row.before == newest.after, row.after == newest.before
    if follows != precedes:
        return "new" if follows else "older"
    return "new" if row.delivery_id > newest.delivery_id else "older"


def _later(row: PushSeen, newest: Pushed) -> bool | None:
    """Whether GitHub says that this push came later; None within one second, or where it does not say."""
    if row.pushed_at is None or newest.pushed_at is None or row.pushed_at == newest.pushed_at:
        return None
    return row.pushed_at > newest.pushed_at


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` pushes from before a moment, but never the newest of a ref that exists."""
    newer = aliased(PushSeen)
    newer_columns = cast("Any", newer)
    followed = (
        select(newer_columns.id)
        .where(
            newer_columns.repository == PUSH.repository,
            newer_columns.ref == PUSH.ref,
            newer_columns.id > PUSH.id,
        )
        .exists()
    )
    old = select(PUSH.id).where(PUSH.decided_at < before, followed | IS_DELETION).limit(limit)
    done = session.execute(
        delete(PushSeen).where(PUSH.id.in_(old)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount
