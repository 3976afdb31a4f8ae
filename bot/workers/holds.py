"""Sleeps until a held run is due, for all of them at once; what is decided then is `bot.handlers.holds`."""

import asyncio
from collections.abc import Callable

import structlog

from bot.errors import Refused, RetryLater
from bot.handlers.bindings import Inquiry
from bot.handlers.holds import HoldHandler
from bot.states import Hold
from bot.store import Store, holds
from bot.tables import Run
from bot.workers import timing
from bot.workers.patience import awaken, patiently
from executor.errors import EngineUnavailable

log = structlog.get_logger()

AGAIN = 5.0
"""Seconds after which a held run is looked at again about which nothing could be decided."""
AT_ONCE = 8
"""Held runs that are looked at at the same time."""


class HeldRuns:
    """The duty of held runs."""

    def __init__(self, handler: HoldHandler, store: Store, clock: Callable[[], float]) -> None:
        self._handler = handler
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Look whenever one is due, until cancelled."""
        wakeup = self._store.wakeup("holds")
        while True:
            wakeup.clear()
            await patiently("holds", self.look)
            try:
                at = await self._store.read(holds.next_due)
            except RetryLater:
                await awaken(wakeup, timing.SWEEP)
            else:
                await awaken(wakeup, None if at is None else max(at - self._clock(), 0.0))

    async def look(self) -> None:
        """Decide about those that are due."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(run: Run) -> None:
            async with turns:
                await self._decide(run, inquiry)

        rows = await self._store.read(lambda session: holds.due(session, now=self._clock()))
        inquiry = self._handler.inquiry()
        await asyncio.gather(*(one(row) for row in rows))

    async def _decide(self, run: Run, inquiry: Inquiry) -> None:
        """One that cannot be decided about now comes later, and keeps no other waiting."""
        try:
            await self._handler.look(run, inquiry)
        except (RetryLater, Refused, EngineUnavailable) as error:
            log.warning("hold.waits", run=run.number, error=str(error))
            await self._later(run, getattr(error, "delay", None) or AGAIN)
        except Exception:
            log.exception("hold.failed", run=run.number)
            await self._later(run, AGAIN)

    async def _later(self, run: Run, delay: float) -> None:
        number, kind, at = run.identity, Hold(run.hold or ""), self._clock() + delay
        await self._store.write(lambda session: holds.look_at(session, number, kind, at=at))
