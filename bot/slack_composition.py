"""Puts together what listens to Slack; made where Slack is configured, and not even imported elsewhere."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.access import links
from bot.handlers.actions import Actions
from bot.handlers.answers import Answers
from bot.handlers.approval_inbox import ApprovalInbox
from bot.handlers.conversation import Conversation
from bot.handlers.settlement import Settlement
from bot.handlers.slack.commands import SlackCommandHandler
from bot.handlers.slack.contexts import SlackContexts
from bot.handlers.slack.decisions import HomeDecisions
from bot.handlers.slack.deliveries import Dispatch
from bot.handlers.slack.form_contents import FormContents
from bot.handlers.slack.form_openings import FormOpener
from bot.handlers.slack.form_requests import FormRequests
from bot.handlers.slack.forms import SlackFormHandler
from bot.handlers.slack.homes import SlackHomeHandler, SlackHomePublisher
from bot.handlers.slack.links import Door, LinkedPages, SlackLinkHandler
from bot.handlers.slack.lists import SlackListHandler
from bot.handlers.slack.mentions import SlackMentionHandler
from bot.handlers.slack.overviews import OverviewReader
from bot.handlers.slack.presses import Panels, SlackPressHandler
from bot.handlers.slack.revocations import SlackRevocationHandler
from bot.handlers.visibility import Visibility
from bot.posting.addresses import PageAddresses
from bot.posting.audience import Audience
from bot.registry import Registry
from bot.slack import Slack
from bot.slack.bolt import Dispatcher
from bot.slack.listeners import Listeners
from bot.store import Store
from bot.workers.homes import HomeFollower


@dataclass(frozen=True, slots=True)
class SlackParts:
    """What its classes need of the others; taken whole by nobody but the composition."""

    slack: Slack
    registry: Registry
    store: Store
    contexts: SlackContexts
    actions: Actions
    visibility: Visibility
    conversation: Conversation
    settlement: Settlement
    answers: Answers
    addresses: PageAddresses
    audience: Audience
    inbox: ApprovalInbox
    keys: links.Keys
    clock: Callable[[], float]


class SlackComposition:
    """One of each, made when it is first asked for."""

    def __init__(self, parts: SlackParts) -> None:
        self.parts = parts

    @cached_property
    def overviews(self) -> OverviewReader:
        """What lists and Homes show."""
        parts = self.parts
        return OverviewReader(
            parts.store, parts.addresses, parts.clock, lambda: parts.registry.config.calendar
        )

    @cached_property
    def publisher(self) -> SlackHomePublisher:
        """What shows Homes."""
        parts = self.parts
        known = (parts.slack, parts.contexts, parts.visibility, self.overviews, parts.addresses)
        decisions = HomeDecisions(parts.inbox, parts.actions.authorization)
        return SlackHomePublisher(*known, decisions, parts.clock)

    @cached_property
    def homes(self) -> SlackHomeHandler:
        """Of Homes that are opened."""
        return SlackHomeHandler(self.publisher, self.parts.conversation)

    @cached_property
    def follower(self) -> HomeFollower:
        """What follows Homes that are open."""
        return HomeFollower(self.publisher, self.parts.store)

    @cached_property
    def form_requests(self) -> FormRequests:
        """Of what opens forms."""
        parts = self.parts
        opener = FormOpener(parts.slack, parts.contexts, parts.conversation, parts.answers)
        contents = FormContents(
            parts.actions,
            parts.visibility,
            parts.store,
            parts.clock,
            lambda login: parts.addresses.entrance(login, secrets.token_urlsafe(16)),
        )
        return FormRequests(parts.registry, contents, opener, parts.settlement, parts.clock)

    @cached_property
    def forms(self) -> SlackFormHandler:
        """Of forms that are submitted."""
        parts = self.parts
        rest = (parts.conversation, parts.answers, parts.clock)
        return SlackFormHandler(parts.slack, parts.contexts, parts.actions, *rest)

    @cached_property
    def lists(self) -> SlackListHandler:
        """Of the command alone."""
        parts, shown = self.parts, (self.parts.visibility, self.overviews)
        authorization = parts.actions.authorization
        return SlackListHandler(authorization, parts.contexts, *shown, parts.answers, parts.settlement)

    @cached_property
    def commands(self) -> SlackCommandHandler:
        """Of slash commands."""
        parts = self.parts
        typed = (parts.conversation, parts.answers, self.form_requests, self.lists)
        return SlackCommandHandler(parts.registry, parts.contexts, *typed)

    @cached_property
    def mentions(self) -> SlackMentionHandler:
        """Of mentions."""
        parts = self.parts
        typed = (self.commands, parts.conversation, parts.answers, self.lists)
        return SlackMentionHandler(parts.slack, parts.contexts, *typed)

    @cached_property
    def links(self) -> SlackLinkHandler:
        """Of links to pages."""
        parts, authorization = self.parts, self.parts.actions.authorization
        door = Door(parts.addresses, parts.keys, parts.clock)
        pages = LinkedPages(door, authorization, parts.store, self.overviews)
        seen = (parts.conversation, parts.audience, pages)
        return SlackLinkHandler(parts.slack, parts.contexts, *seen)

    @cached_property
    def presses(self) -> SlackPressHandler:
        """Of buttons."""
        parts, panels = self.parts, Panels(self.homes, self.lists, self.form_requests)
        rest = (parts.conversation, parts.answers)
        return SlackPressHandler(parts.registry, parts.contexts, self.commands, *rest, panels)

    @cached_property
    def dispatch(self) -> Dispatch:
        """Bolt with who listens to it."""
        listeners = Listeners(
            command=self.commands.handle,
            press=self.presses.handle,
            form=self.forms.handle,
            shortcut=self.form_requests.shortcut,
            mention=self.mentions.handle,
            home=self.homes.opened,
            links=self.links.handle,
            revoked=SlackRevocationHandler(self.parts.slack, self.parts.settlement).handle,
        )
        return Dispatcher(listeners).dispatch
