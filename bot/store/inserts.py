"""Inserting what has a key, a number from the database and a name made of that number.

The statements are made once: making one takes longer than SQLite takes to run it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Integer, String, bindparam, cast, column, exists, func, select, update
from sqlalchemy import table as sql_table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.columns import key_of, table_of
from bot.store.prepared import Prepared
from bot.store.statements import execute, one
from bot.tables import Build, Run

PART = 1000
"""Rows that one statement names; databases take some ten thousand."""

Numbered = TypeVar("Numbered", Run, Build)


def insert_once(
    session: Session, table: type[Numbered], row: Numbered, *, prefix: str, suffix: str
) -> tuple[Numbered, bool]:
    """Insert `row` unless its key exists; gives the stored row and whether it is this one, now numbered.

    Its name becomes `prefix`, its number, `suffix`. The number is not used up where the key exists; where
    another bot is faster, it is.
    """
    values = row.model_dump(exclude={"number", "name"}) | {"prefix": prefix, "suffix": suffix}
    made = one(session, _insert_new(table, session.get_bind().dialect.name), values)
    if made is None:
        columns = table_of(table).c
        return session.scalars(select(table).where(columns.key == row.key)).one(), False
    row.number, row.name = made.number, f"{prefix}{made.number}{suffix}"
    if made.name != row.name:
        execute(session, _rename(table), {"of": made.number, "to": row.name})
    return row, True


@cache
def _insert_new(table: type[Run | Build], dialect: str) -> Prepared:
    """The INSERT of one row, which looks for its key; gives its number and its name.

    SQLite keeps the last number that was given, so the name is made with it.
    """
    columns, key = table_of(table).c, key_of(table)
    prefix, suffix = bindparam("prefix", type_=String), bindparam("suffix", type_=String)
    values: dict[str, Any] = {each.name: bindparam(each.name, type_=each.type) for each in columns}
    del values[key.name]
    values["name"] = prefix + suffix if dialect == "postgresql" else prefix + _next_number(table) + suffix
    known = exists().where(columns.key == values["key"])
    new = select(*(value.label(name) for name, value in values.items())).where(~known)
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    insert = make(table_of(table)).from_select(list(values), new, include_defaults=False)
    once = insert.on_conflict_do_nothing(index_elements=["key"])
    return Prepared(once.returning(key.label("number"), columns.name))


def _next_number(table: type[Run | Build]) -> Any:
    """The number that SQLite will give next: https://www.sqlite.org/autoinc.html."""
    sequence = sql_table("sqlite_sequence", column("name"), column("seq", Integer))
    last = select(sequence.c.seq).where(sequence.c.name == table_of(table).name).scalar_subquery()
    return cast(func.coalesce(last, 0) + 1, String)


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
    new_numbers = list(numbers.values())
    for start in range(0, len(new_numbers), PART):
        part = new_numbers[start : start + PART]
        name = columns.job + "-" + cast(columns.number, String) + "-" + columns.name
        named = update(table_of(Run)).where(columns.number.in_(part)).values(name=name)
        session.connection().execute(named)
    return new
