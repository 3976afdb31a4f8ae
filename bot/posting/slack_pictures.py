"""Answers with pictures: a workspace that does not know a block gets text, and is tried again after a day."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from bot import messages
from bot.errors import Refused, RetryLater
from bot.slack import Slack
from bot.store import Store, block_refusals
from bot.tables import Post

log = structlog.get_logger()

Send = Callable[[str, Sequence[dict[str, Any]] | None], Awaitable[None]]
"""Says a text, or the blocks that say the same."""

_UNKNOWN = frozenset({400, "invalid_blocks", "invalid_blocks_format", "invalid_arguments"})
"""What Slack answers to a block that it does not know: by its name, at a response URL by a status."""


class SlackPictures:
    """Remembers in the database which workspace knows which blocks; `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def say(self, slack: Slack, post: Post, send: Send) -> None:
        """Say what `post` says, with its picture where the workspace draws it; a second try goes without."""
        text, blocks = messages.slack_text(post.text or ""), post.place.get("blocks")
        kinds = messages.PICTURES & {str(block.get("type")) for block in blocks or ()}
        if not kinds:
            await send(text, blocks)
            return
        team = await _team(slack) if post.attempts <= 1 else None
        if team is None or await self._store.read(
            lambda s: block_refusals.refuses(s, team, kinds, now=self._clock())
        ):
            await send(text, None)
            return
        try:
            await send(text, blocks)
        except Refused as refused:
            if refused.status not in _UNKNOWN:
                raise
            await send(text, None)
            await self._store.write(lambda s: block_refusals.remember(s, team, kinds, now=self._clock()))
            log.info("slack.block_refused", team=team, blocks=sorted(kinds), reason=str(refused))


async def _team(slack: Slack) -> str | None:
    """The workspace, None where Slack does not say it now."""
    try:
        return (await slack.home()).team
    except (Refused, RetryLater):
        return None
