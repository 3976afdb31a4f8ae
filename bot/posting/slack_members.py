"""Who of Slack somebody is whom history knows by name: for mentions, which give nobody a right."""

import asyncio

from bot.access.people import IN_WORDS, is_member_id
from bot.errors import Refused, RetryLater
from bot.registry import Registry
from bot.slack.directory import SlackPeople
from bot.slack.people import membership
from bot.states import ActorKind

WAIT = 2.0
"""Seconds that a card waits to hear what somebody is."""


class SlackMembers:
    """Finds them; `people` is None where Slack is not configured."""

    def __init__(self, registry: Registry, people: SlackPeople | None) -> None:
        self._registry = registry
        self._people = people

    def of_actor(self, actor: str) -> str | None:
        """The member id of who asked, None where that is not known."""
        kind, _, name = actor.partition(":")
        if kind == ActorKind.SLACK and is_member_id(name):
            return name
        return self.of_login(name) if kind in (ActorKind.SLACK, ActorKind.GITHUB) else None

    def of_login(self, login: str) -> str | None:
        """The member id of an account of GitHub: by `slack.people`, else whoever was known by an address."""
        listed = self._registry.config.member(login)
        return listed if listed is not None or self._people is None else self._people.member(login)

    async def in_words(self, member: str) -> str | None:
        """What they are where they are no plain member (`guest`), as far as Slack says it now."""
        if self._people is None:
            return None
        try:
            async with asyncio.timeout(WAIT):
                person, home = await self._people.person(member), await self._people.home()
        except (Refused, RetryLater, TimeoutError):
            return None
        return None if person is None else IN_WORDS.get(membership(person, home))
