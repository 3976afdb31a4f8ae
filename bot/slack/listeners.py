"""Who listens to what Slack sends: one handler for each kind of fact."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.events.slack_facts import (
    SlackCommand,
    SlackForm,
    SlackHome,
    SlackLinks,
    SlackMention,
    SlackPress,
    SlackRevoked,
    SlackShortcut,
)
from bot.tables import Delivery


@dataclass(frozen=True, slots=True)
class Listeners:
    """Each settles the delivery that it is given, and may raise `RetryLater`."""

    command: Callable[[Delivery, SlackCommand], Awaitable[None]]
    press: Callable[[Delivery, SlackPress], Awaitable[None]]
    form: Callable[[Delivery, SlackForm], Awaitable[None]]
    shortcut: Callable[[Delivery, SlackShortcut], Awaitable[None]]
    mention: Callable[[Delivery, SlackMention], Awaitable[None]]
    home: Callable[[Delivery, SlackHome], Awaitable[None]]
    links: Callable[[Delivery, SlackLinks], Awaitable[None]]
    revoked: Callable[[Delivery, SlackRevoked], Awaitable[None]]
