"""Channels by their names and by their ids: one channel, whichever of them it is called by."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.slack.answers import cursor_of, items
from bot.slack.faults import Call
from bot.slack.people import Channel, channel_of

if TYPE_CHECKING:
    from bot.slack.calls import Calls

PAGE, PAGES = 1000, 10
"""Channels of which Slack tells at once, and how often it is asked for more."""


class Channels:
    """What is known of them; ids stay, names are asked for once."""

    def __init__(self, calls: "Calls") -> None:
        self._calls = calls
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def call(self, method: str, channel: str) -> Call:
        """A call for a channel, which is one however it is named."""
        if channel.startswith("#"):
            return Call(method, self._ids.get(channel[1:], channel), channel)
        return Call(method, channel, self._names.get(channel, channel))

    def note(self, id: str, name: str) -> None:
        """Slack has said that the channel `id` has this name (without its `#`)."""
        self._ids[name] = id
        self._names[id] = f"#{name}"

    async def id_of(self, channel: str) -> str | None:
        """The id of a channel that may be given by name; most methods take no names.

        https://docs.slack.dev/reference/methods/conversations.list
        """
        name = channel.removeprefix("#")
        if not channel.startswith("#"):
            return channel
        cursor: str | None = None
        for _ in range(PAGES):
            if name in self._ids:
                return self._ids[name]
            answer = await self._calls.read(
                Call("conversations.list"),
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=PAGE,
                cursor=cursor,
            )
            for each in items(answer, "channels"):
                if isinstance(each, Mapping) and isinstance(each.get("id"), str):
                    self.note(each["id"], str(each.get("name")))
            cursor = cursor_of(answer)
            if cursor is None:
                break
        return self._ids.get(name)

    async def name_of(self, id: str) -> str | None:
        """The name of a channel with its `#`, asked once."""
        if id not in self._names:
            await self.about(id)
        return self._names.get(id)

    async def about(self, channel: str) -> Channel | None:
        """A channel, None where Slack shows the bot none of that name.

        https://docs.slack.dev/reference/methods/conversations.info
        """
        where = await self.id_of(channel)
        if where is None:
            return None
        answer = await self._calls.read(self.call("conversations.info", where), channel=where)
        data = answer.get("channel")
        found = channel_of(data) if isinstance(data, Mapping) else None
        if found is not None and found.name:
            self.note(where, found.name)
        return found
