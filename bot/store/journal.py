"""The journal: who asked, who said yes or no, what was changed, and by which rule that was decided.

`record` belongs into the transaction of what it tells of, so that there is never one without the other. No
code changes an entry and none removes a single one; the database refuses both, but for what is old.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from bot.access import people
from bot.states import EntryKind
from bot.store.columns import JOURNAL, table_of
from bot.store.prepared import Prepared
from bot.store.statements import run_all
from bot.store.wakeups import wake
from bot.tables import JournalEntry
from bot.text.masking import masked

LONGEST = 300
"""Characters of a name in an entry, and of a text among its facts."""
MOST = 50
"""Facts of an entry, and values of one of them; what is beyond is left out."""
DEEPEST = 4
"""Facts within facts that are kept."""


def record(session: Session, entries: Iterable[JournalEntry]) -> None:
    """Add entries, in order; their texts are cut to a length and what looks like a secret is masked."""
    rows = [_values(entry) for entry in entries]
    if rows:
        run_all(session, _insert(), rows)
        wake(session, "journal")


def _values(entry: JournalEntry) -> dict[str, Any]:
    repository = entry.repository
    return {
        "at": entry.at,
        "kind": str(entry.kind),
        "actor": entry.actor[:LONGEST],
        "person": people.identity(entry.actor)[:LONGEST],
        "cause": None if entry.cause is None else str(entry.cause),
        "subject": masked(entry.subject)[:LONGEST],
        "job": entry.job,
        "run": entry.run,
        "repository": None if repository is None else repository.casefold()[:LONGEST],
        "rule": None if entry.rule is None else masked(entry.rule)[:LONGEST],
        "facts": {name: _fact(name, value) for name, value in list(entry.facts.items())[:MOST]},
    }


def _fact(name: str, value: Any, depth: int = 1) -> Any:
    """A value that may be kept as the fact `name`."""
    if isinstance(value, str):
        return masked(value, name)[:LONGEST]
    if isinstance(value, Mapping):
        if depth >= DEEPEST:
            return {}
        few = list(value.items())[:MOST]
        return {str(key)[:LONGEST]: _fact(str(key), each, depth + 1) for key, each in few}
    if isinstance(value, Sequence):
        return [] if depth >= DEEPEST else [_fact(name, each, depth + 1) for each in value[:MOST]]
    return value if value is None or isinstance(value, bool | int | float) else masked(str(value))[:LONGEST]


@cache
def _insert() -> Prepared:
    columns = [column for column in JOURNAL if column.name != "id"]
    parameters = {column.name: bindparam(column.name, type_=column.type) for column in columns}
    return Prepared(insert(table_of(JournalEntry)).values(parameters))


def newest(session: Session, *, limit: int) -> Sequence[JournalEntry]:
    """The last entries, newest first."""
    return session.scalars(select(JournalEntry).order_by(JOURNAL.id.desc()).limit(limit)).all()


def makers_of(session: Session, token: str) -> Sequence[str]:
    """Who made a token (`token:NAME`), the last first, as far back as is kept; a name may be used again."""
    mine = (JOURNAL.kind == EntryKind.TOKEN_CREATED, JOURNAL.subject == token)
    return session.scalars(select(JOURNAL.actor).where(*mine).order_by(JOURNAL.id.desc()).limit(5)).all()


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` entries from before a moment, oldest first; the only way in which any goes."""
    old = select(JOURNAL.id).where(JOURNAL.at < before).order_by(JOURNAL.id).limit(limit)
    gone = delete(JournalEntry).where(JOURNAL.id.in_(old)).execution_options(synchronize_session=False)
    return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]
