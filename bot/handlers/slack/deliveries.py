"""What Slack sent, handed to Bolt, which finds who listens to it."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.events import slack
from bot.events.fields import Unreadable
from bot.handlers.settlement import Settlement
from bot.tables import Delivery

Dispatch = Callable[[Delivery, dict[str, Any]], Awaitable[str | None]]
"""`bot.slack.bolt.Dispatcher.dispatch`."""


class SlackDeliveryHandler:
    """Has stored deliveries dispatched; `dispatch` is None where Slack is not configured any more."""

    def __init__(self, dispatch: Dispatch | None, settlement: Settlement) -> None:
        self._dispatch = dispatch
        self._settlement = settlement

    async def handle(self, delivery: Delivery) -> None:
        """Have it settled by its listener, or as ignored where nobody listens or nothing can be read."""
        if self._dispatch is None:
            await self._settlement.settle(delivery, "ignored", "Slack is not configured")
            return
        try:
            payload = slack.payload(delivery.media_type, delivery.body)
        except (ValueError, RecursionError) as error:
            why = f"the payload cannot be read: {type(error).__name__}"
            await self._settlement.settle(delivery, "ignored", why)
            return
        try:
            ignored = await self._dispatch(delivery, payload)
        except Unreadable as error:
            ignored = str(error)
        if ignored is not None:
            await self._settlement.settle(delivery, "ignored", ignored)
