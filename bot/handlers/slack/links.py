"""Links to pages of runs, builds and jobs in messages: unfolded for whoever may see what they lead to.

Whoever shares one has to have the right, and no other organisation may read the channel. Of all else nothing
is said: that there is such a run is told to nobody by this.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from bot import messages
from bot.access import links
from bot.errors import AskerError, Refused
from bot.events.slack_facts import SlackLinks
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.conversation import Conversation
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.overviews import OverviewReader
from bot.handlers.visibility import Sight
from bot.messages.slack.elements import Block
from bot.messages.slack.jobs import job_blocks
from bot.posting.addresses import PageAddresses
from bot.posting.audience import Audience
from bot.slack import Slack
from bot.store import Store, builds, runs
from bot.tables import Delivery

MOST = 5
"""Links of one message that are unfolded."""

_PAGE = re.compile(r"/(runs|builds)/([1-9][0-9]{0,17})/?|/(jobs)/([A-Za-z0-9._-]{1,100})/?", re.ASCII)
_SIGNATURE = frozenset({"signature", "expires"})
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class PageLink:
    """An address as Slack tells it, and the page there: `name` of a `kind` (runs, builds, jobs)."""

    address: str
    page: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Door:
    """Whose pages these are: their address, and what signs links to them."""

    addresses: PageAddresses
    keys: links.Keys
    clock: Callable[[], float]

    def page(self, address: str) -> PageLink | None:
        """The page, None for what is none of ours, or whose signature is not valid."""
        try:
            page = address.replace("&amp;", "&")  # Slack may tell it as it stands in the message's text
            link, front = urlsplit(page), urlsplit(self.addresses.front)
            if _origin(link) != _origin(front) or "@" in link.netloc:
                return None
            query = parse_qs(link.query, keep_blank_values=True, max_num_fields=8)
        except ValueError:
            return None
        match = _PAGE.fullmatch(link.path.removeprefix(front.path.rstrip("/")))
        if match is None or not link.path.startswith(front.path):
            return None
        kind, name = match[1] or match[3], match[2] or match[4]
        path = f"/{kind}/{name}"
        if not _SIGNATURE.isdisjoint(query) and not links.verify(
            path, link.query, now=self.clock(), keys=self.keys
        ):
            return None
        return PageLink(address, page, kind, name)


class SlackLinkHandler:
    """Unfolds them."""

    def __init__(
        self,
        slack: Slack,
        contexts: SlackContexts,
        conversation: Conversation,
        audience: Audience,
        pages: "LinkedPages",
    ) -> None:
        self._slack = slack
        self._contexts = contexts
        self._conversation = conversation
        self._audience = audience
        self._pages = pages

    async def handle(self, delivery: Delivery, shared: SlackLinks) -> None:
        """Unfold what may be, without a word about the rest."""
        note = await self._unfold(shared)
        await self._conversation.end(delivery, "ignored" if note else "handled", note or "links are unfolded")

    async def _unfold(self, shared: SlackLinks) -> str | None:
        """Why nothing was unfolded, None where something was."""
        found = self._pages.of(shared.links)
        channel, message = shared.spot.channel, shared.spot.message
        if not found or message is None or shared.is_draft:
            return "no links of ours in a message that was sent"
        context = await self._contexts.of(f"links:{channel}:{message}", shared.asker, shared.spot)
        if shared.is_shared or await self._audience.reads_channel(self._slack, channel):
            return "another organisation reads the channel"
        shown = {link.address: await self._pages.blocks(context, link) for link in found}
        unfurls = {address: {"blocks": blocks} for address, blocks in shown.items() if blocks}
        if not unfurls:
            return f"{context.actor} may see nothing that the links lead to"
        try:
            await self._slack.unfurl(channel, message, unfurls)
        except Refused as refused:
            return f"Slack does not unfold links: {refused}"
        return None


class LinkedPages:
    """What links lead to, as blocks."""

    def __init__(
        self, door: Door, authorization: Authorization, store: Store, overviews: OverviewReader
    ) -> None:
        self._door = door
        self._authorization = authorization
        self._store = store
        self._overviews = overviews

    def of(self, addresses: Iterable[str]) -> list[PageLink]:
        """The pages of ours among these, a few of them."""
        found = (self._door.page(address) for address in dict.fromkeys(addresses))
        return [page for page in found if page is not None][:MOST]

    async def blocks(self, context: RequestContext, link: PageLink) -> list[Block]:
        """What is shown of a page; nothing where there is none that the asker may see."""
        try:
            return await (self._job(context, link) if link.kind == "jobs" else self._card(context, link))
        except (AskerError, Refused):
            return []

    async def _card(self, context: RequestContext, link: PageLink) -> list[Block]:
        """The card, which leads to the address as it was shared: with a signature only if that had one."""
        number = int(link.name)
        if link.kind == "builds":
            build = await self._store.read(lambda s: builds.get(s, number))
            if build is None or build.repository is None:
                return []
            await self._authorization.require(context, build.repository)
            return messages.blocks(messages.build_view(build), link.page)[1]
        run = await self._store.read(lambda s: runs.get(s, number))
        if run is None:
            return []
        await self._authorization.require_run(context, run)
        beside = messages.Beside(pull_link=self._door.addresses.pull_of(run))
        return messages.blocks(messages.run_view(run, beside), link.page)[1]

    async def _job(self, context: RequestContext, link: PageLink) -> list[Block]:
        repository, _ = await self._authorization.require_job(context, link.name)
        job = self._authorization.catalog(context).job(link.name)
        repositories = frozenset([repository] if repository is not None else [])
        own = frozenset([] if repositories else [job.name])
        return job_blocks(await self._overviews.jobs(Sight({job.name: job}, repositories, own=own), 1))


def _origin(url: SplitResult) -> tuple[str, str, int]:
    port = url.port
    return url.scheme, url.hostname or "", _PORTS.get(url.scheme, 0) if port is None else port
