"""Posts in Slack: cards in channels with what hangs below them, and answers to commands.

A message cannot be created twice by mistake: one that was tried before is first looked for by its marker.
"""

import asyncio
from collections.abc import Callable

import structlog

from bot import messages
from bot.errors import Refused
from bot.messages.slack import digests
from bot.messages.slack.elements import context
from bot.posting.facing import Facing, Subject
from bot.posting.slack_pictures import SlackPictures
from bot.slack import Slack
from bot.states import State
from bot.store.posts import Remote
from bot.store.transitions import ACTIVE
from bot.tables import Build, Post, Run

RESPONSE_SECONDS = 1800.0
"""How long Slack takes answers to a command.

https://docs.slack.dev/interactivity/handling-user-interaction
"""
_UNFIT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""What Slack says of blocks that it does not take."""
TOLD_ASKER, TOLD_WAITING, TOLD_RUNNING = "asker", "asker:waiting", "asker:running"
"""The `remote_id` of a card in whose place the asker was told the end, or before that what it waits for, and
that it runs: with the answer to the command these are four of the five that Slack takes."""

log = structlog.get_logger()


class SlackPosts:
    """Sends them; each raises `Refused` and `RetryLater`."""

    def __init__(
        self, slack: Slack | None, facing: Facing, pictures: SlackPictures, clock: Callable[[], float]
    ) -> None:
        self._slack = slack
        self._pictures = pictures
        self._facing = facing
        self._clock = clock

    async def message(self, post: Post, subject: Subject) -> Remote | None:
        """The card in a channel; gives where it is."""
        if post.remote_id == TOLD_ASKER:
            return None
        view, link = await self._facing.in_channel(self._client, post, subject)
        text, blocks = await asyncio.to_thread(messages.blocks, view, link)
        blocks = digests.with_occasion(post.place.get("occasion"), view, blocks)
        try:
            return await self._write(post, text, blocks)
        except Refused as refusal:
            if _message(post) is not None:
                raise
            return await self._tell_asker(post, subject, refusal)

    async def thread(self, post: Post, subject: Subject) -> Remote | None:
        """What hangs below the card of what has ended: the last lines, and what the job reported."""
        view, link = await self._facing.in_channel(self._client, post, subject)
        found = await asyncio.to_thread(messages.below, view, link)
        return None if found is None else await self._write(post, *found)

    async def _write(self, post: Post, text: str, blocks: list[messages.Block]) -> Remote:
        """Post it or, where it is there already, edit it; gives where it is.

        Of what Slack does not take after all the first block is said: that it ended is worth more than how.
        """
        channel, thread = post.place["channel"], post.place.get("thread")
        known = _message(post)
        if known is None and post.attempts > 1:
            known = await self._client.find(channel, post.nonce, post.created_at, thread)
        try:
            return await self._put(post, known, text, blocks)
        except Refused as refused:
            if refused.status not in _UNFIT or len(blocks) < 2:
                raise
            log.warning("slack.blocks_refused", post=post.identity, reason=str(refused))
        return await self._put(post, known, text, blocks[:1])

    async def _put(
        self, post: Post, known: tuple[str, str] | None, text: str, blocks: list[messages.Block]
    ) -> Remote:
        channel, thread = post.place["channel"], post.place.get("thread")
        if known is None:
            known = await self._client.post(channel, text, blocks, post.nonce, thread)
        else:
            await self._client.update(*known, text, blocks)
        return Remote(" ".join(known))

    async def _tell_asker(self, post: Post, row: Subject, refusal: Refused) -> Remote | None:
        """Tell who asked how it stands where Errand may not post, and what to do so that it may.

        Slack takes answers for half an hour. Who asked may read the row, so the link is signed.
        """
        url, is_late = post.place.get("url"), self._clock() - post.created_at > RESPONSE_SECONDS
        if row is None or url is None or (is_late and row.state == State.FINISHED):
            raise refusal
        remedy = messages.remedy(refusal.status, str(refusal))
        if row.state == State.FINISHED:
            view, link = await self._facing.to_asker(row)
            text = messages.slack_text(messages.end_reply(view, link, remedy))
            await self._client.respond(url, text)
            return Remote(TOLD_ASKER)
        stage = _stage(row)
        if stage is None or is_late or post.remote_id in (stage, TOLD_RUNNING):
            return None
        text, blocks = await asyncio.to_thread(messages.blocks, *await self._facing.to_asker(row))
        await self._client.respond(url, text, [*blocks, context(messages.slack_text(remedy))])
        return Remote(stage)

    async def response(self, post: Post, subject: Subject) -> None:
        """The answer to a command, which only the asker sees."""
        client, url, replaces = self._client, post.place["url"], bool(post.place.get("replaces"))
        await self._pictures.say(
            client, post, lambda text, blocks: client.respond(url, text, blocks, replace_original=replaces)
        )

    async def ephemeral(self, post: Post, subject: Subject) -> None:
        """The answer to a mention, which only the asker sees."""
        client, place = self._client, post.place
        where, thread = (place["channel"], place["user"]), place.get("thread")
        await self._pictures.say(
            client, post, lambda text, blocks: client.post_ephemeral(*where, text, blocks, thread)
        )

    @property
    def _client(self) -> Slack:
        if self._slack is None:
            raise Refused("Slack is no longer configured")
        return self._slack


def _message(post: Post) -> tuple[str, str] | None:
    """The channel and the time of the message that was posted, if one was."""
    where, _, ts = (post.remote_id or "").partition(" ")
    return (where, ts) if ts else None


def _stage(row: Run | Build) -> str | None:
    """What there is to tell of something that has not ended, once each."""
    if row.state in ACTIVE:
        return TOLD_RUNNING
    return TOLD_WAITING if isinstance(row, Run) and row.waiting_for is not None else None
