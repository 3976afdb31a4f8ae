"""Statements that are kept, prepared once for SQLite: their text, and how values go in and come out.

Even one that it has compiled takes SQLAlchemy several times as long to set up as SQLite takes to run it, so
these go to the driver's connection, in the same transaction. On PostgreSQL SQLAlchemy runs them.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Process = Callable[[Any], Any] | None
"""What a value becomes on its way; None where it goes as it is."""


class Prepared:
    """A SELECT or a change, whose values come as parameters by name."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._sqlite: ForSQLite | None = None

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """All rows, each a named tuple. Raises `KeyError` where a value is missing."""
        if connection.dialect.name == "sqlite":
            return self._on_sqlite(connection.dialect).rows(connection, parameters)
        result = connection.execute(self.statement, parameters)
        return result.all() if result.returns_rows else ()

    def run_all(self, connection: Connection, several: Sequence[Mapping[str, Any]]) -> None:
        """Run it with each of several sets of values; it gives no rows."""
        if connection.dialect.name == "sqlite":
            self._on_sqlite(connection.dialect).run_all(connection, several)
        else:
            connection.execute(self.statement, several)

    def _on_sqlite(self, dialect: Dialect) -> "ForSQLite":
        if self._sqlite is None:
            self._sqlite = ForSQLite(self.statement, dialect)
        return self._sqlite


class ForSQLite:
    """A statement as the driver takes it."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect)
        if "POSTCOMPILE" in compiled.string:
            raise ValueError("a list of values is put into the statement anew with every use")
        self.text = compiled.string
        self._values = [_value(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        columns = list(statement.exported_columns)
        self._row = _named([column.key for column in columns])
        results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._results = [(at, process) for at, process in enumerate(results) if process is not None]

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """As `Prepared.rows`."""
        try:
            found = _driver(connection).execute(self.text, self.arguments(parameters)).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error, connection.dialect) from error
        return [self._read(row) for row in found]

    def run_all(self, connection: Connection, several: Sequence[Mapping[str, Any]]) -> None:
        """As `Prepared.run_all`."""
        try:
            _driver(connection).executemany(self.text, [self.arguments(each) for each in several])
        except sqlite3.Error as error:
            raise self._translated(error, connection.dialect) from error

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the question marks, as the driver takes them."""
        return [
            constant if name is None else parameters[name] if process is None else process(parameters[name])
            for name, process, constant in self._values
        ]

    def _translated(self, error: sqlite3.Error, dialect: Dialect) -> BaseException:
        """As SQLAlchemy tells it, without the values."""
        return DBAPIError.instance(self.text, None, error, sqlite3.Error, dialect=dialect)

    def _read(self, row: tuple[Any, ...]) -> Any:
        if not self._results:
            return self._row(*row)
        values = list(row)
        for at, process in self._results:
            values[at] = process(values[at])
        return self._row(*values)


def _value(bind: Any, dialect: Dialect) -> tuple[str | None, Process, Any]:
    """Where a value comes from: the parameter of a name and what it becomes, or a constant."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return bind.key, process, None
    return None, None, bind.value if process is None else process(bind.value)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _named(columns: Sequence[str]) -> Callable[..., Any]:
    return namedtuple("Row", columns, rename=True)
