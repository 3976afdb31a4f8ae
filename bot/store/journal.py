"""The journal: who asked, who said yes or no, what was changed, and by which rule that was decided.

`record` belongs into the transaction of what it tells of, so that there is never one without the other. No
code changes an entry and none removes a single one; the database refuses both, but for what is old.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from bot.access import people
from bot.states import ActorKind, EntryKind
from bot.store.columns import JOURNAL, table_of
from bot.store.prepared import Prepared
from bot.store.statements import run_all
from bot.store.wakeups import wake
from bot.tables import JournalEntry
from bot.text.masking import masked

Condition = ColumnElement[bool]

LONGEST = 300
"""Characters of a name in an entry."""
LONGEST_TEXT = 600
"""Characters of a text among its facts."""
MOST = 50
"""Facts of an entry, and values of one of them; what is beyond is left out."""
DEEPEST = 4
"""Facts within facts that are kept."""
DAY = 86400.0
MOST_REFUSED_OF_ONE = 100
"""Refusals of one person that are told in a day: whoever may nothing must not be able to fill the disk."""
MOST_REFUSED = 5_000
"""Refusals that are told in a day."""
_IS_REFUSED = JOURNAL.kind == literal(EntryKind.REFUSED.value, literal_execute=True)
"""Written into the statement, so that the database sees that its indexes of refusals serve it."""
SKEW = 600.0
"""Seconds by which the moments of entries may be out of order, as where several bots record."""
AHEAD = 1000
"""Entries that others may have recorded meanwhile, which have numbers out of order then."""


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
        return masked(value, name)[:LONGEST_TEXT]
    if isinstance(value, Mapping):
        if depth >= DEEPEST:
            return {}
        few = list(value.items())[:MOST]
        return {str(key)[:LONGEST]: _fact(str(key), each, depth + 1) for key, each in few}
    if isinstance(value, Sequence):
        return [] if depth >= DEEPEST else [_fact(name, each, depth + 1) for each in value[:MOST]]
    return (
        value if value is None or isinstance(value, bool | int | float) else masked(str(value))[:LONGEST_TEXT]
    )


def refuse(session: Session, entries: Iterable[JournalEntry]) -> None:
    """Add what was refused, but no more of one person and of all than a day may fill.

    The last one that is told says that more is not.
    """
    for entry in entries:
        since = entry.at - DAY
        theirs = select(JOURNAL.id).where(_IS_REFUSED, JOURNAL.at > since)
        mine = theirs.where(JOURNAL.person == people.identity(entry.actor)[:LONGEST])
        left = min(
            MOST_REFUSED - _count(session, _recent(session, since), MOST_REFUSED),
            MOST_REFUSED_OF_ONE - _count(session, mine, MOST_REFUSED_OF_ONE),
        )
        if left == 1:
            entry.facts = {**entry.facts, "unlisted": True}
        if left > 0:
            record(session, [entry])


def _recent(session: Session, since: float) -> Select[Any]:
    """The refusals since a moment, by the order in which they were recorded."""
    early = select(JOURNAL.id).where(JOURNAL.at > since).order_by(JOURNAL.at, JOURNAL.id).limit(1)
    first = session.scalar(early)
    return select(JOURNAL.id).where(_IS_REFUSED, false() if first is None else JOURNAL.id >= first)


def _count(session: Session, query: Select[Any], most: int) -> int:
    return session.scalar(select(func.count()).select_from(query.limit(most).subquery())) or 0


def refusals(session: Session, *, job: str, repository: str, limit: int) -> Sequence[JournalEntry]:
    """The last times that somebody was not allowed to start the job, for people of the repository."""
    mine = (_IS_REFUSED, JOURNAL.job == job, JOURNAL.repository == repository.casefold())
    query = select(JournalEntry).where(*mine).order_by(JOURNAL.id.desc()).limit(limit)
    return session.scalars(query).all()


@cache
def _insert() -> Prepared:
    columns = [column for column in JOURNAL if column.name != "id"]
    parameters = {column.name: bindparam(column.name, type_=column.type) for column in columns}
    return Prepared(insert(table_of(JournalEntry)).values(parameters))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries: those that meet all that is given. Moments are seconds since the epoch.

    `actor` is a person under any of their names, also without a kind (`octocat`); `until` is excluded.
    """

    since: float | None = None
    until: float | None = None
    actor: str | None = None
    job: str | None = None
    kinds: tuple[str, ...] = ()
    run: int | None = None
    repository: str | None = None


EVERYTHING = Selection()


