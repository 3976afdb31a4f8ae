"""Which account of GitHub somebody in Slack is.

`slack.people` says it, without a question to anybody. Else nobody has a right, unless `slack.email_domains`
lets a member of the workspace be known by a verified address. Being in a channel says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.access.people import Membership, domain_of
from bot.errors import Refused, RetryLater
from bot.events.slack_facts import SlackAsker
from bot.github.verified_emails import VerifiedEmails
from bot.registry import Registry
from bot.slack.directory import SlackPeople
from bot.slack.people import Person, membership


@dataclass(frozen=True, slots=True)
class Identity:
    """The login of GitHub, None where none belongs to them, and then why."""

    login: str | None
    membership: Membership = Membership.MEMBER


class SlackIdentities:
    """Says it; `people` and `emails` are None where Slack or GitHub is not configured."""

    def __init__(self, registry: Registry, people: SlackPeople | None, emails: VerifiedEmails | None) -> None:
        self._registry = registry
        self._people = people
        self._emails = emails

    async def of(self, asker: SlackAsker) -> Identity:
        """Who asks; `RetryLater` where the answer might be yes, and Slack or GitHub do not say now."""
        login = self._registry.config.person(asker.user)
        if login is not None:
            return Identity(login)
        if self._people is None:
            return Identity(None, Membership.UNKNOWN)
        domains = self._domains
        try:
            home, person = await self._people.home(), await self._people.person(asker.user)
        except Refused:
            return Identity(None, Membership.UNKNOWN)
        except RetryLater:
            if domains or self._registry.rules.asks_groups:
                raise
            return Identity(None, Membership.UNKNOWN)  # it would be a no in any case, or does not matter
        if person is None:
            return Identity(None, Membership.UNKNOWN)
        found = membership(person, home, asker.team)
        if found is not Membership.MEMBER or not domains:
            return Identity(None, found)
        try:
            return await self._by_email(person, domains)
        except Refused:
            return Identity(None)

    @property
    def _domains(self) -> tuple[str, ...]:
        """Those by whose addresses members are known."""
        slack = self._registry.config.slack
        return () if slack is None or self._emails is None else slack.email_domains

    async def _by_email(self, person: Person, domains: Sequence[str]) -> Identity:
        """The one account on GitHub that has the address that Slack has confirmed."""
        config, address = self._registry.config, person.email
        if address is None or self._emails is None or config.github is None:
            return Identity(None)
        if not person.is_email_confirmed:
            return Identity(None, Membership.UNCONFIRMED)
        if domain_of(address) not in domains:
            return Identity(None, Membership.ELSEWHERE)
        logins: dict[str, str] = {}
        for owner in config.github.owners:
            logins |= {each.lower(): each for each in await self._emails.logins(owner, address)}
        if len(logins) != 1:
            return Identity(None, Membership.AMBIGUOUS if logins else Membership.UNMATCHED)
        (login,) = logins.values()
        if config.member(login) is not None:
            return Identity(None, Membership.TAKEN)
        if self._people is not None:
            self._people.remember(login, person.id)
        return Identity(login)
