"""Wakes those who watch a run or a build: who stored a change publishes it, who shows it looks again.

Only a wake-up: what counts is in the database. What another bot stored wakes them as well. Wake-ups that
nobody has heard yet are one, so a slow listener costs the others nothing and misses steps, never the end.
Everything here belongs to the event loop's thread.
"""

import asyncio
from collections.abc import Collection
from types import TracebackType
from typing import Literal, Self
from weakref import WeakSet

from bot.tables import Build, Run

Kind = Literal["run", "build", "any", "journal"]
Subject = tuple[Kind, int]

MOST = 10_000
"""Runs that a backlog names; of more it says only that there are more."""

ANY: Subject = ("any", 0)
"""Every run and every build."""

_STANDING = frozenset({"locks", "ticks"})
"""The queues of what stands whatever runs: locks and freezes, and what people said about schedules."""

JOURNAL: Subject = ("journal", 0)
"""Every entry of the journal."""


class ChangeFeed:
    """Publish and subscribe. Whoever listened before a change was published hears of it."""

    def __init__(self) -> None:
        self._listeners: dict[Subject, set[Listener]] = {}
        self._backlogs: WeakSet[Backlog] = WeakSet()
        self.turn = 0
        """Another number after every change: what was read at one still holds while it is the same."""

    def publish(self, row: Run | Build) -> None:
        """This row was stored with something new in it; call it after the commit."""
        if row.number is None:
            raise ValueError("only a stored row can be published")
        self.wake(row.kind, row.number)

    def wake(self, kind: Kind, number: int) -> None:
        """The same for a row that is not at hand."""
        self.turn += 1
        for subject in ((kind, number), ANY):
            for listener in self._listeners.get(subject, ()):
                listener.wake()
        if kind == "run":
            for backlog in self._backlogs:
                backlog.add(number)

    def turned(self, queues: Collection[str]) -> None:
        """What is shown besides runs and builds has changed if it is among these.

        Locks and freezes, what people said about schedules, the journal.
        """
        if not _STANDING.isdisjoint(queues):
            self.turn += 1
            for listener in self._listeners.get(ANY, ()):
                listener.wake()
            for backlog in self._backlogs:
                backlog.stands_otherwise()
        if "journal" in queues:
            for listener in self._listeners.get(JOURNAL, ()):
                listener.wake()

    def ring_all(self) -> None:
        """Anything may have changed."""
        self.turn += 1
        for listening in self._listeners.values():
            for listener in listening:
                listener.wake()
        for backlog in self._backlogs:
            backlog.overflow()

    def backlog(self, wakeup: asyncio.Event, *, standing: bool = False) -> "Backlog":
        """Collect from now on which runs changed, and ring; it is forgotten with the caller's reference.

        `standing`: locks, freezes and pauses are what any run may have to do with.
        """
        backlog = Backlog(wakeup, standing)
        self._backlogs.add(backlog)
        return backlog

    def listen(self, *subjects: Subject) -> "Listener":
        """Hear of changes of these rows from now on, until the listener is closed (use `with`)."""
        return Listener(self._listeners, subjects)

    @property
    def listeners(self) -> int:
        """How many listeners are open, counted once for each row they listen to."""
        return sum(len(listening) for listening in self._listeners.values())


class Backlog:
    """The numbers of runs that changed, for somebody who looks at many of them at once; bounded.

    `wakeup` is set while there is something to look at; it may have other reasons as well.
    """

    def __init__(self, wakeup: asyncio.Event, standing: bool) -> None:
        self._wakeup = wakeup
        self._standing = standing
        self._numbers: set[int] = set()
        self._complete = True

    def add(self, number: int) -> None:
        """This run changed."""
        if len(self._numbers) < MOST:
            self._numbers.add(number)
        else:
            self._complete = False
        self._wakeup.set()

    def stands_otherwise(self) -> None:
        """What stands whatever runs has changed."""
        if self._standing:
            self.overflow()

    def overflow(self) -> None:
        """Any run may have changed."""
        self._complete = False
        self._wakeup.set()

    def take(self) -> frozenset[int] | None:
        """What changed since it was last taken; None where that may be any run."""
        numbers, complete = frozenset(self._numbers), self._complete
        self._numbers.clear()
        self._complete = True
        self._wakeup.clear()
        return numbers if complete else None


class Listener:
    """One who watches; made by `ChangeFeed.listen`."""

    def __init__(self, listeners: "dict[Subject, set[Listener]]", subjects: tuple[Subject, ...]) -> None:
        self._listeners = listeners
        self._subjects = subjects
        self._wakeup = asyncio.Event()
        for subject in subjects:
            listeners.setdefault(subject, set()).add(self)

    def wake(self) -> None:
        """Remember that something changed."""
        self._wakeup.set()

    async def wait(self) -> None:
        """Return once something changed since the last time, at once if it did already."""
        await self._wakeup.wait()
        self._wakeup.clear()

    def close(self) -> None:
        """Stop listening."""
        for subject in self._subjects:
            others = self._listeners.get(subject, set())
            others.discard(self)
            if not others:
                self._listeners.pop(subject, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
