"""The tables that a released version reads and writes, which the schemas of the next one have to serve.

When a version is released: `python -m tests.bot.migrations.released > tests/bot/migrations/VERSION.json`.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

import bot.tables  # noqa: F401 - fills the metadata
from bot.store.schema import HEAD

_KINDS: dict[str, TypeEngine[Any]] = {
    "bigint": BigInteger().with_variant(Integer(), "sqlite"),
    "boolean": Boolean(),
    "bytes": LargeBinary(),
    "double": Double(),
    "integer": Integer(),
    "json": JSON(),
    "string": String(),
    "text": Text(),
}


class Release(NamedTuple):
    """A version, the newest migration that it knows, and its tables as it uses them."""

    version: str
    head: str
    tables: dict[str, Table]


def releases() -> list[Release]:
    """Every version that is on record, oldest first."""
    files = Path(__file__).parent.glob("*.json")
    return sorted(map(_read, files), key=lambda release: tuple(map(int, release.version.split("."))))


def _read(file: Path) -> Release:
    record, metadata = json.loads(file.read_text()), MetaData()
    tables = {
        name: Table(
            name,
            metadata,
            *(
                Column(
                    column,
                    _KINDS[kind.rstrip("?")],
                    nullable=kind.endswith("?"),
                    primary_key=column == table["key"],
                    autoincrement=column == table["key"] and kind == "bigint",
                )
                for column, kind in table["columns"].items()
            ),
            *(UniqueConstraint(*columns.split()) for columns in table["unique"]),
        )
        for name, table in record["tables"].items()
    }
    return Release(file.stem, record["head"], tables)


def _kind(column: "Column[Any]") -> str:
    """The name of a column's type, with a `?` where it may be NULL."""
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    name = next(name for name, other in _KINDS.items() if type(other) is type(kind))
    return name + "?" * bool(column.nullable)


def _record() -> dict[str, Any]:
    tables = {}
    for name, table in sorted(SQLModel.metadata.tables.items()):
        unique = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
        unique += [index.columns for index in table.indexes if index.unique]
        [key] = table.primary_key.columns.keys()
        tables[name] = {
            "key": key,
            "unique": sorted(" ".join(columns.keys()) for columns in unique),
            "columns": {column.name: _kind(column) for column in table.columns},
        }
    return {"head": HEAD, "tables": tables}


if __name__ == "__main__":
    print(json.dumps(_record(), indent=1))
