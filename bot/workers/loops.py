"""Everything that moves by itself: four worker pools, their leases, and the duties that come round again."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from bot.errors import RetryLater
from bot.store import leases
from bot.store.holder import LeaseHolder
from bot.workers.pools import Renewals, Work, WorkerPool
from bot.workers.ticks import TickClock


class Duty(Protocol):
    """What comes round again."""

    async def run(self) -> None:
        """Until it is cancelled."""
        ...


class Workers:
    """All of it; `run` until it is cancelled."""

    def __init__(
        self, holder: LeaseHolder, work: Sequence[Work[Any]], ticks: TickClock, duties: Sequence[Duty]
    ) -> None:
        self._holder = holder
        self._pools = [WorkerPool(each, holder.store, holder.clock, holder.owner) for each in work]
        self._ticks = ticks
        self._duties: tuple[Duty, ...] = (ticks, Renewals(self._pools, holder.store), *duties)
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
            await self._holder.store.write(lambda s: leases.release(s, owner=self._holder.owner))
