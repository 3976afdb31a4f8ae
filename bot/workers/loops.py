"""Everything that moves by itself: four worker pools, their leases, and the duties that come round again."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from bot.context import Context
from bot.errors import RetryLater
from bot.handlers.deliveries import DeliveryHandler
from bot.handlers.ticks import TickHandler
from bot.posting.outbox import Outbox
from bot.states import State
from bot.store import builds, deliveries, leases, posts, runs
from bot.store.transitions import ACTIVE
from bot.tables import Build, Delivery, Post, Run
from bot.workers.build_worker import BuildWorker
from bot.workers.delivery_worker import DeliveryWorker
from bot.workers.leftovers import Leftovers
from bot.workers.locks import LockExpiry
from bot.workers.pools import Renewals, Work, WorkerPool
from bot.workers.refresh import RegistryRefresh
from bot.workers.retention import Retention
from bot.workers.run_worker import RunWorker
from bot.workers.ticks import TickClock

DELIVERIES = 16
"""Deliveries decided at the same time; each is a few requests to GitHub."""
POSTS = 16
"""Posts sent at the same time."""


class Duty(Protocol):
    """What comes round again."""

    async def run(self) -> None:
        """Until it is cancelled."""
        ...


class Workers:
    """All of it; `run` until it is cancelled."""

    def __init__(self, tools: Context, delivery_handler: DeliveryHandler, ticks: TickHandler) -> None:
        self._store, self._owner = tools.store, tools.owner
        leftovers, limits = Leftovers(), tools.config.limits
        decides = DeliveryWorker(delivery_handler, tools.store, tools.clock, tools.owner)
        builder, runner = BuildWorker(tools, leftovers), RunWorker(tools, leftovers)
        building = (State.BUILDING,)
        work: tuple[Work[Any], ...] = (
            Work("deliveries", Delivery, deliveries.claim, decides.carry, DELIVERIES),
            Work("builds", Build, builds.claim, builder.carry, limits.builds, building, builder.stop),
            Work("runs", Run, runs.claim, runner.carry, limits.runs, ACTIVE, runner.stop),
            Work("posts", Post, posts.claim, Outbox(tools).send, POSTS),
        )
        self._pools = [WorkerPool(each, tools.store, tools.clock, tools.owner) for each in work]
        self._ticks = TickClock(ticks, tools.store)
        self._duties: tuple[Duty, ...] = (
            LockExpiry(tools.store, tools.clock),
            self._ticks,
            Renewals(self._pools, tools.store),
            Retention(tools, leftovers),
            RegistryRefresh(tools.registry, tools.store),
        )
        self._alive = False

    def dead(self) -> Sequence[str]:
        """The names of the pools that do not work; /readyz tells them."""
        return () if self._alive else tuple(pool.work.queue for pool in self._pools)

    async def run(self) -> None:
        """Work until cancelled; then let go of everything, so that the next bot may take it at once."""
        self._alive = True
        try:
            async with asyncio.TaskGroup() as group:
                for pool in self._pools:
                    group.create_task(pool.run())
                for duty in self._duties:
                    group.create_task(duty.run())
        finally:
            self._alive = False
            await self._drain()

    async def _drain(self) -> None:
        tasks = [*self._ticks.let_go(), *(task for pool in self._pools for task in pool.let_go())]
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(RetryLater):  # the leases end by themselves as well
            await self._store.write(lambda s: leases.release(s, owner=self._owner))
