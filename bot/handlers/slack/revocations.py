"""What Slack takes away: told to the operator as what a call would meet, and once together with that."""

from bot.events.slack_facts import SlackRevoked
from bot.handlers.settlement import Settlement
from bot.slack import Slack
from bot.tables import Delivery

_ERRORS = {
    "tokens_revoked": "token_revoked",
    "app_uninstalled": "account_inactive",
    "channel_archive": "is_archived",
    "group_archive": "is_archived",
    "channel_left": "not_in_channel",
    "group_left": "channel_not_found",
}
"""By Slack's name of the event, what it answers to a call from then on."""


class SlackRevocationHandler:
    """Notes them; whatever else there is in Slack goes on."""

    def __init__(self, slack: Slack, settlement: Settlement) -> None:
        self._slack = slack
        self._settlement = settlement

    async def handle(self, delivery: Delivery, fact: SlackRevoked) -> None:
        """Tell it, unless it is told already."""
        error = _ERRORS.get(fact.what)
        if error is not None:
            await self._slack.note_fault(error, fact.channel)
        await self._settlement.settle(delivery, "handled", f"Slack says {fact.what}")
