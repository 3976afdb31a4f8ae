"""Migrations of rolling updates: the version before goes on with the schema of this one."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.schema import ColumnCollectionConstraint
from sqlmodel import SQLModel

import bot
from bot.store import Store
from bot.store.databases import Database
from bot.tables import packed
from tests.bot.migrations.released import releases
from tests.bot.migrations.steps import contractions

CHANGELOG = Path(bot.__file__).parents[1] / "CHANGELOG.md"
_UNUSED = re.compile(r'^unused_since = "(.+)"$', re.MULTILINE)


def test_what_an_older_version_uses_is_taken_away_a_release_later() -> None:
    known = releases()
    versions = [release.version for release in known]
    for file in (Path(bot.__file__).parent / "migrations" / "versions").glob("*.py"):
        if file.stem[:4] <= known[0].head:
            continue  # before the first release there was nobody to trip
        source = file.read_text()
        if (unused := _UNUSED.search(source)) is not None:
            assert unused[1] in versions, f"{file.name}: {unused[1]} is no released version"
        else:
            assert contractions(source) == [], f"{file.name} trips an older version; see CONTRIBUTING.md"


@pytest.mark.parametrize(
    "step",
    [
        'op.drop_table("runs")',
        'op.drop_column("runs", "tail")',
        'op.rename_table("runs", "executions")',
        'op.alter_column("runs", "tail", new_column_name="last_lines")',
        'op.alter_column("runs", "tail", nullable=False)',
        'op.alter_column("runs", "actor", type_=sa.String(20), existing_type=sa.Text())',
        'op.add_column("runs", sa.Column("team", sa.String(), nullable=False))',
        'with op.batch_alter_table("runs") as batch:\n    batch.drop_column("tail")',
        'for column in (sa.Column("team", sa.String(), nullable=False),):\n    op.add_column("runs", column)',
        'op.create_index("runs_actor", "runs", ["actor"], unique=True)',
        'op.create_check_constraint("short", "runs", "length(actor) < 20")',
        'op.execute("ALTER TABLE runs RENAME COLUMN tail TO last_lines")',
    ],
)
def test_step_that_would_trip_an_older_version_is_seen(step: str) -> None:
    assert len(contractions(step)) == 1


@pytest.mark.parametrize(
    "step",
    [
        'op.add_column("runs", sa.Column("team", sa.String(), nullable=True))',
        'op.add_column("runs", sa.Column("team", sa.String(), nullable=False, server_default="all"))',
        'op.alter_column("runs", "actor", existing_type=sa.String(), nullable=True)',
        'op.create_index("runs_actor", "runs", ["actor"], unique=False)',
        'op.create_table("teams", sa.Column("name", sa.String(), nullable=False))\n'
        'op.create_index("teams_name", "teams", ["name"], unique=True)',
        "op.execute(\"UPDATE runs SET actor = 'nobody' WHERE actor = ''\")",
    ],
)
def test_step_that_only_adds_is_let_through(step: str) -> None:
    assert contractions(step) == []


def test_every_released_version_is_on_record() -> None:
    dated = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG.read_text(), re.MULTILINE)
    assert dated[::-1] == [release.version for release in releases()]


async def test_version_before_goes_on_with_this_schema(empty_database_url: str) -> None:
    await (await Store.open(empty_database_url, owner="newer")).close()
    database = Database.at(empty_database_url)
    try:
        with database.writer.begin() as connection:
            for table in releases()[-1].tables.values():
                _use(connection, table)
                # What the version before stored, this one reads.
                connection.execute(select(SQLModel.metadata.tables[table.name])).all()
                connection.execute(delete(table))
    finally:
        database.close()


def _use(connection: Connection, table: Table) -> None:
    """Do with a table what a version does that knows just these columns, at the ends of what they hold."""
    [key] = table.primary_key.columns
    row = _row(table, 1)
    connection.execute(insert(table), row)
    assert connection.execute(select(table)).mappings().one() == row
    nothing = {column.name: None for column in table.columns if column.nullable}
    connection.execute(insert(table), _row(table, 2) | nothing)
    keys: set[str] = set()
    for unique in table.constraints:
        assert isinstance(unique, ColumnCollectionConstraint)
        columns = [column.name for column in unique.columns]
        again = _row(table, 3) | {name: row[name] for name in columns}
        once = _dialect(connection)(table).on_conflict_do_nothing(index_elements=columns).returning(key)
        assert connection.execute(once, again).first() is None
        keys.update(columns)
    alike = row | {name: value for name, value in _row(table, 6).items() if name in keys}
    connection.execute(insert(table), alike)
    if key.autoincrement is True:
        numbered = {name: value for name, value in _row(table, 4).items() if name != key.name}
        assert connection.execute(insert(table).values(numbered).returning(key)).scalar_one() > 0
    changed = _row(table, 5) | {key.name: row[key.name]}
    connection.execute(update(table).where(key == row[key.name]).values(changed))
    assert connection.execute(select(table).where(key == row[key.name])).mappings().one() == changed


def _dialect(connection: Connection) -> Any:
    return {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[connection.dialect.name]


def _row(table: Table, number: int) -> dict[str, Any]:
    values = {
        "BigInteger": 2**62 - number,
        "Boolean": bool(number % 2),
        "Double": number + 0.5,
        "Integer": 2**31 - number,
        "JSON": {"number": number, "list": [None]},
        "LargeBinary": packed(bytes([number])),
        "String": f"{number}".rjust(300, "x"),
        "Text": f"{number}".rjust(3000, "x"),
    }
    return {column.name: values[type(column.type).__name__] for column in table.columns}
