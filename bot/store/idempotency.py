"""Requests that may come twice: what each asked for, and the run that came of it."""

from typing import Any, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from bot.store import admission
from bot.store.columns import IDEMPOTENCY
from bot.tables import Idempotency

KEEP_KEYS = 86400.0
"""Seconds that an idempotency key is kept."""


def find(session: Session, caller: str, key: str, *, since: float) -> Idempotency | None:
    """What this caller asked for under this key since a moment."""
    mine = (IDEMPOTENCY.caller == caller, IDEMPOTENCY.key == key)
    return session.scalar(select(Idempotency).where(*mine, IDEMPOTENCY.created_at > since))


def hold(session: Session) -> None:
    """Let no other bot remember anything before this transaction has ended; call it before `find`.

    It is the gate's: who starts a run takes that anyway, and two locks could be taken in either order.
    """
    admission.hold(session)


def remember(session: Session, row: Idempotency) -> None:
    """Keep a request; one of the same caller and key that is too old to count makes way."""
    mine = (IDEMPOTENCY.caller == row.caller, IDEMPOTENCY.key == row.key)
    session.execute(delete(Idempotency).where(*mine))
    session.add(row)
    session.flush()


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` requests from before a moment; gives how many."""
    old = select(IDEMPOTENCY.id).where(IDEMPOTENCY.created_at < before).limit(limit)
    gone = session.execute(
        delete(Idempotency).where(IDEMPOTENCY.id.in_(old)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount
