"""API tokens, of which only the hashes are kept."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.access.callers import LOCAL
from bot.access.scopes import READ, ordered
from bot.states import EntryKind
from bot.store import journal
from bot.store.columns import TOKEN
from bot.store.journal_entries import of_admin
from bot.tables import Token

TOUCH_S = 60.0
"""A token's last use is noted at most this often, seconds: reading the API should hardly ever write."""


def revoke(session: Session, *, by: str, name: str, now: float) -> bool:
    """Forget a token because `by` says so, and say that in the journal; False when there was none."""
    gone = remove(session, name=name)
    if gone:
        journal.record(session, [of_admin(EntryKind.TOKEN_REVOKED, by, f"token:{name}", now)])
    return gone


def add(
    session: Session,
    *,
    name: str,
    hash: str,
    now: float,
    scopes: Iterable[str] = (READ,),
    expires_at: float | None = None,
) -> Token:
    """Keep a new token; `ValueError` when the name is taken or `LOCAL`, or a scope is none."""
    if name.strip().casefold() == LOCAL:
        raise ValueError(f"{LOCAL} is what history calls the command line beside Errand; no token may be.")
    token = Token(name=name, hash=hash, created_at=now, scopes=ordered(scopes), expires_at=expires_at)
    session.add(token)
    try:
        session.flush()
    except IntegrityError:
        raise ValueError(f"There is a token called {name} already.") from None
    return token


def by_hash(session: Session, hash: str) -> Token | None:
    """The token whose text has this SHA-256."""
    return session.scalar(select(Token).where(TOKEN.hash == hash))


def named(session: Session, name: str) -> Token | None:
    """The token of this name."""
    return session.scalar(select(Token).where(TOKEN.name == name))


def touch(session: Session, id: int, *, now: float) -> None:
    """Note that a token was used, unless that was noted within the last minute."""
    stale = or_(TOKEN.last_used_at.is_(None), TOKEN.last_used_at < now - TOUCH_S)
    session.execute(update(Token).where(TOKEN.id == id, stale).values(last_used_at=now))


def remove(session: Session, *, name: str) -> bool:
    """Forget a token; False when there was none of that name."""
    return session.scalar(delete(Token).where(TOKEN.name == name).returning(TOKEN.id)) is not None


def list(session: Session) -> Sequence[Token]:
    """All tokens by name."""
    return session.scalars(select(Token).order_by(TOKEN.name)).all()
