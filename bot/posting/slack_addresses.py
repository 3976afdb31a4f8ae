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
        return await self.of_message(await self._store.read(lambda s: posts.message_of(s, number)))

    async def of_message(self, where: tuple[str, str, str | None] | None) -> str | None:
        """The same of a message whose place (`posts.message_of`) is at hand."""
        if self._slack is None or where is None:
            return None
        try:
            return await self._slack.address(*where)
        except (Refused, RetryLater):
            return None
