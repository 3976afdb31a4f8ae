"""Which blocks a workspace of Slack did not know: for a day it gets text instead, then it is tried again."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.store import idempotency
from bot.store.columns import IDEMPOTENCY
from bot.tables import Idempotency

KEPT = idempotency.KEEP_KEYS
"""Seconds."""


def refuses(session: Session, team: str, kinds: Collection[str], *, now: float) -> bool:
    """Whether the workspace refused one of these types of block a while ago."""
    keys = [_key(kind) for kind in kinds]
    mine = (IDEMPOTENCY.caller == _caller(team), IDEMPOTENCY.key.in_(keys))
    query = select(IDEMPOTENCY.id).where(*mine, IDEMPOTENCY.created_at > now - KEPT).limit(1)
    return session.scalar(query) is not None


def remember(session: Session, team: str, kinds: Collection[str], *, now: float) -> None:
    """The workspace refused blocks of these types."""
    idempotency.hold(session)
    for kind in sorted(kinds):
        row = Idempotency(caller=_caller(team), key=_key(kind), fingerprint="", created_at=now)
        idempotency.remember(session, row)


def _caller(team: str) -> str:
    return f"slack-workspace:{team}"


def _key(kind: str) -> str:
    return f"block:{kind}"
