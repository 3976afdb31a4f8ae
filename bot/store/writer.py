"""One thread that writes: what waits is committed together, so that one fsync serves many.

When one piece of work raises, only its changes are undone and only its caller hears of it: all that it was
to be committed with is run again, each in a savepoint of its own, which nothing pays for where nothing fails.
Deliveries, which come fastest, go in as many-row INSERTs in the same commit.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from bot.errors import DatabaseAway, RetryLater
from bot.store import deliveries
from bot.store.checkpoints import Checkpoints
from bot.store.databases import is_conflict, is_lost, translated
from bot.store.outages import Outage
from bot.store.places import Places
from bot.store.posts import EARLIER, Wishes
from bot.store.wakeups import Queue, WakeUps, awaken, changes
from bot.store.watchers import ChangeFeed
from bot.tables import Build, Run
from bot.telemetry.metrics import count_end

GROUP = 256
"""About the most pieces of work in one commit; a longer transaction would make the first of them wait."""

WORK_BYTES = 16_384
"""About what one piece of work writes, bytes: a few pages."""

TRIES = 3
"""How often one piece of work is run when the database gives up on it in favour of another bot's."""


@dataclass(slots=True, eq=False)
class Task:
    """One caller's work, or (`row` set) one delivery to insert, and the future that tells of the commit."""

    future: asyncio.Future[Any]
    work: Callable[[Session], Any] | None = None
    row: deliveries.Row | None = None
    value: Any = None
    error: Exception | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """How a bot shares its database: the `info` of its sessions, and what tells the others of a commit."""

    outage: Outage = field(default_factory=Outage)
    info: Mapping[str, Any] = field(default_factory=dict)
    tell: Callable[[Connection, Collection[Queue], Sequence[Run | Build]], None] | None = None


@dataclass(slots=True)
class _Group:
    """What is committed together, and whom the commit wakes."""

    tasks: Sequence[Task]
    wakeups: set[Queue] = field(default_factory=set)
    rows: list[Run | Build] = field(default_factory=list)
    again: list[Task] = field(default_factory=list)
    wishes: Wishes = field(default_factory=Wishes)


class _Failed(Exception):
    """A piece of work that has no savepoint has raised, so nothing of the transaction can be kept."""


