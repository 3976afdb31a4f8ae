"""Which account of GitHub somebody in Slack is.

`slack.people` says it, without a question to anybody. Else nobody has a right, unless `slack.email_domains`
lets a member of the workspace be known by a verified address. Being in a channel says nothing.
"""

from dataclasses import dataclass

from bot.access.people import Membership
from bot.errors import Refused, RetryLater
from bot.events.slack_facts import SlackAsker
from bot.registry import Registry
from bot.slack.directory import SlackPeople
from bot.slack.people import Home, Person


@dataclass(frozen=True, slots=True)
class Identity:
    """The login of GitHub, None where none belongs to them, and then why."""

    login: str | None
    membership: Membership = Membership.MEMBER


class SlackIdentities:
    """Says it; `people` is None where Slack is not configured."""

    def __init__(self, registry: Registry, people: SlackPeople | None) -> None:
        self._registry = registry
        self._people = people

    async def of(self, asker: SlackAsker) -> Identity:
        """Who asks; `RetryLater` where the answer might be yes, and Slack or GitHub do not say now."""
        login = self._registry.config.person(asker.user)
        if login is not None:
            return Identity(login)
        if self._people is None:
            return Identity(None, Membership.UNKNOWN)
        try:
            home, person = await self._people.home(), await self._people.person(asker.user)
        except (Refused, RetryLater):
            return Identity(None, Membership.UNKNOWN)  # it would be a no in any case
        return Identity(None, membership(asker, person, home))


def membership(asker: SlackAsker, person: Person | None, home: Home) -> Membership:
    """What somebody is to the workspace; where what came and what Slack says differ, the lesser counts."""
    if person is None or person.id != asker.user:
        return Membership.UNKNOWN
    if person.is_deleted:
        return Membership.GONE
    if person.is_bot:
        return Membership.PROGRAM
    ours = {home.team, home.enterprise, *person.teams}
    if person.is_stranger or (asker.team is not None and asker.team not in ours):
        return Membership.STRANGER
    return Membership.GUEST if person.is_guest else Membership.MEMBER