def newest(
    session: Session, which: Selection = EVERYTHING, *, limit: int, before: int | None = None
) -> list[JournalEntry]:
    """The last entries, newest first, those with a smaller number than `before` where that is given."""
    bounds = [] if before is None else [JOURNAL.id < before]
    return _read(session, which, bounds, limit, newest_first=True)


def following(
    session: Session, which: Selection = EVERYTHING, *, after: int, limit: int
) -> list[JournalEntry]:
    """The first entries with a greater number than `after`, oldest first."""
    return _read(session, which, [JOURNAL.id > after], limit, newest_first=False)


def last(session: Session) -> int:
    """The number of the newest entry; 0 where there is none."""
    return session.scalar(select(func.max(JOURNAL.id))) or 0


def _read(
    session: Session, which: Selection, bounds: Sequence[Condition], limit: int, *, newest_first: bool
) -> list[JournalEntry]:
    """One query for each person and each kind that may be meant, so that an index gives each in order."""
    span = _span(session, which)
    if span is None:
        return []
    found: dict[int, JournalEntry] = {}
    order = JOURNAL.id.desc() if newest_first else JOURNAL.id
    for person in _people(session, which.actor):
        for kind in which.kinds or (None,):
            exact = [] if person is None else [JOURNAL.person == person]
            exact += [] if kind is None else [JOURNAL.kind == kind]
            query = select(JournalEntry).where(*span, *bounds, *_conditions(which), *exact)
            found.update((row.number, row) for row in session.scalars(query.order_by(order).limit(limit)))
    return [found[number] for number in sorted(found, reverse=newest_first)[:limit]]


def _conditions(which: Selection) -> list[Condition]:
    conditions: list[Condition] = []
    if which.job is not None:
        conditions.append(JOURNAL.job == which.job)
    if which.run is not None:
        conditions.append(JOURNAL.run == which.run)
    if which.repository is not None:
        conditions.append(JOURNAL.repository == which.repository.casefold())
    return conditions


def _span(session: Session, which: Selection) -> list[Condition] | None:
    """The conditions of time, with the numbers that entries of that time have; None where there are none."""
    conditions: list[Condition] = []
    if which.since is not None:
        early = select(JOURNAL.id).where(JOURNAL.at >= which.since - SKEW).order_by(JOURNAL.at, JOURNAL.id)
        first = session.scalar(early.limit(1))
        if first is None:
            return None
        conditions += [JOURNAL.at >= which.since, JOURNAL.id >= first - AHEAD]
    if which.until is not None:
        late = select(JOURNAL.id).where(JOURNAL.at > which.until + SKEW).order_by(JOURNAL.at, JOURNAL.id)
        after = session.scalar(late.limit(1))
        conditions += [JOURNAL.at < which.until] + ([] if after is None else [JOURNAL.id <= after + AHEAD])
    return conditions


def _people(session: Session, actor: str | None) -> Sequence[str | None]:
    """Who may be meant by a name, of those who are in the journal; one without a kind may be of any."""
    if actor is None:
        return [None]
    names = [actor, *(kind.named(actor) for kind in ActorKind)] if ":" not in actor else [actor]
    meant = dict.fromkeys(people.identity(name) for name in names)
    first = select(JOURNAL.id).limit(1)
    return [each for each in meant if session.scalar(first.where(JOURNAL.person == each)) is not None]


MAKERS = 5
"""Makers of one name that are looked for, the last first; as often tokens made with tokens are followed."""


def makers_of(session: Session, actor: str) -> Sequence[str]:
    """Who made a token or a hook (`token:NAME`, `hook:JOB/NAME`), as far back as is kept.

    A name may be used again. What was made with a token is made by who made that as well.
    """
    made = JOURNAL.kind.in_((EntryKind.TOKEN_CREATED, EntryKind.HOOK_CREATED))
    found: dict[str, None] = {}
    subjects = [actor]
    for _ in range(MAKERS):
        makers: list[str] = []
        for subject in subjects:
            mine = select(JOURNAL.actor).where(made, JOURNAL.subject == subject)
            makers += session.scalars(mine.order_by(JOURNAL.id.desc()).limit(MAKERS))
        subjects = [maker for maker in dict.fromkeys(makers) if maker not in found][:MAKERS]
        found.update(dict.fromkeys(subjects))
        subjects = [each for each in subjects if each.startswith(f"{ActorKind.TOKEN}:")]
    return list(found)


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` entries from before a moment, oldest first; the only way in which any goes."""
    old = select(JOURNAL.id).where(JOURNAL.at < before).order_by(JOURNAL.id).limit(limit)
    gone = delete(JournalEntry).where(JOURNAL.id.in_(old)).execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(gone)).rowcount
