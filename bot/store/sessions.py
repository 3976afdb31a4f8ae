"""Logins that were ended before their time. Those that go on are nowhere: their cookie says all there is."""

from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.columns import ENDED_SESSION, table_of
from bot.tables import EndedSession


def end(session: Session, hash: str, *, expires_at: float, now: float) -> None:
    """Let the login whose cookie has this SHA-256 be over; those whose time is up are forgotten."""
    session.execute(delete(EndedSession).where(ENDED_SESSION.expires_at <= now))
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"hash": hash, "expires_at": expires_at}
    session.execute(make(table_of(EndedSession)).values(row).on_conflict_do_nothing())


def has_ended(session: Session, hash: str) -> bool:
    """Whether somebody logged out of it."""
    return session.get(EndedSession, hash) is not None
