"""What tells a page that lists runs that something happened: an event, upon which it is read again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.store.watchers import ANY, ChangeFeed
from webhooks.streams import Write

HEARTBEAT_S = 15.0
"""Seconds between comments that keep proxies from closing a quiet stream; access is checked as often."""

PAUSE_S = 0.8
"""Seconds between two events, however much happens; with reading the page it is a second."""

_CHANGED = b"event: changed\ndata: 1\n\n"
_QUIET = b": quiet\n\n"


async def follow(changes: ChangeFeed, may_see: Callable[[], Awaitable[bool]], write: Write) -> None:
    """Writes an event when any run or build has changed, until the visitor may see no more."""
    with changes.listen(ANY) as listener:
        await write(_QUIET)
        while await may_see():
            happened = False
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await listener.wait()
                    happened = True
            await write(_CHANGED if happened else _QUIET)
            await asyncio.sleep(PAUSE_S if happened else 0)
