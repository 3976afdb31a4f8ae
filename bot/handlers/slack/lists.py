"""The command alone: the jobs that somebody may run, with buttons, in pages that only they see."""

from bot import messages
from bot.events.slack_facts import SlackPress
from bot.handlers.answers import Answers
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.settlement import Settlement
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.overviews import OverviewReader
from bot.handlers.visibility import Visibility
from bot.messages.slack.jobs import job_list
from bot.posting import targets
from bot.tables import Delivery, Post


class SlackListHandler:
    """Answers with a page of the jobs."""

    def __init__(
        self,
        authorization: Authorization,
        contexts: SlackContexts,
        visibility: Visibility,
        reader: OverviewReader,
        answers: Answers,
        settlement: Settlement,
    ) -> None:
        self._authorization = authorization
        self._contexts = contexts
        self._visibility = visibility
        self._reader = reader
        self._answers = answers
        self._settlement = settlement

    async def handle(self, delivery: Delivery, context: RequestContext) -> None:
        """The first page, for who typed the command or the mention alone."""
        posts = await self._page(context, 1, replaces=False)
        await self._settlement.settle(delivery, "handled", f"{context.actor} asks for the jobs", posts)

    async def turn(self, delivery: Delivery, press: SlackPress, number: int) -> None:
        """Another page, in the place of the one that had the button where nobody else sees that."""
        context = await self._contexts.of(delivery.key, press.asker, press.spot)
        replaces = press.spot is not None and press.spot.ephemeral
        posts = await self._page(context, number, replaces=replaces)
        await self._settlement.settle(delivery, "handled", f"{context.actor} turns to page {number}", posts)

    async def _page(self, context: RequestContext, number: int, *, replaces: bool) -> list[Post]:
        sight = await self._visibility.of(context)
        if context.login is None and not sight.jobs:
            text = messages.error_reply(messages.unknown_person(context.membership))
            return self._answers.slack(context, [text])
        page = await self._reader.jobs(sight, number)
        text, blocks = job_list(page, command=self._authorization.first_word(context))
        posts = self._answers.slack(context, [messages.Illustrated(text, blocks)])
        return [targets.replacing(post) for post in posts] if replaces else posts
