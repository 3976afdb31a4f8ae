"""Worker pools: claim what is due in one table, carry it, renew its leases, let go of it at the end.

A pool sleeps until a commit wakes it, on PostgreSQL also one of another bot, or until `SWEEP` has passed:
then it looks for what nobody told of, that is leases that ran out and retries that fell due.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import structlog

from bot.errors import DatabaseAway, RetryLater
from bot.states import State
from bot.store import Session, Store, leases
from bot.store.wakeups import Queue
from bot.tables import Claimable
from bot.workers import timing
from bot.workers.patience import awaken, patiently

log = structlog.get_logger()

Row = TypeVar("Row", bound=Claimable)
Claimed = TypeVar("Claimed", bound=Claimable, covariant=True)


class Claim(Protocol[Claimed]):
    """Takes up to `limit` free rows of one table."""

    def __call__(
        self, session: Session, *, owner: str, now: float, lease: float, limit: int
    ) -> Sequence[Claimed]:
        """The rows, leased to `owner` until `now + lease`."""
        ...


async def _never_stopped(row: Claimable) -> None:
    """Of rows of this kind nobody can ask to stop them."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Row]):
    """What is done with the rows of `table`, `capacity` of them at the same time.

    Those in a state of `begun` are under way, whoever carries them, so they are taken beyond that. `stop` is
    called when somebody asked to stop what is being carried.
    """

    queue: Queue
    table: type[Row]
    claim: Claim[Row]
    carry: Callable[[Row], Awaitable[None]]
    capacity: int
    begun: tuple[State, ...] = ()
    stop: Callable[[Row], Awaitable[None]] = _never_stopped


@dataclass(slots=True)
class WorkerPool(Generic[Row]):
    """Claims the rows of one table for `owner` and carries each in a task of its own."""

    work: Work[Row]
    store: Store
    clock: Callable[[], float]
    owner: str
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    stops: set[asyncio.Task[None]] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)
    """What the last renewal did not find: finished a moment ago, or another bot's."""
    anew: dict[int, Row] = field(default_factory=dict)
    """What was claimed while it was still being carried: its lease ran out, or its task is about to end."""

    async def run(self) -> None:
        """Claim and carry until cancelled; what is carried then goes on until `let_go`."""
        wakeup = self.store.wakeup(self.work.queue)
        while True:
            wakeup.clear()
            await patiently("claim", self._claim)
            await awaken(wakeup, timing.SWEEP)

    async def renew(self) -> None:
        """Renew all leases; the answer also tells which rows somebody asked to stop."""
        keys = list(self.tasks)
        if not keys:
            return
        table, now = self.work.table, self.clock()
        renewal = await self.store.write(
            lambda s: leases.renew(s, table, owner=self.owner, ids=keys, now=now, lease=timing.LEASE)
        )
        for key in renewal.stopping & self.rows.keys():
            # Beside the renewals: an engine that is slow to answer must not cost us the leases.
            stop = asyncio.create_task(patiently("stop", partial(self.work.stop, self.rows[key])))
            self.stops.add(stop)
            stop.add_done_callback(self.stops.discard)
        missing = set(keys) - renewal.ours
        for key in missing & self.missed & self.tasks.keys():
            log.warning("lease.lost", queue=self.work.queue, key=key)
            self.tasks[key].cancel()
        self.missed = missing & self.tasks.keys()

    def let_go(self) -> Sequence[asyncio.Task[None]]:
        """Stop carrying; gives what has to be waited for."""
        self.anew.clear()
        tasks = [*self.stops, *self.tasks.values()]
        for task in tasks:
            task.cancel()
        return tasks

    async def carry(self, row: Row) -> None:
        """Carry one row; whatever fails is in the log, and is tried again when the lease has run out."""
        with structlog.contextvars.bound_contextvars(**{self.work.table.__name__.lower(): row.identity}):
            try:
                await self.work.carry(row)
            except DatabaseAway:
                pass  # the store says so, once for all who wait
            except RetryLater as error:
                log.warning("carry.waits", error=str(error))
            except Exception:
                log.exception("carry.failed")

    async def _claim(self) -> None:
        work = self.work
        free = max(work.capacity - len(self.tasks), 0)
        if not free and not work.begun:
            return  # whichever task ends first wakes it
        rows = await self.store.write(
            lambda s: work.claim(s, owner=self.owner, now=self.clock(), lease=timing.LEASE, limit=free)
        )
        taken: list[int] = []
        for row in rows:
            key = row.identity
            if key in self.tasks:
                self.anew[key] = row
                continue
            if getattr(row, "state", None) in work.begun:
                taken.append(key)
            self._begin(row, self.carry(row))
        if taken:
            log.info("taken_over", queue=work.queue, keys=taken)

    def _begin(self, row: Row, carrying: Coroutine[Any, Any, None]) -> None:
        key = row.identity
        self.rows[key] = row
        self.tasks[key] = task = asyncio.create_task(carrying)
        task.add_done_callback(partial(self._done, key))

    def _done(self, key: int, _: asyncio.Task[None]) -> None:
        del self.tasks[key], self.rows[key]
        self.missed.discard(key)
        row = self.anew.pop(key, None)
        if row is not None:
            self._begin(row, patiently("claim", partial(self._carry_anew, row)))
        self.store.wakeup(self.work.queue).set()

    async def _carry_anew(self, row: Row) -> None:
        """Carry a row once more, unless whoever carried it has let go of it since it was claimed."""
        renewed = partial(
            leases.renew, table=self.work.table, owner=self.owner, ids=[row.identity], lease=timing.LEASE
        )
        renewal = await self.store.write(lambda s: renewed(s, now=self.clock()))
        if renewal.ours:
            await self.carry(row)


class Renewals:
    """Renews the leases of all pools in time, and has them let go where this process stood still too long."""

    def __init__(self, pools: Sequence[WorkerPool[Any]], store: Store) -> None:
        self._pools = pools
        self._store = store

    async def run(self) -> None:
        """Renew until cancelled."""
        timer = _StallTimer(self._pools) if self._store.is_shared else None
        wakeup = self._store.wakeup("stops")
        try:
            while True:
                await awaken(wakeup, timing.RENEW)
                wakeup.clear()
                for pool in self._pools:
                    await patiently("renewal", pool.renew)
        finally:
            if timer is not None:
                timer.cancel()


class _StallTimer:
    """A timer comes before anything else that goes on where this process stood still: did it, too long?"""

    def __init__(self, pools: Sequence[WorkerPool[Any]]) -> None:
        self._pools = pools
        self._look(monotonic())

    def cancel(self) -> None:
        """Watch no longer."""
        self._timer.cancel()

    def _look(self, looked: float) -> None:
        now = monotonic()
        if now - looked > timing.STALL:
            self._let_go(now - looked)
        self._timer = asyncio.get_running_loop().call_later(timing.RENEW, self._look, now)

    def _let_go(self, seconds: float) -> None:
        """The leases may have run out meanwhile, and others have done what this process was about to do."""
        log.warning("stalled", seconds=round(seconds, 1), why="another bot may have what this one carried")
        for pool in self._pools:
            for task in pool.tasks.values():
                task.cancel()
