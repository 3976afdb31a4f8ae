"""Deliveries: stored fast, claimed by one bot, settled, forgotten after some days."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, cast

from sqlalchemy import Connection, CursorResult, Dialect, bindparam, delete, literal_column, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.bells import ring
from bot.store.claims import claim as claim_rows
from bot.store.columns import DELIVERY, table_of
from bot.tables import Delivery

_COLUMNS = ("key", "source", "event", "media_type", "body", "received_at")

_ROWS = 32
"""Most rows of one INSERT; powers of two below it serve the rest, so few statements are ever prepared."""


def insert(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows` (values of `_COLUMNS`); those whose key exists already are left alone.

    One statement with many rows, not the driver's `executemany`: that gives the interpreter lock away
    for every single row, and waits to have it back from the busy event loop.
    """
    start = 0
    while start < len(rows):
        size = min(_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        values = tuple(value for row in rows[start : start + size] for value in row)
        connection.exec_driver_sql(_insert_sql(connection.dialect, size), values)
        start += size


@lru_cache(maxsize=32)
def _insert_sql(dialect: Dialect, size: int) -> str:
    """The INSERT of `size` rows; its parameters are the rows' values, one row after the other."""
    table = table_of(Delivery)
    known: dict[str, Any] = {
        "state": literal_column("'stored'"),
        "due_at": literal_column("0"),
        "attempts": literal_column("0"),
        "lease_until": literal_column("0"),
    }
    rows = [
        {column: bindparam(f"{column}_{n}", type_=table.c[column].type) for column in _COLUMNS} | known
        for n in range(size)
    ]
    make = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    return str(
        make(table).values(rows).on_conflict_do_nothing(index_elements=["key"]).compile(dialect=dialect)
    )


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[Delivery]:
    """Take up to `limit` stored deliveries that are due and that nobody holds, for `lease` seconds."""
    open_ = DELIVERY.state == "stored"
    return claim_rows(session, Delivery, [open_], owner=owner, span=(now, now + lease), limit=limit)


def settle(
    session: Session, id: int, *, state: Literal["handled", "ignored", "failed"], note: str | None = None
) -> None:
    """The end of a delivery; `note` says why it was ignored or failed."""
    session.execute(
        update(Delivery)
        .where(DELIVERY.id == id, DELIVERY.state == "stored")
        .values(state=state, note=note, lease_owner=None, lease_until=0.0)
    )


def retry(session: Session, id: int, *, due_at: float, note: str) -> None:
    """Let it be claimed again from `due_at` on."""
    session.execute(
        update(Delivery)
        .where(DELIVERY.id == id, DELIVERY.state == "stored")
        .values(due_at=due_at, note=note, lease_owner=None, lease_until=0.0)
    )
    ring(session, "deliveries")


def prune(session: Session, *, before: float) -> int:
    """Forget settled deliveries that came before `before`; gives how many."""
    gone = session.execute(
        delete(Delivery)
        .where(DELIVERY.received_at < before, DELIVERY.state != "stored")
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount
