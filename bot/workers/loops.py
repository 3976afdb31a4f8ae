"""The belts: claim what is due, carry it, renew the leases, recover what another bot left, drain at the end.

One belt per table. A belt sleeps until a commit rings its bell, on PostgreSQL also one of another bot, or
until `SWEEP` has passed: then it looks for what nobody rang for, that is leases that ran out and retries
that fell due. What a bot carried that was killed is taken over within `LEASE` and `SWEEP`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import structlog

from bot.context import Context
from bot.errors import DatabaseAway, RetryLater
from bot.handlers.authorization import Authorization
from bot.handlers.deliveries import DeliveryHandler
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.ticks import TickHandler
from bot.posting.outbox import Outbox
from bot.states import State
from bot.store import Session, admission, builds, deliveries, leases, locks, posts, runs
from bot.store.leases import LeaseLost
from bot.store.transitions import ACTIVE
from bot.store.wakeups import Queue
from bot.tables import Build, Claimable, Delivery, Post, Run
from bot.workers.leftovers import Leftovers
from bot.workers.patience import awaken, patiently
from bot.workers.retention import Retention
from bot.workers.worker import Worker

log = structlog.get_logger()

LEASE = 10.0
"""Seconds that a claim holds without being renewed; then another bot takes over."""
RENEW = 3.0
"""Seconds between two renewals: two may fail before a lease is lost."""
SWEEP = 3.0
"""Seconds after which a belt looks although nothing rang."""
STALL = LEASE - 2.0
"""Seconds after which a process that stood still (paused, or starved) may have lost its leases."""
DELIVERIES = 16
"""Deliveries decided at the same time; each is a few requests to GitHub."""
POSTS = 16
"""Posts sent at the same time."""
MAX_TRIES = 8
"""Tries of one delivery; with `backoff`, some four minutes beyond what GitHub asks to wait."""
Row = TypeVar("Row", bound=Claimable)
Claimed = TypeVar("Claimed", bound=Claimable, covariant=True)


class Claim(Protocol[Claimed]):
    """Takes up to `limit` free rows of one table."""

    def __call__(
        self, session: Session, *, owner: str, now: float, lease: float, limit: int
    ) -> Sequence[Claimed]:
        """The rows, leased to `owner` until `now + lease`."""
        ...


@dataclass(slots=True)
class WorkerPool(Generic[Row]):
    """Claims rows of `table` and carries each in a task of its own, `capacity` at the same time.

    Those in a state of `begun` are under way, whoever carries them, so they are taken beyond that.
    """

    wakeup: Queue
    table: type[Row]
    claim: Claim[Row]
    carry: Callable[[Row], Awaitable[None]]
    capacity: int
    begun: tuple[State, ...] = ()
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    missed: set[int] = field(default_factory=set)
    """What the last renewal did not find: finished a moment ago, or another bot's."""


def backoff(attempts: int) -> float:
    """Seconds to wait after the `attempts`-th try: 1, 2, 4 ... at most two minutes."""
    return float(min(2 ** max(attempts - 1, 0), 120))


class Workers:
    """Everything that moves by itself; `run` until it is cancelled."""

    def __init__(self, tools: Context) -> None:
        self._tools = tools
        self._delivery_handler, leftovers = DeliveryHandler(tools), Leftovers()
        self._worker = Worker(tools, leftovers)
        self._outbox = Outbox(tools)
        self._retention = Retention(tools, leftovers)
        limits = tools.config.limits
        self._belts: tuple[WorkerPool[Any], ...] = (
            WorkerPool("deliveries", Delivery, deliveries.claim, self._delivery, DELIVERIES),
            WorkerPool("builds", Build, builds.claim, self._worker.carry, limits.builds, (State.BUILDING,)),
            WorkerPool("runs", Run, runs.claim, self._worker.carry, limits.runs, ACTIVE),
            WorkerPool("posts", Post, posts.claim, self._outbox.send, POSTS),
        )
        self._ticks = TickHandler(tools, Enqueuer(tools, Authorization(tools)))
        self._stops: set[asyncio.Task[None]] = set()
        self._alive = False
        self._timer: asyncio.TimerHandle | None = None

    def dead(self) -> Sequence[str]:
        """The names of the belts that do not turn; /readyz tells them."""
        return () if self._alive else tuple(belt.wakeup for belt in self._belts)

    async def run(self) -> None:
        """Turn until cancelled; then let go of everything, so that the next bot may take it at once."""
        self._alive = True
        if self._tools.store.is_shared:
            self._watch(monotonic())
        try:
            async with asyncio.TaskGroup() as group:
                for belt in self._belts:
                    group.create_task(self._turn(belt))
                group.create_task(self._open())
                group.create_task(self._tick())
                group.create_task(self._renew())
                group.create_task(self._retention.run())
                group.create_task(self._look())
        finally:
            self._alive = False
            if self._timer is not None:
                self._timer.cancel()
            await self._drain()

    async def _drain(self) -> None:
        tasks = [
            *self._stops,
            *self._ticks.tasks,
            *(task for belt in self._belts for task in belt.tasks.values()),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(RetryLater):  # the leases end by themselves as well
            await self._tools.store.write(lambda s: leases.release(s, owner=self._tools.owner))

    # Claiming -------------------------------------------------------------------------------------

    async def _turn(self, belt: WorkerPool[Any]) -> None:
        wakeup = self._tools.store.wakeup(belt.wakeup)
        while True:
            wakeup.clear()
            await patiently("claim", lambda: self._claim(belt))
            await awaken(wakeup, SWEEP)

    async def _claim(self, belt: WorkerPool[Row]) -> None:
        free = max(belt.capacity - len(belt.tasks), 0)
        if not free and not belt.begun:
            return  # whichever task ends first rings
        tools = self._tools
        rows = await tools.store.write(
            lambda s: belt.claim(s, owner=tools.owner, now=tools.clock(), lease=LEASE, limit=free)
        )
        taken: list[int] = []
        for row in rows:
            key = row.identity
            if key in belt.tasks:
                continue  # its lease ran out under our feet and it was claimed anew: it is being carried
            if getattr(row, "state", None) in belt.begun:
                taken.append(key)
            belt.rows[key] = row
            belt.tasks[key] = task = asyncio.create_task(self._carry(belt, row))
            task.add_done_callback(lambda _, key=key: self._done(belt, key))  # type: ignore[misc]
        if taken:
            log.info("taken_over", belt=belt.wakeup, keys=taken)

    def _done(self, belt: WorkerPool[Any], key: int) -> None:
        del belt.tasks[key], belt.rows[key]
        belt.missed.discard(key)
        self._tools.store.wakeup(belt.wakeup).set()

    async def _carry(self, belt: WorkerPool[Row], row: Row) -> None:
        with structlog.contextvars.bound_contextvars(**{belt.table.__name__.lower(): row.identity}):
            try:
                await belt.carry(row)
            # In all of these its lease runs out by itself, and then it is tried again.
            except DatabaseAway:
                pass  # the store says so, once for all who wait
            except RetryLater as error:
                log.warning("carry.waits", error=str(error))
            except Exception:
                log.exception("carry.failed")

    # Carrying -------------------------------------------------------------------------------------

    async def _delivery(self, delivery: Delivery) -> None:
        try:
            await self._decide_on(delivery)
        except LeaseLost:
            log.warning("delivery.lost", key=delivery.key)  # what was decided is undone: another bot has it

    async def _decide_on(self, delivery: Delivery) -> None:
        owner = self._tools.owner
        try:
            if delivery.attempts > MAX_TRIES:
                raise RuntimeError("no try came to an end, so whoever tries it may be killed by it")
            await self._delivery_handler.handle(delivery)
        except RetryLater as error:
            if delivery.attempts >= MAX_TRIES:
                log.error("delivery.given_up", key=delivery.key, error=str(error))
                await self._delivery_handler.give_up(delivery, error)
                return
            delay = error.delay or backoff(delivery.attempts)
            due_at, note, key = self._tools.clock() + delay, str(error), delivery.identity
            await self._tools.store.write(
                lambda s: deliveries.retry(s, key, owner=owner, due_at=due_at, note=note)
            )
            asyncio.get_running_loop().call_later(delay, self._tools.store.wakeup("deliveries").set)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("delivery.failed", key=delivery.key)
            await self._delivery_handler.give_up(delivery, error)

    # Keeping --------------------------------------------------------------------------------------

    async def _renew(self) -> None:
        """Renew all leases; the answer also tells which builds and runs somebody asked to stop."""
        wakeup = self._tools.store.wakeup("stops")
        while True:
            await awaken(wakeup, RENEW)
            wakeup.clear()
            for belt in self._belts:
                await patiently("renewal", partial(self._renew_belt, belt))

    async def _renew_belt(self, belt: WorkerPool[Any]) -> None:
        keys = list(belt.tasks)
        if not keys:
            return
        tools, now = self._tools, self._tools.clock()
        held = await tools.store.write(
            lambda s: leases.renew(s, belt.table, owner=tools.owner, ids=keys, now=now, lease=LEASE)
        )
        for key in held.stopping & belt.rows.keys():
            # Beside the renewals: an engine that is slow to answer must not cost us the leases.
            stop = asyncio.create_task(patiently("stop", partial(self._worker.stop, belt.rows[key])))
            self._stops.add(stop)
            stop.add_done_callback(self._stops.discard)
        missing = set(keys) - held.held
        for key in missing & belt.missed & belt.tasks.keys():
            log.warning("lease.lost", belt=belt.wakeup, key=key)
            belt.tasks[key].cancel()
        belt.missed = missing & belt.tasks.keys()

    def _watch(self, looked: float) -> None:
        """Called by a timer, so before anything goes on where this process stood still: did it, too long?"""
        now = monotonic()
        if now - looked > STALL:
            self._let_go(now - looked)
        self._timer = asyncio.get_running_loop().call_later(RENEW, self._watch, now)

    def _let_go(self, seconds: float) -> None:
        """The leases may have run out meanwhile, and others have done what this process was about to do."""
        log.warning("stalled", seconds=round(seconds, 1), why="another bot may have what this one carried")
        for belt in self._belts:
            for task in belt.tasks.values():
                task.cancel()

    async def _open(self) -> None:
        """Put the gate right at the start; then open what people locked for a time when that is over."""
        tools, wakeup = self._tools, self._tools.store.wakeup("locks")
        await patiently("gate", partial(self._decide, admission.sweep))
        while True:
            wakeup.clear()
            await patiently("locks", partial(self._decide, locks.expire))
            try:
                until = await tools.store.read(locks.next_expiry)
            except RetryLater:
                await awaken(wakeup, SWEEP)
            else:
                await awaken(wakeup, None if until is None else max(until - tools.clock(), 0.0))

    async def _tick(self) -> None:
        """Sleep until a schedule is due; what is decided then goes on beside this."""
        wakeup = self._tools.store.wakeup("ticks")
        while True:
            wakeup.clear()
            await patiently("ticks", self._ticks.look)
            await awaken(wakeup, self._ticks.rest())

    async def _decide(self, decide: Callable[..., None]) -> None:
        await self._tools.store.write(lambda s: decide(s, now=self._tools.clock()))

    async def _look(self) -> None:
        wakeup = self._tools.store.wakeup("jobs")
        while True:
            wakeup.clear()
            await patiently("book", self._tools.registry.refresh)
            await awaken(wakeup, SWEEP)