class Writer:
    """Owns the thread and its connection. `submit` may be called on the event loop's thread only."""

    def __init__(
        self, engine: Engine, wakeups: WakeUps, changes: ChangeFeed, *, limit: int, about: About | None = None
    ) -> None:
        self._engine = engine
        self._about = about or About()
        path = engine.url.database
        self._checkpoints = Checkpoints(Path(path)) if engine.dialect.name == "sqlite" and path else None
        self._gate: AbstractContextManager[object] = (
            self._checkpoints.gate if self._checkpoints else nullcontext()
        )
        self._changes = changes
        self._wakeups = wakeups
        self._loop = asyncio.get_running_loop()
        self._places = Places(limit)
        self._queue: SimpleQueue[list[Task] | None] = SimpleQueue()
        self._fresh: list[Task] = []
        self._again: list[Task] = []
        self._open = True
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    def submit(
        self, work: Callable[[Session], Any] | None = None, row: deliveries.Row | None = None
    ) -> Awaitable[Any]:
        """To be awaited at once: a place in the queue, then the commit; gives what `work` gave, or raises so.

        Cancelled, the work is done all the same, and nobody hears of it.
        """
        task = Task(self._loop.create_future(), work, row)
        return self._add(task) if self._places.take() else self._add_later(task)

    async def _add_later(self, task: Task) -> Any:
        await self._places.wait()
        return await self._add(task)

    def _add(self, task: Task) -> asyncio.Future[Any]:
        if not self._open:
            self._places.give_back(1)
            raise RuntimeError("the store is closed")
        if not self._fresh:
            self._loop.call_soon(self._hand_over)
        self._fresh.append(task)
        return task.future

    async def close(self) -> None:
        """Commit what waits, then end the thread."""
        if self._open:
            self._open = False
            self._hand_over()
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        """Wake the thread once for all that one turn of the event loop brought."""
        if self._fresh:
            self._queue.put(self._fresh)
            self._fresh = []

    def _serve(self) -> None:
        going = True
        while going or self._again:
            tasks, self._again = self._again, []
            if going:
                going = self._take(tasks)
            if tasks:
                with self._gate:
                    self._commit(tasks)
        self._disconnect()
        if self._checkpoints is not None:
            self._checkpoints.close()

    def _take(self, tasks: list[Task]) -> bool:
        """Add what waits to `tasks`, waiting only for the first; False once the store was closed."""
        try:
            while len(tasks) < GROUP:
                fresh = self._queue.get(block=not tasks)
                if fresh is None:
                    return False
                tasks.extend(fresh)
        except Empty:
            pass
        return True

    def _commit(self, tasks: list[Task]) -> None:
        """Commit `tasks` together; where one of them spoils that, each alone, so that it fails alone."""
        try:
            group = self._insert(tasks) or self._attempt(tasks)
        except Exception as error:
            self._disconnect()
            seen = translated(error)
            if len(tasks) > 1 and not isinstance(seen, RetryLater):
                for task in tasks:
                    self._commit([task])
                return
            for task in tasks:
                task.error = seen
            group = _Group(tasks)
        self._settle(group)

    def _insert(self, tasks: list[Task]) -> _Group | None:
        """The fast path: a few deliveries and nothing else are one INSERT that commits itself on SQLite.

        Begin, insert and commit, each apart, would each wait for the interpreter lock afterwards.
        """
        if len(tasks) > deliveries.ROWS or self._engine.dialect.name != "sqlite":
            return None
        rows = [task.row for task in tasks if task.row is not None]
        if len(rows) < len(tasks):
            return None
        try:
            deliveries.insert_at_once(self._connected(), rows)
        except sqlite3.Error:
            return None  # the slow path tells them apart
        return _Group(tasks, {"deliveries"})

    def _attempt(self, tasks: list[Task]) -> _Group:
        """One transaction. A connection found broken before the commit is replaced once: nothing was done."""
        try:
            group = self._begin(tasks)
        except Exception as error:
            self._disconnect()
            if not is_lost(error):
                raise
            group = self._begin(tasks)
        try:
            self._connected().commit()
        except Exception as error:
            # Whether it was committed is not known: only the callers can tell if doing it again is safe.
            self._disconnect()
            for task in tasks:
                task.error = task.error or translated(error)
            group.wakeups.clear()
            group.rows.clear()
            group.again.clear()
        return group

    def _begin(self, tasks: Sequence[Task]) -> _Group:
        """Run all of `tasks` in a new transaction; with savepoints only where one has raised."""
        with suppress(_Failed):
            return self._run_all(_Group(tasks), apart=False)
        return self._run_all(_Group(tasks), apart=True)

    def _run_all(self, group: _Group, *, apart: bool) -> _Group:
        connection = self._connected()
        connection.begin()
        rows = [task.row for task in group.tasks if task.row is not None]
        if rows:
            deliveries.insert(connection, rows)
            group.wakeups.add("deliveries")
        for task in group.tasks:
            if task.work is not None:
                self._run(connection, task, task.work, group, apart=apart)
        group.wishes.note(connection)
        if self._about.tell is not None:
            self._about.tell(connection, group.wakeups, group.rows)
        return group

    def _run(
        self,
        connection: Connection,
        task: Task,
        work: Callable[[Session], Any],
        group: _Group,
        *,
        apart: bool,
    ) -> None:
        """Run one piece of work; `apart`, in a savepoint, only a broken connection concerns the others."""
        task.value = task.error = None
        info = dict(self._about.info)
        if not apart:  # where a savepoint may be undone, what others wish is not counted in it
            info[EARLIER] = group.wishes
        with Session(
            connection,
            join_transaction_mode="create_savepoint" if apart else "rollback_only",
            expire_on_commit=False,
            info=info,
        ) as session:
            try:
                if apart:
                    session.connection()  # which takes the savepoint, for statements that go past the session
                task.value = work(session)
                if apart:
                    session.commit()
                else:
                    session.flush()
            except Exception as error:
                session.rollback()
                if is_lost(error):
                    raise
                if not apart:
                    connection.rollback()  # of all: there is no savepoint
                if not apart and len(group.tasks) > 1:
                    raise _Failed from error
                task.tries += 1
                if is_conflict(error) and task.tries < TRIES:
                    group.again.append(task)
                task.error = translated(error)
            else:
                group.wakeups |= awaken(session)
                group.rows += changes(session)
                group.wishes.take(session)

    def _settle(self, group: _Group) -> None:
        """Tell all callers at once, on the event loop; what shall be tried again is not told yet."""
        self._notice(group.tasks)
        if self._checkpoints is not None:
            self._checkpoints.written(
                sum(len(task.row[4]) if task.row else WORK_BYTES for task in group.tasks)
            )
        self._again.extend(group.again)
        done = [task for task in group.tasks if task not in group.again] if group.again else group.tasks
        self._loop.call_soon_threadsafe(self._tell, done, group)

    def _notice(self, tasks: Sequence[Task]) -> None:
        """Keep account of whether the database takes what it is given."""
        away = next((task.error for task in tasks if isinstance(task.error, DatabaseAway)), None)
        if away is not None:
            self._about.outage.failed("write", away)
        elif any(task.error is None for task in tasks):
            self._about.outage.answered("write")

    def _tell(self, tasks: Sequence[Task], group: _Group) -> None:
        self._places.give_back(len(tasks))
        for task in tasks:
            future = task.future
            if future.done():
                continue
            if task.error is not None:
                future.set_exception(task.error)
            else:
                future.set_result(task.value)
        self._wakeups.wake(group.wakeups)
        self._changes.turned(group.wakeups)
        for row in group.rows:
            self._changes.publish(row)
            count_end(row)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        """Let the connection go, undoing what was not committed."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except Exception:  # broken in a way that even closing notices: the pool makes a new one
            connection.invalidate()
