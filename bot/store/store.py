"""The store: opens the database, writes in groups, reads beside that."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bot.errors import ConfigError, DatabaseAway, Refused
from bot.store import clocks, leases, schema
from bot.store.databases import READERS, Database, FileLock, make_private, translated
from bot.store.deliveries import Row
from bot.store.outages import Outage
from bot.store.payloads import inform
from bot.store.wakeups import Queue, WakeUps
from bot.store.watchers import ChangeFeed, Subject
from bot.store.writer import About, Writer
from bot.tables import packed

if TYPE_CHECKING:
    from bot.store.notifier import Notifier

T = TypeVar("T")

LARGE = 1 << 20
"""Bytes of a body from which on a thread compresses it."""

WAITING = 1000
"""Pieces of work that may wait for a commit; further callers wait for their turn to wait."""


class Store:
    """The one way to the database. `owner` names this process in leases; use one event loop.

    What `write` and `read` return is detached from the session and fully loaded. `changes` shows every
    committed change of a run or build to whoever watches it, whichever bot committed it.
    """

    def __init__(
        self, database: Database, lock: FileLock | None, *, owner: str, given_clock: bool = False
    ) -> None:
        self.owner = owner
        self._database = database
        self._lock = lock
        self._sole: Connection | None = None
        self.changes = ChangeFeed()
        self._wakeups = WakeUps()
        self._outage = Outage()
        info = {} if given_clock or not self.is_shared else clocks.DATABASE
        tell = partial(inform, owner=owner) if self.is_shared else None
        about = About(self._outage, info, tell)
        self._writer = Writer(database.writer, self._wakeups, self.changes, limit=WAITING, about=about)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._notices: Notifier | None = None
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, *, owner: str, exclusive: bool = True, given_clock: bool = False) -> Self:
        """Open and, where needed, migrate the database at `url`.

        On SQLite an `exclusive` store keeps every other one out and frees the leases of those before it
        (they are dead, else the file would be locked); the command line opens with `exclusive=False`
        beside a running service. PostgreSQL serves any number of stores; there an `exclusive` one hears
        what the others commit, and leases are counted by the database's clock unless `given_clock`: then
        by what each caller says, as on SQLite. Raises `ConfigError` for a url that cannot be, `Refused`
        for a database in use or newer than the code, `RetryLater` when the database does not answer.
        """
        database, lock = await asyncio.to_thread(_prepare, url, exclusive)
        store = cls(database, lock, owner=owner, given_clock=given_clock)
        if lock is not None:
            await store.write(leases.release_all)
        if exclusive and database.listening is not None:
            await store._listen(database.listening)
        return store

    @property
    def is_shared(self) -> bool:
        """Whether other bots may use the database at the same time."""
        return self._database.path is None

    async def in_step(self, clock: Callable[[], float]) -> Callable[[], float]:
        """`clock` (seconds since the epoch), put right by that of a database that is shared.

        Where the two differ, the log says so. Raises `RetryLater`.
        """
        if not self.is_shared:
            return clock
        skew = clocks.Skew(clock)
        before = skew.ask()
        skew.measure(before, await self.read(clocks.database_time), skew.ask())
        if self._notices is not None:
            self._notices.skew = skew
        return skew.now

    async def _listen(self, arguments: Mapping[str, Any]) -> None:
        """Begin to hear what others commit; returns once that is so, as far as the database lets."""
        from bot.store.notifier import Notifier  # with its driver, which SQLite does not need

        def some(queues: Collection[Queue], subjects: Iterable[Subject]) -> None:
            self._wakeups.wake(queues)
            self.changes.turned(queues)
            for kind, number in subjects:
                self.changes.wake(kind, number)

        def everything() -> None:
            self._wakeups.ring_all()
            self.changes.ring_all()

        self._notices = Notifier(arguments, self.owner, some=some, everything=everything)
        self._listening = asyncio.create_task(self._notices.run())
        await self._notices.tried.wait()

    async def be_the_only_one(self) -> None:
        """Keep every other bot that asks for the same out, on PostgreSQL too; `Refused` if one is there.

        For an engine whose runs only this machine can find again. Ends with this store's connection.
        """
        if self._sole is None and self._lock is None:
            self._sole = await asyncio.to_thread(schema.only_one, self._database.reader)

    async def close(self) -> None:
        """Commit what waits, close every connection, let the next one in."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        if self._sole is not None:
            self._sole.close()
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction; returns once it is committed and durable.

        What it raises undoes its own changes and reaches this caller only. `RetryLater`: the database
        is at fault. `work` may be run more than once, of which at most one is committed.
        """
        return cast(T, await self._writer.submit(work))

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run `work`, which may only read, on one consistent view of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(self._read, work))

    async def ping(self) -> None:
        """Ask the database for a sign of life; raises `RetryLater`."""
        await self.read(schema.ping)

    def add_delivery(
        self, *, key: str, source: str, event: str, media_type: str, body: bytes, now: float
    ) -> Awaitable[None]:
        """Store what came in; what it gives is to be awaited, and returns once that is durable.

        A key that is known changes nothing. No coroutine is made for what comes fastest.
        """
        if len(body) >= LARGE:
            return self._add_large((key, source, event, media_type, body, now))
        return self._writer.submit(row=(key, source, event, media_type, packed(body), now))

    async def _add_large(self, row: Row) -> None:
        key, source, event, media_type, body, now = row
        kept = await asyncio.to_thread(packed, body)
        await self._writer.submit(row=(key, source, event, media_type, kept, now))

    def wakeup(self, queue: Queue) -> asyncio.Event:
        """Set whenever a commit made work for `queue`; clear it before looking."""
        return self._wakeups[queue]

    def _read(self, work: Callable[[Session], T]) -> T:
        try:
            with Session(self._database.reader, expire_on_commit=False) as session:
                value = work(session)
        except Exception as error:
            if isinstance(seen := translated(error), DatabaseAway):
                self._outage.failed("read", seen)
            if seen is not error:
                raise seen from error
            raise
        self._outage.answered("read")
        return value


def _prepare(url: str, exclusive: bool) -> tuple[Database, FileLock | None]:
    """Open, lock, migrate; in a thread, since all of it waits."""
    database = Database.at(url)
    with ExitStack() as undo:
        undo.callback(database.close)
        lock = FileLock(database.path) if database.path else None
        if lock is not None and database.path is not None:
            undo.callback(lock.release)
            if not database.path.parent.is_dir():
                raise ConfigError(f"database: there is no directory {database.path.parent}")
            make_private(database.path)
            if exclusive:
                lock.acquire()
        _migrate(database, lock, exclusive=exclusive)
        undo.pop_all()
        return database, lock if exclusive else None


def _migrate(database: Database, lock: FileLock | None, *, exclusive: bool) -> None:
    """Bring the schema up to date; on SQLite only who holds the lock may change it under others' feet."""
    try:
        with database.reader.connect() as connection:
            if schema.is_current(connection):
                return
        if lock is not None and not exclusive:
            lock.acquire()
        with database.writer.connect() as connection:
            schema.migrate(connection)
    except Refused:
        raise
    except Exception as error:
        if (seen := translated(error)) is not error:
            raise seen from error
        raise
    if lock is not None and not exclusive:
        lock.release()
