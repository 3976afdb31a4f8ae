"""Carries deliveries: has each decided, tries again what has to wait, and gives up with an answer."""

import asyncio
from collections.abc import Callable

import structlog

from bot.errors import RetryLater
from bot.handlers.deliveries import DeliveryHandler
from bot.store import Store, deliveries
from bot.store.leases import LeaseLost
from bot.tables import Delivery

log = structlog.get_logger()

MAX_TRIES = 8
"""Tries of one delivery; with `backoff`, some four minutes beyond what GitHub asks to wait."""


def backoff(attempts: int) -> float:
    """Seconds to wait after the `attempts`-th try: 1, 2, 4 ... at most two minutes."""
    return float(min(2 ** max(attempts - 1, 0), 120))


class DeliveryWorker:
    """Carries deliveries that `owner` claimed."""

    def __init__(
        self, handler: DeliveryHandler, store: Store, clock: Callable[[], float], owner: str
    ) -> None:
        self._handler = handler
        self._store = store
        self._clock = clock
        self._owner = owner

    async def carry(self, delivery: Delivery) -> None:
        """Have it decided, or stored why it waits, or given up."""
        try:
            await self._decide(delivery)
        except LeaseLost:
            log.warning("delivery.lost", key=delivery.key)  # what was decided is undone: another bot has it

    async def _decide(self, delivery: Delivery) -> None:
        try:
            if delivery.attempts > MAX_TRIES:
                raise RuntimeError("no try came to an end, so whoever tries it may be killed by it")
            await self._handler.handle(delivery)
        except RetryLater as error:
            if delivery.attempts >= MAX_TRIES:
                log.error("delivery.given_up", key=delivery.key, error=str(error))
                await self._handler.give_up(delivery, error)
                return
            await self._retry(delivery, error)
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("delivery.failed", key=delivery.key)
            await self._handler.give_up(delivery, error)

    async def _retry(self, delivery: Delivery, error: RetryLater) -> None:
        delay = error.delay or backoff(delivery.attempts)
        due_at, note, key, owner = self._clock() + delay, str(error), delivery.identity, self._owner
        await self._store.write(lambda s: deliveries.retry(s, key, owner=owner, due_at=due_at, note=note))
        asyncio.get_running_loop().call_later(delay, self._store.wakeup("deliveries").set)
