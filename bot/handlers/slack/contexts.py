"""Who asks in Slack, and whose rights count for it."""

from bot.access.people import Membership, login_name
from bot.events.slack_facts import SlackAsker, SlackSpot
from bot.handlers.authorization import RequestContext
from bot.handlers.places import SlackPlace
from bot.handlers.slack.identities import Identity, SlackIdentities
from bot.states import ActorKind, Cause


class SlackContexts:
    """Makes the context of a request: the GitHub account that somebody is mapped to is who asks."""

    def __init__(self, identities: SlackIdentities) -> None:
        self._identities = identities

    async def of(self, key: str, asker: SlackAsker, spot: SlackSpot | None) -> RequestContext:
        """The request with the unique `key`; its `login` is None for somebody whom nobody mapped.

        `spot` is where it was asked, None for Home. `RetryLater` where it is not known now who they are.
        """
        return context(key, asker, spot, await self._identities.of(asker))


def context(key: str, asker: SlackAsker, spot: SlackSpot | None, who: Identity) -> RequestContext:
    """The request of somebody who is `who`."""
    return RequestContext(
        key=key,
        cause=Cause.SLACK,
        actor=ActorKind.SLACK.named(asker.user if who.login is None else login_name(who.login)),
        login=who.login,
        place=None if spot is None else place(spot, asker),
        membership=who.membership,
        users=frozenset([asker.user]),
    )


def unasked(key: str, asker: SlackAsker, spot: SlackSpot | None) -> RequestContext:
    """The request where who asks does not matter: it is only answered."""
    return context(key, asker, spot, Identity(None, Membership.UNKNOWN))


def place(spot: SlackSpot, asker: SlackAsker) -> SlackPlace:
    """Where answers go; a thread that a message of a channel began takes them."""
    name = f"#{spot.name}" if spot.name else ""
    return SlackPlace(spot.channel, name, spot.response_url, spot.thread, asker.user)
