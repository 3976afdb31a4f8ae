"""The one stream of what happens to this installation's containers, for all runs."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

from executor.container.client import Client, Refused
from executor.container.containers import INSTALLATION, KEY
from executor.errors import EngineUnavailable

_AGAIN = 1.0
"""Seconds before the stream is asked for again when it broke."""
_ANYWAY = 60.0
"""Seconds after which all are looked at though nothing was said: an engine may lose an event."""
_LONGEST = 1024 * 1024
"""Bytes of one event."""
_ENDS = frozenset({"die", "died", "remove", "destroy"})


class Events:
    """Listens until closed. `heard` gets the key of a run that ended, None where any may have."""

    def __init__(self, client: Client, installation: str, heard: Callable[[str | None], None]) -> None:
        self._client = client
        self._installation = installation
        self._heard = heard
        self._listening = asyncio.create_task(self._listen())
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Stop listening."""
        for task in (self._listening, self._looking):
            task.cancel()
        await asyncio.gather(self._listening, self._looking, return_exceptions=True)

    async def _listen(self) -> None:
        filters = {"type": ["container"], "label": [f"{INSTALLATION}={self._installation}"]}
        while True:
            with contextlib.suppress(EngineUnavailable, Refused):
                await self._client.revive()
                async with self._client.stream("events", {"filters": json.dumps(filters)}) as pieces:
                    self._heard(None)  # what happened while nobody listened
                    async for line in _lines(pieces):
                        self._take(line)
            self._heard(None)
            await asyncio.sleep(_AGAIN)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_ANYWAY)
            self._heard(None)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            action, about = event["Action"], event["Actor"]["Attributes"]
        except (ValueError, KeyError, TypeError):
            return
        if action in _ENDS:
            self._heard(about.get(KEY))


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    left = b""
    async for piece in pieces:
        *lines, left = (left + piece).split(b"\n")
        for line in lines:
            yield line
        left = left[-_LONGEST:]
