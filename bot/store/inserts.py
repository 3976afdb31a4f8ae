"""Inserting what has a key, a number from the database and a name made of that number.

The statements are made once: making one takes longer than SQLite takes to run it.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import String, bindparam, cast, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.columns import key_of, table_of
from bot.store.statements import execute, one
from bot.tables import Build, Run

PART = 1000
"""Rows that one statement names; databases take some ten thousand."""

Numbered = TypeVar("Numbered", Run, Build)


def insert_once(
    session: Session, table: type[Numbered], row: Numbered, *, name: Callable[[int], str]
) -> tuple[Numbered, bool]:
    """Insert `row` unless its key exists; gives the stored row and whether it is this one, now numbered.

    Looking first keeps numbers from being used up by repetitions; the INSERT still decides, because
    another bot may have been faster.
    """
    if one(session, _known(table), {"same": row.key}) is None:
        insert = _insert(table, session.get_bind().dialect.name)
        made = one(session, insert, row.model_dump(exclude={"number"}))
        if made is not None:
            row.number = number = made.number
            row.name = name(number)
            execute(session, _rename(table), {"of": number, "to": row.name})
            return row, True
    columns = table_of(table).c
    return session.scalars(select(table).where(columns.key == row.key)).one(), False


@cache
def _known(table: type[Run | Build]) -> Any:
    return select(key_of(table)).where(table_of(table).c.key == bindparam("same"))


@cache
def _insert(table: type[Run | Build], dialect: str) -> Any:
    """One that does nothing where the key exists, and gives key and number of what it stored."""
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    insert = make(table_of(table)).on_conflict_do_nothing(index_elements=["key"])
    return insert.returning(table_of(table).c.key, key_of(table))


@cache
def _rename(table: type[Run | Build]) -> Any:
    return update(table_of(table)).where(key_of(table) == bindparam("of")).values(name=bindparam("to"))


def insert_all(session: Session, rows: Sequence[Run]) -> list[Run]:
    """Insert runs whose keys do not exist; gives those, with their numbers and names.

    The name becomes `<job>-<number>-<name>`. Far faster for many than `insert_once`: one INSERT, one UPDATE.
    """
    columns, insert = table_of(Run).c, _insert(Run, session.get_bind().dialect.name)
    stored = session.execute(insert, [row.model_dump(exclude={"number"}) for row in rows])
    numbers = {row[0]: row[1] for row in stored}
    new = [row for row in rows if row.key in numbers]
    for row in new:
        row.number = numbers[row.key]
        row.name = f"{row.job}-{row.number}-{row.name}"
    given = list(numbers.values())
    for start in range(0, len(given), PART):
        part = given[start : start + PART]
        name = columns.job + "-" + cast(columns.number, String) + "-" + columns.name
        named = update(table_of(Run)).where(columns.number.in_(part)).values(name=name)
        session.connection().execute(named)
    return new
