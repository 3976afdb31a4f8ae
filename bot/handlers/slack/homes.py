"""The Home of a person: published when they open it or press something there, and while it moves."""

import json
import math
from collections.abc import Callable
from dataclasses import replace

import structlog

from bot import messages
from bot.errors import Refused, RetryLater
from bot.events.slack_facts import SlackAsker, SlackHome, SlackPress
from bot.handlers.authorization import RequestContext
from bot.handlers.conversation import Conversation
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.decisions import HomeDecisions
from bot.handlers.slack.overviews import OverviewReader
from bot.handlers.slack.viewers import HomeViewers, Publication, Viewer
from bot.handlers.visibility import Known, Visibility
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
FRESH = 1.0
"""Seconds for which a Home that was made is not made anew because it is opened."""
MOST_SHOWN = 1000
"""People of whom it is remembered when theirs was made."""


class SlackHomePublisher:
    """Makes Homes and shows them; nothing that somebody may not run is in theirs."""

    def __init__(
        self,
        slack: Slack,
        contexts: SlackContexts,
        visibility: Visibility,
        reader: OverviewReader,
        addresses: PageAddresses,
        decisions: HomeDecisions,
        clock: Callable[[], float],
    ) -> None:
        self._slack = slack
        self._decisions = decisions
        self._contexts = contexts
        self._visibility = visibility
        self._reader = reader
        self._addresses = addresses
        self._clock = clock
        self._shown_at: dict[str, float] = {}
        self.viewers = HomeViewers(clock)

    def is_fresh(self, user: str) -> bool:
        """Whether their Home was made a moment ago: who turns to it again and again costs no more."""
        return 0.0 <= self._clock() - self._shown_at.get(user, -math.inf) < FRESH

    def _note(self, user: str) -> None:
        self._shown_at.pop(user, None)
        if len(self._shown_at) >= MOST_SHOWN:
            del self._shown_at[next(iter(self._shown_at))]
        self._shown_at[user] = self._clock()

    async def publish(
        self,
        asker: SlackAsker,
        page: int,
        *,
        opened: bool = True,
        rights_kept: float = RIGHTS_KEPT,
        hash: str | None = None,
    ) -> None:
        """Show it as it is now, with a page of the jobs; raises `Refused` and `RetryLater`.

        `opened`: they look at it. With `hash`, only in the place of the one that had it.
        """
        self._note(asker.user)
        begun = self._clock()
        context = await self._contexts.of(f"home:{asker.user}", asker, None)
        known, asked_at = await self._known(context, asker, rights_kept)
        sight = self._visibility.within(context, known)
        if context.login is None and not sight.jobs:
            self.viewers.forget(asker.user)
            sentence = slack_text(messages.unknown_person(context.membership))
            await self._slack.publish_home(asker.user, homes.unknown_home(sentence))
            return
        overview = await self._reader.overview(sight, page)
        waits = await self._decisions.answers(context)
        frozen = await self._decisions.freezes(context, overview.freezes)
        overview = replace(overview, for_you=self._reader.lines(waits), freezes=frozen)
        view = homes.home(overview, page=self._addresses.front, now=self._clock())
        hash = await self._slack.publish_home(asker.user, view, hash)
        shown = Publication(
            page=overview.jobs.number,
            login=context.login,
            known=known,
            asked_at=asked_at,
            hash=hash,
            repositories=sight.repositories,
            own=sight.own,
        )
        self.viewers.note(asker, shown, opened=opened, begun=begun)

    async def _known(self, context: RequestContext, asker: SlackAsker, kept: float) -> tuple[Known, float]:
        """What is known of somebody, and when that was asked; not too long ago."""
        old, now = self.viewers.get(asker.user), self._clock()
        if old is not None and old.publication.login == context.login:
            last = old.publication
            if not last.known.unknown and now - last.asked_at < kept:
                return last.known, last.asked_at
        return await self._visibility.known(context), now

    async def refuse(self, press: SlackPress, refusal: str) -> None:
        """Say why nothing was done; the press opens one window, for three seconds."""
        try:
            await self._slack.open_view(press.trigger, forms.notice(refusal))
        except (Refused, RetryLater) as error:
            log.info("home.not_told", user=press.asker.user, error=str(error))

    async def again(self, viewer: Viewer) -> None:
        """Show somebody's Home as it has become meanwhile, without a word where Slack does not take it.

        Where another bot shows it by now, that one follows it.
        """
        viewer.is_stale, viewer.published_at, last = False, self._clock(), viewer.publication
        try:
            await self.publish(viewer.asker, last.page, opened=False, hash=last.hash or None)
        except (Refused, RetryLater) as error:
            if getattr(error, "status", None) != "hash_conflict":
                log.info("home.not_published", user=viewer.asker.user, error=str(error))
            elif self.viewers.get(viewer.asker.user) is viewer:
                self.viewers.forget(viewer.asker.user)


class SlackHomeHandler:
    """Decides what becomes of a Home that was opened, or in which something was pressed."""

    def __init__(self, publisher: SlackHomePublisher, conversation: Conversation) -> None:
        self._publisher = publisher
        self._conversation = conversation

    async def opened(self, delivery: Delivery, home: SlackHome) -> None:
        """Show it."""
        if self._publisher.is_fresh(home.asker.user):
            await self._conversation.end(delivery, "handled", "Home was opened again")
            return
        try:
            await self._publisher.publish(home.asker, 1)
        except Refused as refused:
            await self._conversation.end(delivery, "ignored", f"Slack takes no Home: {refused}")
            return
        await self._conversation.end(delivery, "handled", "Home was opened")

    async def turned(self, delivery: Delivery, press: SlackPress) -> None:
        """Show another page of the jobs, or the same anew: the button's value says which."""
        try:
            number = page_number(press.value)
            await self._publisher.publish(press.asker, number, rights_kept=REFRESH_KEPT)
        except Refused as refused:
            await self._conversation.end(delivery, "ignored", f"Slack takes no Home: {refused}")
            return
        await self._conversation.end(delivery, "handled", f"{press.action} on Home")

    async def follow(self, press: SlackPress, refusal: str) -> None:
        """Show what a button of it has done, and in a window why it did nothing (`refusal`, Markdown)."""
        if refusal:
            await self._publisher.refuse(press, refusal)
        try:
            await self._publisher.publish(press.asker, page_of(press.metadata))
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
