"""Who is called when something fails: what `notify.who` names, as mentions of Slack.

A mention comes from configuration alone. Of what does not lead to anybody in Slack the name is shown.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence

from bot.catalog.notify import GROUP, MEMBER
from bot.errors import Refused, RetryLater
from bot.messages.mrkdwn import fitted
from bot.slack import Slack

MINUTE = 60.0
"""Seconds for which it is known which user groups there are."""


class Callees:
    """Writes mentions; `people` gives the GitHub login of a Slack user, `clock` seconds."""

    def __init__(self, people: Callable[[], Mapping[str, str]], clock: Callable[[], float]) -> None:
        self._people = people
        self._clock = clock
        self._groups: dict[str, str] = {}
        self._until = -1.0
        self._lock = asyncio.Lock()

    async def mentions(self, slack: Slack, who: Sequence[str]) -> str:
        """The mentions of these (`slack:U012AB3CD`, `slack:@ops`, `github:octocat`), side by side."""
        return " ".join(dict.fromkeys([await self._mention(slack, each) for each in who]))

    async def _mention(self, slack: Slack, who: str) -> str:
        kind, _, name = who.partition(":")
        if kind == "github":
            login = name.casefold()
            members = (user for user, of in self._people().items() if of.casefold() == login)
            found = next(members, None)
            return fitted(name, 60) if found is None else f"<@{found}>"
        if re.fullmatch(MEMBER, name):
            return f"<@{name}>"
        if name.startswith("@"):
            group = await self._group(slack, name[1:])
            return fitted(name, 90) if group is None else f"<!subteam^{group}>"
        return f"<!subteam^{name}>" if re.fullmatch(GROUP, name) else ""

    async def _group(self, slack: Slack, handle: str) -> str | None:
        """The id of a user group; None where there is none, or Slack does not say."""
        async with self._lock:
            if self._clock() >= self._until:
                try:
                    groups = await slack.groups()
                    self._groups = {each.handle: each.id for each in groups if not each.is_disabled}
                except (Refused, RetryLater):
                    pass  # the client says so to the operator; the name is shown meanwhile
                self._until = self._clock() + MINUTE
        found = self._groups.get(handle)
        return found if found is not None and re.fullmatch(GROUP, found) else None
