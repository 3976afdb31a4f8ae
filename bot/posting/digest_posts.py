"""Posts in Slack that tell of several things at once, what hangs below them, and runs that turn out slow."""

import asyncio
from collections.abc import Sequence

from bot import messages
from bot.catalog.streaks import CALL, OTHER_CAUSE, Streak
from bot.errors import Refused
from bot.messages.slack import digests as words
from bot.messages.slack.elements import Block, section
from bot.posting.callees import Callees
from bot.posting.facing import Facing, Subject
from bot.slack import Slack
from bot.states import State
from bot.store import Store, digests, occasions, runs
from bot.store.posts import Remote
from bot.tables import Post, Run

Message = tuple[str, list[Block]]

_GONE = ("message_not_found", "cant_update_message", "edit_window_closed")
"""What Slack says of a message that cannot be edited any more: what is to come is told by a new one."""
_BELOW = (OTHER_CAUSE, CALL, "tail")
"""Replies that stand in the thread alone; all others are shown in the channel as well."""
_WITH_LOG = (OTHER_CAUSE, "tail")
"""Replies with the last lines of their run; where it has a message of its own they hang below that."""


class DigestPosts:
    """Sends them; each raises `Refused` and `RetryLater`."""

    def __init__(
        self,
        slack: Slack | None,
        facing: Facing,
        store: Store,
        callees: Callees,
    ) -> None:
        self._slack = slack
        self._facing = facing
        self._store = store
        self._callees = callees

    async def digest(self, post: Post, subject: Subject) -> Remote | None:
        """The message itself, written or edited."""
        text, blocks = await self._message(post)
        if post.remote_id:
            where, _, ts = post.remote_id.partition(" ")
            try:
                await self._client.update(where, ts, text, blocks)
                return Remote(post.remote_id)
            except Refused as refusal:
                if refusal.status not in _GONE:
                    raise
        return Remote(" ".join(await self._written(post, text, blocks)))

    async def note(self, post: Post, subject: Subject) -> None:
        """A reply in the thread of another post, once that is there."""
        place, about = post.place, post.place["about"]
        above = await self._store.read(lambda s: digests.message_of(s, place["of"]))
        if above is None:
            raise Refused("what it would hang below is no longer kept")
        (line,) = await self._lines(post, [place["run"]] if "run" in place else []) or (None,)
        more = await asyncio.to_thread(messages.below, line.view) if line and about in _WITH_LOG else None
        calls = await self._callees.mentions(place["who"])
        if about == "tail":
            text, blocks = more or ("", [])
        else:
            text = words.note(about, place.get("job", ""), place.get("facts", {}), line, calls)
            blocks = [section(text), *(more[1] if more else [])]
        if blocks:
            await self._written(post, text, blocks, above, broadcast=about not in _BELOW)

    async def slow(self, post: Post, subject: Subject) -> None:
        """A run goes on for longer than its like: its card is due."""
        if not isinstance(subject, Run) or subject.state == State.FINISHED:
            return
        facts = {name: value for name, value in post.place.items() if name != "channel"}
        channel = post.place["channel"]
        await self._store.write(lambda s: occasions.still(s, subject, channel, kind="slow", **facts))

    async def _message(self, post: Post) -> Message:
        place = post.place
        facts, job = place["facts"], str(place.get("job", ""))
        calls = await self._callees.mentions(place.get("who", ()))
        if place["about"] == "missed":
            if await self._facing.is_shared(self._client, post):
                facts = {**facts, "reason": None}  # which may be a sentence of GitHub
            return words.missed(job, facts, calls)
        if place["about"] == "storm":
            things = words.ordered(facts["things"])
            return words.storm(things, await self._listed(post, things), calls)
        streak = Streak.of(facts)
        lines = await self._lines(post, streak.runs)
        card = await self._card(lines[0]) if lines and lines[0].view.number == streak.runs[0] else None
        return words.streak(job, streak, lines, calls, card)

    async def _card(self, line: words.Line) -> Message:
        return await asyncio.to_thread(messages.blocks, line.view, line.link)

    async def _listed(self, post: Post, things: Sequence[words.Thing]) -> dict[int, words.Line]:
        """The runs of a storm that are listed and kept, by number."""
        listed = [each["number"] for each in things[: words.LISTED] if each["noun"] == "run"]
        lines = await self._lines(post, [number for number in listed if number is not None])
        return {line.view.number: line for line in lines}

    async def _lines(self, post: Post, numbers: Sequence[int]) -> list[words.Line]:
        """Those of these runs that are kept, as the channel of the post may see them."""
        rows = await self._store.read(lambda s: runs.numbered(s, numbers))
        lines = [(rows[number], number) for number in numbers if number in rows]
        return [words.Line(*await self._facing.in_channel(self._client, post, row)) for row, _ in lines]

    async def _written(
        self,
        post: Post,
        text: str,
        blocks: list[Block],
        above: digests.Message | None = None,
        *,
        broadcast: bool = False,
    ) -> tuple[str, str]:
        """Write something new; what an interrupted try has written already is found."""
        where = post.place["channel"] if above is None else above.channel
        thread = None if above is None else above.ts
        if post.attempts > 1:
            known = await self._client.find(where, post.nonce, post.created_at, thread)
            if known is not None:
                if thread is None:
                    await self._client.update(*known, text, blocks)
                return known
        return await self._client.post(where, text, blocks, post.nonce, thread, broadcast=broadcast)

    @property
    def _client(self) -> Slack:
        if self._slack is None:
            raise Refused("Slack is no longer configured")
        return self._slack
