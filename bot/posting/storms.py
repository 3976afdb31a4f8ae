"""Whose turn it is to write in a channel of Slack, and what is told together where too many wait for theirs.

Slack takes about one message a second in a channel. Whoever waits behind `WAITING` others is folded into one
message with them (`bot.store.storms`), and so is what comes in the seconds after. Not what somebody asked for
there: that is answered by its own message. Of runs that end together and have messages, all are told at once
in such a message as well; their own are edited one after the other.

https://docs.slack.dev/apis/web-api/rate-limits
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from enum import Enum, auto

from bot.errors import RetryLater
from bot.posting.pace import Pace
from bot.states import State
from bot.store import digests, storms
from bot.store.holder import LeaseHolder
from bot.tables import Post

WAITING = 5
"""Posts that wait for their turn in a channel, each as a message of its own."""
CALM = 10.0
"""Seconds after a storm took something, for which it takes whatever comes."""


class Turn(Enum):
    """How a post got its turn: at once, after it waited, or never, since it was folded into a storm."""

    AT_ONCE = auto()
    WAITED = auto()
    FOLDED = auto()


class ChannelTurns:
    """Gives turns, at the `pace` of each channel; `nonce` gives unguessable words."""

    def __init__(self, holder: LeaseHolder, pace: Pace, nonce: Callable[[], str]) -> None:
        self._holder = holder
        self._pace = pace
        self._nonce = nonce
        self._waiting: dict[str, dict[int, asyncio.Future[asyncio.Task[None]]]] = {}
        self._ending: dict[str, dict[int, bool]] = {}
        """Cards whose end waits for its turn, and whether a storm tells of it already."""
        self._stormy: dict[str, float] = {}
        """Until when, by the time of the event loop."""

    async def turn(self, post: Post) -> Turn:
        """Wait for the turn of a claimed post."""
        number = post.identity
        if "storm" in post.place:
            await self._holder.store.write(lambda s: storms.note(s, number))
            return Turn.FOLDED
        if post.kind == "slack_note" and await self._is_done(post):
            return Turn.FOLDED
        if _is_new(post):
            return await self._new(post)
        if _tells_end(post):
            return await self._end(post)
        return await self._turn(post)

    async def _is_done(self, post: Post) -> bool:
        """Whether a storm does what a reply is for: it calls by itself, and shows no log.

        A reply takes no turn from the message that it is to stand below.
        """
        of = post.place["of"]
        above = await self._holder.store.read(lambda s: digests.message_of(s, of))
        if above is not None and above.storm and post.place["about"] in ("call", "tail"):
            return True
        if above is not None and not above.ts:
            raise RetryLater("the message above it is not there yet")
        return False

    async def _turn(self, post: Post) -> Turn:
        # What tells of many comes before the ends of single runs, and the last lines of those after them.
        is_first = post.kind == "slack_digest" or (post.sent == 0 and post.kind != "slack_thread")
        first = is_first or _tells_end(post)
        waited = await self._pace.turn(post.place["channel"], post.identity, first=first)
        return Turn.WAITED if waited else Turn.AT_ONCE

    async def _new(self, post: Post) -> Turn:
        """A message that is not there yet: written in its turn, or folded with others before that comes."""
        channel, number, loop = post.place["channel"], post.identity, asyncio.get_running_loop()
        waiting = self._waiting.setdefault(channel, {})
        if len(waiting) > WAITING or loop.time() < self._stormy.get(channel, 0.0):
            await self._fold(channel, {number: None, **waiting}, waiting)
            return Turn.FOLDED
        waiting[number] = folding = loop.create_future()
        turn = asyncio.create_task(self._turn(post))
        try:
            await asyncio.wait({turn, folding}, return_when=asyncio.FIRST_COMPLETED)
            if folding.done():
                await asyncio.shield(folding.result())
                return Turn.FOLDED
            return turn.result()
        finally:
            if self._waiting.get(channel, {}).get(number) is folding:
                del self._waiting[channel][number]
                if not self._waiting[channel]:
                    del self._waiting[channel]
            if not turn.done():
                turn.cancel()
                with suppress(asyncio.CancelledError):
                    await turn

    async def _fold(
        self,
        channel: str,
        posts: Collection[int],
        waiting: dict[int, asyncio.Future[asyncio.Task[None]]],
    ) -> None:
        """All of them at once; whoever waits hears before anything else can happen that its turn is off."""
        self._stormy = {each: until for each, until in self._stormy.items() if until > self._now()}
        self._stormy[channel] = self._now() + CALM
        task = asyncio.create_task(self._store(channel, list(posts), whole=True))
        self._waiting.pop(channel, None)
        for folding in waiting.values():
            if not folding.done():
                folding.set_result(task)
        await asyncio.shield(task)

    async def _end(self, post: Post) -> Turn:
        """The end of a run whose message is there: where many end together a storm tells of all."""
        channel, number = post.place["channel"], post.identity
        ending = self._ending.setdefault(channel, {})
        ending[number] = False
        try:
            if len(ending) > WAITING:
                fresh = [each for each, is_listed in ending.items() if not is_listed]
                ending.update(dict.fromkeys(fresh, True))
                await self._store(channel, fresh, whole=False)
            return await self._turn(post)
        finally:
            ending.pop(number, None)
            if not ending:
                self._ending.pop(channel, None)

    async def _store(self, channel: str, posts: list[int], *, whole: bool) -> None:
        now, nonce = self._holder.clock(), self._nonce()
        await self._holder.store.write(
            lambda s: storms.fold(s, posts, channel, now=now, nonce=nonce, whole=whole)
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _is_new(post: Post) -> bool:
    """Whether it may be folded: nobody asked for it there, and no try has written it.

    So may a reply that calls somebody for one run: a storm calls once for all.
    """
    place = post.place
    is_call = post.kind == "slack_note" and place["about"] == "call" and "run" in place
    is_message = post.kind in ("slack_message", "slack_digest")
    if not (is_message or is_call) or post.sent > 0 or post.attempts > 1:
        return False
    return not place.keys() & {"asked", "thread", "url"} and place.get("about") != "storm"


def _tells_end(post: Post) -> bool:
    """Whether it corrects a message to how its run has ended."""
    subject = post.subject
    is_over = subject is not None and subject.state == State.FINISHED
    return is_over and post.kind == "slack_message" and post.sent > 0 and "thread" not in post.place
