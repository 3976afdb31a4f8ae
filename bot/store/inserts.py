"""Inserting what has a key, a number from the database and a name made of that number."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import String, cast, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.columns import table_of
from bot.tables import Build, Run

PART = 1000
"""Rows that one statement names; databases take some ten thousand."""

Numbered = TypeVar("Numbered", Run, Build)


def insert_once(
    session: Session, table: type[Numbered], row: Numbered, *, name: Callable[[int], str]
) -> tuple[Numbered, bool]:
    """Insert `row` unless its key exists; gives the stored row and whether it is this one.

    Looking first keeps numbers from being used up by repetitions; the INSERT still decides, because
    another bot may have been faster.
    """
    columns = table_of(table).c
    same_key = select(table).where(columns.key == row.key)
    found = session.scalar(same_key)
    if found is not None:
        return found, False
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    number = session.scalar(
        make(table)
        .values(row.model_dump(exclude={"number"}))
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(columns.number)
    )
    if number is None:
        return session.scalars(same_key).one(), False
    named = (
        update(table)
        .where(columns.number == number)
        .values(name=name(number))
        .returning(table)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(named).one(), True


def insert_all(session: Session, rows: Sequence[Run]) -> list[Run]:
    """Insert runs whose keys do not exist; gives those, with their numbers and names.

    The name becomes `<job>-<number>-<name>`. Far faster for many than `insert_once`: one INSERT, one UPDATE.
    """
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    columns = table_of(Run).c
    insert = make(Run).on_conflict_do_nothing(index_elements=["key"]).returning(columns.key, columns.number)
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
