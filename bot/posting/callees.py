"""Who is called when something fails: what `notify.who` names, as mentions of Slack.

A mention comes from configuration alone. Of what does not lead to anybody in Slack the name is shown.
"""

import re
from collections.abc import Sequence

from bot.catalog.notify import GROUP, MEMBER
from bot.errors import Refused, RetryLater
from bot.messages.mrkdwn import fitted
from bot.posting.slack_members import SlackMembers
from bot.slack.directory import SlackGroups


class Callees:
    """Writes mentions; `groups` is None where Slack is not configured."""

    def __init__(self, members: SlackMembers, groups: SlackGroups | None) -> None:
        self._members = members
        self._groups = groups

    async def mentions(self, who: Sequence[str]) -> str:
        """The mentions of these (`slack:U012AB3CD`, `slack:@ops`, `github:octocat`), side by side."""
        return " ".join(dict.fromkeys([await self._mention(each) for each in who]))

    async def _mention(self, who: str) -> str:
        kind, _, name = who.partition(":")
        if kind == "github":
            found = self._members.of_login(name)
            return fitted(name, 60) if found is None else f"<@{found}>"
        if re.fullmatch(MEMBER, name):
            return f"<@{name}>"
        if name.startswith("@"):
            group = await self._group(name)
            return fitted(name, 90) if group is None else f"<!subteam^{group}>"
        return f"<!subteam^{name}>" if re.fullmatch(GROUP, name) else ""

    async def _group(self, handle: str) -> str | None:
        """The id of a user group; None where there is none, or Slack does not say."""
        try:
            group = None if self._groups is None else await self._groups.find(handle)
        except (Refused, RetryLater):
            return None  # the client says so to the operator; the name is shown meanwhile
        return group.id if group is not None and re.fullmatch(GROUP, group.id) else None
