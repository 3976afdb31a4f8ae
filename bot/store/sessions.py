"""Logins: those of people, and those with a token that were ended before their time.

Of logins with a token nothing else is kept: their cookie says all there is.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.states import ActorKind, EntryKind
from bot.store import journal
from bot.store.columns import ENDED_SESSION, PERSON_SESSION, table_of
from bot.store.journal_entries import login as login_of
from bot.tables import EndedSession, PersonSession

OF_ONE_PERSON = 20
"""Logins that one person may have at a time."""
LISTED = 500
"""Logins that a list shows."""


def begin_with_token(session: Session, token: str, *, expires_at: float, now: float) -> None:
    """Note that somebody logged in with a token; of the login itself nothing is kept."""
    who = ActorKind.TOKEN.named(token)
    journal.record(session, [login_of(EntryKind.LOGIN_BEGUN, who, now, expires_at=expires_at)])


def end(session: Session, hash: str, *, expires_at: float, now: float) -> bool:
    """Let the login whose cookie has this SHA-256 be over; those whose time is up are forgotten.

    A ticket to log in with is over the same way; False: it was already.
    """
    session.execute(delete(EndedSession).where(ENDED_SESSION.expires_at <= now))
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"hash": hash, "expires_at": expires_at}
    added = make(table_of(EndedSession)).values(row).on_conflict_do_nothing().returning(ENDED_SESSION.hash)
    return session.scalar(added) is not None


def log_out(session: Session, hash: str, *, token: str, expires_at: float, now: float) -> None:
    """Let somebody end the login with a token whose cookie has this SHA-256, once."""
    if end(session, hash, expires_at=expires_at, now=now):
        journal.record(session, [login_of(EntryKind.LOGIN_ENDED, ActorKind.TOKEN.named(token), now)])


def has_ended(session: Session, hash: str) -> bool:
    """Whether somebody logged out of it."""
    return session.get(EndedSession, hash) is not None


def open_for(session: Session, row: PersonSession) -> None:
    """Begin the login of a person; those whose time is up are forgotten, and of very many the oldest end."""
    session.execute(delete(PersonSession).where(PERSON_SESSION.expires_at <= row.created_at))
    session.add(row)
    session.flush()
    theirs = select(PERSON_SESSION.id).where(PERSON_SESSION.login == row.login)
    newest = theirs.order_by(PERSON_SESSION.id.desc()).limit(OF_ONE_PERSON)
    beyond = (PERSON_SESSION.login == row.login, PERSON_SESSION.id.not_in(newest))
    session.execute(delete(PersonSession).where(*beyond))
    entry = login_of(
        EntryKind.LOGIN_BEGUN,
        ActorKind.GITHUB.named(row.login),
        row.created_at,
        number=row.number,
        address=row.address,
        agent=row.agent,
        expires_at=row.expires_at,
    )
    journal.record(session, [entry])


def of_person(session: Session, hash: str, *, now: float) -> PersonSession | None:
    """The login whose cookie has this SHA-256, while it lasts."""
    going = (PERSON_SESSION.hash == hash, PERSON_SESSION.expires_at > now)
    return session.scalar(select(PersonSession).where(*going))


def of_people(session: Session, *, now: float, limit: int, login: str | None = None) -> list[PersonSession]:
    """The newest logins that go on, of everybody or of one person."""
    going = select(PersonSession).where(PERSON_SESSION.expires_at > now)
    if login is not None:
        going = going.where(PERSON_SESSION.login == login)
    return list(session.scalars(going.order_by(PERSON_SESSION.id.desc()).limit(limit)))


def end_person(session: Session, *, now: float, hash: str | None = None, login: str | None = None) -> int:
    """End the login with this cookie, or all of a person, as they want it; gives how many."""
    which = PERSON_SESSION.hash == hash if hash is not None else PERSON_SESSION.login == login
    return len(_ended(session, which, None, now))


def end_numbered(
    session: Session, number: int, *, by: str, now: float, login: str | None = None
) -> str | None:
    """End the login of this number, of anybody or of one person alone; gives whose it was, or None."""
    which = [PERSON_SESSION.id == number] + ([PERSON_SESSION.login == login] if login is not None else [])
    ended = _ended(session, and_(*which), by, now)
    return ended[0] if ended else None


def _ended(session: Session, which: ColumnElement[bool], by: str | None, now: float) -> list[str]:
    """End logins, and tell the journal; gives whose they were."""
    gone = delete(PersonSession).where(which).returning(PERSON_SESSION.id, PERSON_SESSION.login)
    rows = session.execute(gone).all()
    logins = [(row.id, ActorKind.GITHUB.named(row.login)) for row in rows]
    ended = EntryKind.LOGIN_ENDED
    journal.record(session, [login_of(ended, who, now, by=by, number=number) for number, who in logins])
    return [row.login for row in rows]
