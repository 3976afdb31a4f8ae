"""Sleeps until a run has to have started that has not, for all of them at once, and gives it up then."""

from collections.abc import Callable

import structlog

from bot.errors import RetryLater
from bot.store import Store, start_limits
from bot.workers import timing
from bot.workers.patience import awaken, patiently

log = structlog.get_logger()


class StartLimits:
    """The duty of `start_within`."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Look whenever one is due, until cancelled."""
        wakeup = self._store.wakeup("limits")
        while True:
            wakeup.clear()
            await patiently("limits", self.look)
            try:
                at = await self._store.read(start_limits.next_due)
            except RetryLater:
                await awaken(wakeup, timing.SWEEP)
            else:
                await awaken(wakeup, None if at is None else max(at - self._clock(), 0.0))

    async def look(self) -> None:
        """Give up those that are due."""
        now = self._clock()
        for number in await self._store.read(lambda session: start_limits.due(session, now=now)):
            run = await self._store.write(
                lambda session, number=number: start_limits.give_up(session, number, now=now)  # type: ignore[misc]
            )
            if run is not None:
                log.info("run.late", run=number, job=run.job)
