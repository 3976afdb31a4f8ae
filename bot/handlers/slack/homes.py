"""The Home of a person: published when they open it or press something there, and while it moves."""

import json
from collections.abc import Callable

import structlog

from bot import messages
from bot.errors import Refused, RetryLater
from bot.events.slack_facts import SlackAsker, SlackHome, SlackPress
from bot.handlers.conversation import Conversation
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.overviews import OverviewReader
from bot.handlers.slack.viewers import HomeViewers, Viewer
from bot.handlers.visibility import Sight, Visibility
from bot.messages.mrkdwn import slack_text
from bot.messages.slack import forms, homes
from bot.posting.addresses import PageAddresses
from bot.slack import Slack
from bot.tables import Delivery

log = structlog.get_logger()

RIGHTS_KEPT = 60.0
"""Seconds for which a Home shows what somebody might run when GitHub was asked; buttons ask again."""
REFRESH_KEPT = 5.0
"""The same for who asks for it to be made anew."""


class SlackHomePublisher:
    """Makes Homes and shows them; nothing that somebody may not run is in theirs."""

    def __init__(
        self,
        slack: Slack,
        contexts: SlackContexts,
        visibility: Visibility,
        reader: OverviewReader,
        addresses: PageAddresses,
        clock: Callable[[], float],
    ) -> None:
        self._slack = slack
        self._contexts = contexts
        self._visibility = visibility
        self._reader = reader
        self._addresses = addresses
        self._clock = clock
        self.viewers = HomeViewers(clock)

    async def publish(
        self, asker: SlackAsker, page: int, *, opened: bool = False, rights_kept: float = RIGHTS_KEPT
    ) -> None:
        """Show it as it is now, with a page of the jobs; raises `Refused` and `RetryLater`."""
        context = await self._contexts.of(f"home:{asker.user}", asker, None)
        if context.login is None:
            sentence = slack_text(messages.unknown_person(context.membership))
            await self._slack.publish_home(asker.user, homes.unknown_home(sentence))
            return
        old, now = self.viewers.get(asker.user), self._clock()
        sight, at = Sight(), now
        if old is not None and not old.sight.unknown and now - old.sight_at < rights_kept:
            sight, at = old.sight, old.sight_at
        else:
            sight = await self._visibility.of(context)
        overview = await self._reader.overview(sight, page)
        await self._slack.publish_home(
            asker.user, homes.home(overview, page=self._addresses.front, now=self._clock())
        )
        self.viewers.note(asker, overview.jobs.number, sight, at, opened=opened)

    async def refuse(self, press: SlackPress, refusal: str) -> None:
        """Say why nothing was done; the press opens one window, for three seconds."""
        try:
            await self._slack.open_view(press.trigger, forms.notice(refusal))
        except (Refused, RetryLater) as error:
            log.info("home.not_told", user=press.asker.user, error=str(error))

    async def again(self, viewer: Viewer) -> None:
        """Show somebody's Home as it has become meanwhile, without a word where Slack does not take it."""
        viewer.is_stale, viewer.published_at = False, self._clock()
        try:
            await self.publish(viewer.asker, viewer.page)
        except (Refused, RetryLater) as error:
            log.info("home.not_published", user=viewer.asker.user, error=str(error))


class SlackHomeHandler:
    """Decides what becomes of a Home that was opened, or in which something was pressed."""

    def __init__(self, publisher: SlackHomePublisher, conversation: Conversation) -> None:
        self._publisher = publisher
        self._conversation = conversation

    async def opened(self, delivery: Delivery, home: SlackHome) -> None:
        """Show it."""
        try:
            await self._publisher.publish(home.asker, 1, opened=True)
        except Refused as refused:
            await self._conversation.end(delivery, "failed", f"Slack takes no Home: {refused}")
            return
        await self._conversation.end(delivery, "handled", "Home was opened")

    async def turned(self, delivery: Delivery, press: SlackPress) -> None:
        """Show another page of the jobs, or the same anew: the button's value says which."""
        try:
            number = page_number(press.value)
            await self._publisher.publish(press.asker, number, opened=True, rights_kept=REFRESH_KEPT)
        except Refused as refused:
            await self._conversation.end(delivery, "failed", f"Slack takes no Home: {refused}")
            return
        await self._conversation.end(delivery, "handled", f"{press.action} on Home")

    async def follow(self, press: SlackPress, refusal: str) -> None:
        """Show what a button of it has done, and in a window why it did nothing (`refusal`, Markdown)."""
        if refusal:
            await self._publisher.refuse(press, refusal)
        try:
            await self._publisher.publish(press.asker, page_of(press.metadata), opened=True)
        except (Refused, RetryLater) as error:
            log.info("home.not_published", user=press.asker.user, error=str(error))


def page_of(metadata: str) -> int:
    """The page of jobs that a Home shows, by what it carries."""
    try:
        found = json.loads(metadata)
    except (ValueError, RecursionError):
        return 1
    return page_number(str(found.get("page"))) if isinstance(found, dict) else 1


def page_number(text: str) -> int:
    """The page that a button names, the first where it names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
