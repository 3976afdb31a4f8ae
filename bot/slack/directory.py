"""What Slack says of people and of user groups, remembered for a minute.

However many want to know the same at the same time, Slack is asked once; while it does not answer nobody is
told what it once said (`RetryLater`).
"""

from collections.abc import Callable, Mapping

from bot.caches import ExpiringCache
from bot.errors import Refused
from bot.slack.client import Slack
from bot.slack.people import Group, Home, Person

MINUTE = 60.0
"""Seconds for which an answer holds: so long a guest may still be taken for a member."""
PEOPLE = 4096
"""People who are remembered."""
GROUPS = 256
"""User groups whose members are remembered."""
MEMBERS = 4096
"""Logins of GitHub of which it is remembered whose they are."""

_NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
_NO_GROUP = frozenset({"no_such_subteam", "subteam_disabled"})


class SlackPeople:
    """Who people are; `clock` gives seconds."""

    def __init__(self, slack: Slack, clock: Callable[[], float]) -> None:
        self._slack = slack
        self._clock = clock
        self._people: ExpiringCache[str, tuple[Person | Refused | None]] = ExpiringCache(clock, PEOPLE)
        self._members: dict[str, str] = {}

    async def home(self) -> Home:
        """Where Errand is installed; `RetryLater` and `Refused` as Slack has it."""
        return await self._slack.home()

    async def person(self, user: str) -> Person | None:
        """Who that is, None for an id that Slack does not know or show.

        `RetryLater` where Slack cannot be asked now, `Refused` where it does not let us.
        """

        async def ask() -> tuple[tuple[Person | Refused | None], float]:
            person: Person | Refused | None
            try:
                person = await self._slack.person(user)
                if person.id != user:
                    person = None
            except Refused as refused:
                person = None if refused.status in _NOBODY else refused
            return (person,), self._clock() + MINUTE

        (found,) = await self._people.get(user, ask)
        if isinstance(found, Refused):
            raise Refused(str(found), status=found.status)
        return found

    def remember(self, login: str, user: str) -> None:
        """`user` is the account `login` of GitHub, as far as is known now."""
        self._members.pop(login.lower(), None)
        while len(self._members) >= MEMBERS:
            del self._members[next(iter(self._members))]
        self._members[login.lower()] = user

    def member(self, login: str) -> str | None:
        """The id of whoever was remembered with this login, for a mention: it gives no right."""
        return self._members.get(login.lower())


class SlackGroups:
    """The user groups of the workspace, by their handles, with or without `@`."""

    def __init__(self, slack: Slack, clock: Callable[[], float]) -> None:
        self._slack = slack
        self._clock = clock
        self._groups: ExpiringCache[str, Mapping[str, Group] | Refused] = ExpiringCache(clock)
        self._members: ExpiringCache[str, frozenset[str]] = ExpiringCache(clock, GROUPS)

    async def find(self, handle: str) -> Group | None:
        """The group, None where there is none or it is disabled.

        `RetryLater` where Slack cannot be asked now, `Refused` where it does not let us.
        """
        found = await self._groups.get("", self._list)
        if isinstance(found, Refused):
            raise Refused(str(found), status=found.status)
        return found.get(handle.removeprefix("@").lower())

    async def members(self, handle: str, *, fresh: bool = False) -> frozenset[str]:
        """The ids of who is in the group; nobody is in one that there is not. `fresh`: as it is now."""
        group = await self.find(handle)
        if group is None:
            return frozenset()
        if fresh:
            self._members.drop(group.id)
        return await self._members.get(group.id, lambda: self._ask(group.id))

    async def _list(self) -> tuple[Mapping[str, Group] | Refused, float]:
        try:
            groups = await self._slack.groups()
        except Refused as refused:
            return refused, self._ends()
        return {each.handle.lower(): each for each in groups if not each.is_disabled}, self._ends()

    async def _ask(self, group: str) -> tuple[frozenset[str], float]:
        try:
            return await self._slack.group_members(group), self._ends()
        except Refused as refused:
            if refused.status not in _NO_GROUP:
                raise
            return frozenset(), self._ends()

    def _ends(self) -> float:
        return self._clock() + MINUTE
