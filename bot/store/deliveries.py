"""Deliveries: stored fast, claimed by one bot, settled, forgotten after some days."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Literal, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    bindparam,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from bot.store.claims import Claim
from bot.store.columns import DELIVERY, table_of
from bot.store.leases import LeaseLost
from bot.store.statements import execute
from bot.store.wakeups import wake
from bot.tables import Delivery

ROWS = 64
"""Most rows of one INSERT."""

IGNORED = literal("ignored", literal_execute=True)
"""Written into the statement, so that the database sees that its index of the ignored ones serves it."""

FAILED = literal("failed", literal_execute=True)
"""As `IGNORED`."""

_CLAIM = Claim(Delivery, [DELIVERY.state == "stored"])

_HEAD = (
    "INSERT INTO deliveries (key, source, event, media_type, body, received_at, "
    "state, due_at, attempts, lease_until) VALUES "
)
_ROW = "(?, ?, ?, ?, ?, ?, 'stored', 0, 0, 0)"
_TAIL = " ON CONFLICT (key) DO NOTHING"

Row = tuple[str, str, str, str, bytes, float]
"""key, source, event, media type, body, received at: what an INSERT takes of a delivery."""


def insert(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert `rows`; those whose key exists already are left alone.

    One statement with many rows, not the driver's `executemany`: that gives the interpreter lock away
    for every single row, and waits to have it back from the busy event loop.
    """
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        values = tuple(chain.from_iterable(some))
        connection.exec_driver_sql(_insert_sql(connection.dialect.paramstyle, len(some)), values)


def insert_at_once(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert up to `ROWS` rows and commit, in a single call of SQLite's driver."""
    driver: Any = connection.connection.driver_connection
    driver.execute(_insert_sql("qmark", len(rows)), tuple(chain.from_iterable(rows)))


@lru_cache(maxsize=2 * ROWS)
def _insert_sql(paramstyle: str, size: int) -> str:
    """The INSERT of `size` rows: SQLite's and PostgreSQL's differ only in how a parameter is written."""
    sql = _HEAD + ", ".join([_ROW] * size) + _TAIL
    return sql if paramstyle == "qmark" else sql.replace("?", "%s")


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[Delivery]:
    """Take up to `limit` stored deliveries that are due and that nobody holds, for `lease` seconds."""
    return _CLAIM.take(session, owner=owner, span=(now, lease), limit=limit)


def settle(
    session: Session,
    id: int,
    *,
    owner: str,
    state: Literal["handled", "ignored", "failed"],
    note: str | None = None,
) -> None:
    """The end of a delivery that `owner` holds; `note` says why it was ignored or failed.

    Raises `LeaseLost`, so that the transaction which carries out what the delivery asks for does nothing
    where another bot has it.
    """
    _change(session, id, owner, state=state, note=note)


def retry(session: Session, id: int, *, owner: str, due_at: float, note: str) -> None:
    """Let a delivery that `owner` holds be claimed again from `due_at` on; raises `LeaseLost`."""
    _change(session, id, owner, due_at=due_at, note=note)
    wake(session, "deliveries")


def _change(session: Session, id: int, owner: str, **values: Any) -> None:
    new = {f"new_{name}": value for name, value in values.items()}
    changed = execute(session, _settlement(tuple(values)), {"of": id, "owner": owner, **new})
    if not changed.rowcount:
        raise LeaseLost(f"delivery {id} is not held by {owner}")


@cache
def _settlement(names: tuple[str, ...]) -> Any:
    mine = [DELIVERY.id == bindparam("of"), DELIVERY.lease_owner == bindparam("owner")]
    values = {name: bindparam(f"new_{name}", type_=DELIVERY[name].type) for name in names}
    return (
        update(table_of(Delivery))
        .where(*mine, DELIVERY.state == "stored")
        .values(**values, lease_owner=None, lease_until=0.0)
    )


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A delivery that failed, without what it holds; `note` says why."""

    number: int
    key: str
    source: str
    event: str
    received_at: float
    note: str | None


def given_up(session: Session, *, limit: int, before: int | None = None) -> list[GivenUp]:
    """Up to `limit` deliveries that failed, the newest first; those with a smaller number than `before`."""
    columns = DELIVERY.id.label("number"), *(DELIVERY[name] for name in _SHOWN)
    query = select(*columns).where(DELIVERY.state == FAILED).order_by(DELIVERY.id.desc()).limit(limit)
    rows = session.execute(query if before is None else query.where(DELIVERY.id < before))
    return [GivenUp(**row) for row in rows.mappings()]


_SHOWN = ("key", "source", "event", "received_at", "note")


def again(session: Session, number: int) -> bool:
    """Let a delivery that failed be decided anew; False where there is no such one."""
    failed = update(Delivery).where(DELIVERY.id == number, DELIVERY.state == "failed")
    changed = session.scalar(
        failed.values(state="stored", attempts=0, due_at=0.0, note=None)
        .returning(DELIVERY.id)
        .execution_options(synchronize_session=False)
    )
    if changed is not None:
        wake(session, "deliveries")
    return changed is not None


def prune(session: Session, *, before: float, limit: int, ignored: bool = False) -> int:
    """Forget up to `limit` deliveries that came before `before`: those `ignored`, or the other settled ones.

    Gives how many.
    """
    state = DELIVERY.state == IGNORED if ignored else DELIVERY.state.not_in(("stored", "ignored"))
    old = select(DELIVERY.id).where(DELIVERY.received_at < before, state).limit(limit)
    gone = session.execute(
        delete(Delivery).where(DELIVERY.id.in_(old)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount


def next_end(session: Session, *, keep: float, keep_ignored: float) -> float | None:
    """When the next delivery may have to go; never too late, but too early where one is still undecided."""
    oldest = session.scalar(select(func.min(DELIVERY.received_at)))
    oldest_ignored = session.scalar(select(func.min(DELIVERY.received_at)).where(DELIVERY.state == IGNORED))
    ends = [oldest + keep] if oldest is not None else []
    if oldest_ignored is not None:
        ends.append(oldest_ignored + keep_ignored)
    return min(ends, default=None)
