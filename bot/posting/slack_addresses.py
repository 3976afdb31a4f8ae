"""Where the message of a run is in Slack."""

from bot.errors import Refused, RetryLater
from bot.slack import Slack
from bot.store import Store, posts


class SlackAddresses:
    """Asks Slack once for its own address; `slack` is None where it is not configured."""

    def __init__(self, store: Store, slack: Slack | None) -> None:
        self._store = store
        self._slack = slack

    async def of_run(self, number: int) -> str | None:
        """The address of the run's message, None where there is none yet, or Slack does not say."""
        if self._slack is None:
            return None
        where = await self._store.read(lambda s: posts.message_of(s, number))
        if where is None:
            return None
        try:
            return await self._slack.address(*where)
        except (Refused, RetryLater):
            return None
