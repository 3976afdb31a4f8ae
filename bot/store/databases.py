"""Connections to SQLite and PostgreSQL, and who may open a database file."""

import fcntl
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from bot.errors import ConfigError, DatabaseAway, Refused, RetryLater
from bot.store.checkpoints import FALLBACK_PAGES

BUSY_TIMEOUT_MS = 10_000
"""How long SQLite waits for another process (the command line) that writes, milliseconds."""

CONNECT_TIMEOUT_S = 10
"""How long PostgreSQL may take to accept a connection, seconds."""

IDLE_S = 15.0
"""How long PostgreSQL lets a bot stand still inside a transaction, for whose locks others wait, seconds."""

READERS = 3
"""Threads, and so connections, that read."""

_SQLITE_FAULTS = {5, 6, 7, 8, 10, 13, 14}
"""busy, locked, nomem, readonly, ioerr, full, cantopen: https://sqlite.org/rescode.html"""

_SQLITE_BROKEN = {11, 26}
"""corrupt, notadb: no trying again helps."""

_RETRYABLE = {"40001", "40P01"}
"""serialization_failure and deadlock_detected: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


@dataclass(frozen=True, slots=True)
class Database:
    """One database: the engine that writes, the one that only reads, and the file if it is SQLite."""

    writer: Engine
    reader: Engine
    path: Path | None
    listening: Mapping[str, Any] | None = None
    """How a connection is made that listens to what others commit; None on SQLite, which has no others."""

    @classmethod
    def at(cls, url: str) -> Self:
        """Prepare both engines for `sqlite:///path` or `postgresql://...`; raises `ConfigError`."""
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise ConfigError("database: expected sqlite:///path or postgresql://user@host/name") from None
        match parsed.drivername.partition("+")[0]:
            case "sqlite":
                return cls._sqlite(parsed)
            case "postgresql" | "postgres":
                return cls._postgresql(parsed)
            case _:
                raise ConfigError("database: expected sqlite:///path or postgresql://user@host/name")

    @classmethod
    def _sqlite(cls, url: URL) -> Self:
        name = url.database or ""
        if not name or name.startswith((":", "file:")):
            raise ConfigError("database: expected a file, as in sqlite:///errand.db; memory is forgotten")
        path = Path(name).absolute()
        target = URL.create("sqlite+pysqlite", database=str(path))
        writer, reader = (
            create_engine(target, pool_size=1, max_overflow=0),
            create_engine(target, pool_size=READERS),
        )
        for engine, begin in ((writer, "BEGIN IMMEDIATE"), (reader, "BEGIN")):
            _tune(engine, begin)
        return cls(writer, reader, path)

    @classmethod
    def _postgresql(cls, url: URL) -> Self:
        target = url.set(drivername="postgresql+psycopg")
        # A server that vanished without a word is noticed within half a minute, not after hours.
        alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        connect: dict[str, Any] = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "errand",
            "tcp_user_timeout": 25_000,
            **alive,
        }
        # `format` gives positional parameters, as SQLite has: one prepared INSERT serves both.
        writer = create_engine(target, pool_size=1, max_overflow=0, connect_args=connect, paramstyle="format")
        reader = create_engine(
            target,
            pool_size=READERS,
            connect_args=connect,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",  # one view of the database, as on SQLite
            execution_options={"postgresql_readonly": True},
        )
        for engine in (writer, reader):
            event.listen(engine, "connect", _limit_idling)
        _, arguments = writer.dialect.create_connect_args(target)
        return cls(writer, reader, None, {**arguments, **connect})

    def close(self) -> None:
        """Close all connections."""
        self.writer.dispose()
        self.reader.dispose()


def _limit_idling(connection: Any, _record: object) -> None:
    """Have PostgreSQL undo what a bot that stands still has begun, and let its locks go.

    https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT
    """
    connection.execute(f"SET idle_in_transaction_session_timeout = {round(IDLE_S * 1000)}")
    connection.commit()  # undone with the transaction otherwise


def _tune(engine: Engine, begin: str) -> None:
    """Make commits durable and transactions explicit: the driver's own BEGIN comes too late for savepoints.

    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes
    """

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"wal_autocheckpoint = {FALLBACK_PAGES}",
            f"query_only = {'ON' if begin == 'BEGIN' else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)


def is_lost(error: BaseException) -> bool:
    """Whether the connection broke (a new one may work)."""
    return isinstance(error, DBAPIError) and (error.connection_invalidated or _refused(error))


def _refused(error: DBAPIError) -> bool:
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", "-") is None


def is_conflict(error: BaseException) -> bool:
    """Whether the database gave up on this transaction in favour of another one."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _RETRYABLE


def translated(error: Exception) -> Exception:
    """The error as a caller should see it: `DatabaseAway` or `RetryLater` where the database is at fault."""
    code: int | None = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _SQLITE_BROKEN:
        return Refused(
            "The database file is damaged, or no SQLite database."
            " Restore a backup, or move it away to begin anew.",
            status="DatabaseDamaged",
        )
    if _is_fault(error) or is_lost(error) or is_conflict(error):
        cause = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        kind = RetryLater if is_conflict(error) else DatabaseAway
        return kind(f"The database does not take it now: {cause}")
    return error


def _is_fault(error: BaseException) -> bool:
    """Whether the database is in trouble; SQLite also calls a mistake in our SQL an OperationalError."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _SQLITE_FAULTS


class FileLock:
    """One bot per SQLite file: an advisory lock on a file beside it, which ends with the process."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; raises `Refused` when another process has it."""
        lock = self._database.with_name(self._database.name + ".lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Refused(
                f"Another Errand already runs on {self._database}. SQLite serves one; stop the other "
                "one first, or use PostgreSQL to run several.",
                status="DatabaseInUse",
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two others in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def make_private(path: Path) -> None:
    """Create the file for its owner's eyes only, or take the others' rights away; SQLite's WAL follows."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise Refused(
            f"The database {path} cannot be opened: {error.strerror}.", status="DatabaseFile"
        ) from None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        with suppress(PermissionError):  # somebody else's file, opened to us on purpose
            path.chmod(0o600)
