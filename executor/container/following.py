"""Follows the log of one container to its end.

Podman's API cannot be trusted with logs (4.3: a follower loses the end of a flood, a read of 50 MB without a
newline takes minutes). The file that its conmon writes is exact, so that is read wherever it is on this
machine: what the job wrote, byte by byte, both streams in their order. Docker's API is exact and is followed.
"""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

from executor.container.client import Client
from executor.container.containers import LOG, Container
from executor.container.entries import Entries, Frames, Parser
from executor.logs.collector import LogCollector
from executor.logs.store import LogStore
from executor.logs.watcher import FileWatcher
from executor.threads import shielded

FILE_DRIVER = "k8s-file"
_CHUNK = 1024 * 1024
"""Bytes read at once."""
_BREATH = 0.01
"""Seconds before the next look at a log of which little came: a job that prints slowly costs 100 a second."""
_LAST = 30.0
"""Seconds in which the API has to give another piece of a log, or its end, once the container has ended."""
_LITTLE = 64 * 1024


class Follower:
    """Carries what the container writes to `keeping`, until it was told of the end and has read all."""

    def __init__(self, client: Client, watcher: FileWatcher, logs: LogStore) -> None:
        self._client = client
        self._watcher = watcher
        self._logs = logs
        self._ended = asyncio.Event()
        self._patience: asyncio.Timeout | None = None

    def end(self) -> None:
        """Say that the container writes nothing any more."""
        self._ended.set()
        self._hurry()

    async def follow(self, key: str, container: Container, keeping: LogCollector) -> None:
        """Follow; raises EngineUnavailable, and OSError for a file that cannot be read."""
        if _is_here(container):
            await self._read(key, Path(container.log_path), keeping)
            return
        params = {"stdout": 1, "stderr": 1, "follow": 1}
        frames = Frames()
        async with self._client.stream(f"containers/{container.id}/logs", params) as pieces:
            async with asyncio.timeout(None) as self._patience:
                self._hurry()
                async for piece in pieces:
                    await shielded(partial(_take, frames, piece, keeping))
                    self._logs.wake(key)
                    self._hurry()
                self._patience = None

    def _hurry(self) -> None:
        """After the end of the container the rest of its log has to come soon, and to end."""
        if self._ended.is_set() and self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time() + _LAST)

    async def _read(self, key: str, path: Path, keeping: LogCollector) -> None:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        entries = Entries()
        grown: asyncio.Future[None] | None = None
        try:
            while True:
                ended = self._ended.is_set()  # before reading, so that nothing can follow
                count = await shielded(lambda: _carry(file, entries, keeping))
                if count:
                    self._logs.wake(key)
                    if count < _LITTLE and not ended:
                        await self._wait(_BREATH)
                elif ended:
                    return
                elif grown is None or grown.done():
                    grown = self._watcher.arm(path)  # and look once more: what comes now will be told
                else:
                    await self._wait(None, grown)
        finally:
            os.close(file)

    async def _wait(self, seconds: float | None, grown: "asyncio.Future[None] | None" = None) -> None:
        ended = asyncio.ensure_future(self._ended.wait())
        until: list[asyncio.Future[Any]] = [ended, *([grown] if grown else [])]
        try:
            await asyncio.wait(until, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()


def _take(parser: Parser, data: bytes, keeping: LogCollector) -> None:
    keeping.take(parser.feed(data))


def _carry(file: int, parser: Parser, keeping: LogCollector) -> int:
    """Carry the next piece; gives its bytes."""
    data = os.read(file, _CHUNK)
    if data:
        _take(parser, data, keeping)
    return len(data)


def _is_here(container: Container) -> bool:
    return container.labels.get(LOG) == FILE_DRIVER and os.access(container.log_path, os.R_OK)
