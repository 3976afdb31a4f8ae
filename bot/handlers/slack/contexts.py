"""Who asks in Slack, and whose rights count for it."""

from bot.events.slack_facts import SlackAsker, SlackSpot
from bot.handlers.authorization import RequestContext
from bot.handlers.places import SlackPlace
from bot.registry import Registry
from bot.states import ActorKind, Cause


class SlackContexts:
    """Makes the context of a request: the GitHub account that somebody is mapped to is who asks."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def of(self, key: str, asker: SlackAsker, spot: SlackSpot | None) -> RequestContext:
        """The request with the unique `key`; its `login` is None for somebody whom nobody mapped.

        `spot` is where it was asked, None for Home.
        """
        login = self._registry.config.person(asker.user)
        return RequestContext(
            key=key,
            cause=Cause.SLACK,
            actor=ActorKind.SLACK.named(login or asker.user),
            login=login,
            place=None if spot is None else place(spot, asker),
        )


def place(spot: SlackSpot, asker: SlackAsker) -> SlackPlace:
    """Where answers go; a thread that a message of a channel began takes them."""
    name = f"#{spot.name}" if spot.name else ""
    return SlackPlace(spot.channel, name, spot.response_url, spot.thread, asker.user)
