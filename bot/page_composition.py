"""Puts together what pages need besides the commands that everybody has."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.handlers.actions import Actions
from bot.handlers.page_actions import PageActions
from bot.handlers.page_removals import PageRemovals, Removal
from bot.handlers.page_rights import PageRights
from bot.handlers.verbs import CommandHandlers
from bot.handlers.visibility import Visibility
from bot.posting.addresses import PageAddresses
from bot.posting.relations import RelationFinder
from bot.posting.slack_addresses import SlackAddresses
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.slack import Slack
from bot.store import Store


@dataclass(frozen=True, slots=True)
class PageParts:
    """What its classes need of the others; taken whole by nobody but the composition."""

    registry: Registry
    store: Store
    slack: Slack | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    host: CodeHost
    visibility: Visibility
    commands: CommandHandlers
    actions: Actions
    addresses: PageAddresses
    removal: Removal


class PageComposition:
    """One of each, made when it is first asked for."""

    def __init__(self, parts: PageParts) -> None:
        self.parts = parts

    @cached_property
    def rights(self) -> PageRights:
        """Who sees what."""
        parts = self.parts
        return PageRights(parts.registry, parts.host, parts.visibility, parts.clock)

    @cached_property
    def actions(self) -> PageActions:
        """Of who presses something."""
        parts = self.parts
        return PageActions(parts.commands, parts.actions, parts.store, parts.nonce)

    @cached_property
    def removals(self) -> PageRemovals:
        """Of admins who remove runs."""
        return PageRemovals(self.rights, self.parts.store, self.parts.removal)

    @cached_property
    def relations(self) -> RelationFinder:
        """What runs and builds are told with."""
        parts = self.parts
        return RelationFinder(parts.addresses, SlackAddresses(parts.store, parts.slack))
