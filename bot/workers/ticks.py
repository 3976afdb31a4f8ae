"""Sleeps until a schedule is due; what is decided then goes on beside this."""

import asyncio
from collections.abc import Sequence

from bot.handlers.ticks import TickHandler
from bot.store import Store
from bot.workers.patience import awaken, patiently


class TickClock:
    """The duty of schedules."""

    def __init__(self, ticks: TickHandler, store: Store) -> None:
        self._ticks = ticks
        self._store = store

    async def run(self) -> None:
        """Look whenever a tick is due or a schedule has changed, until cancelled."""
        wakeup = self._store.wakeup("ticks")
        while True:
            wakeup.clear()
            await patiently("ticks", self._ticks.look)
            await awaken(wakeup, self._ticks.rest())

    def let_go(self) -> Sequence[asyncio.Task[None]]:
        """Stop deciding; gives what has to be waited for."""
        tasks = list(self._ticks.tasks)
        for task in tasks:
            task.cancel()
        return tasks
