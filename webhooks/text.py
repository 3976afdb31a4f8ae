"""A run's or build's log as it is read by doors: whole, its end, or as it grows.

Reads through the executor's `LogStore`, which says where every byte stands.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from executor.logs.store import LogChunk, LogStore
from webhooks.stamps import Stamper
from webhooks.streams import Write

LOOKED_BACK = 512 * 1024
"""Bytes that `?tail=` looks back at most."""

LINES_BACK = 20_000
"""Lines that it gives at most."""


@asynccontextmanager
async def reading(
    logs: LogStore, key: str, *, offset: int = 0, follow: bool = False
) -> AsyncIterator[AsyncIterator[LogChunk]]:
    """`LogStore.read`, which lets go of the log's file when the block is left, not some time later."""
    chunks = logs.read(key, offset=offset, follow=follow)
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


@dataclass(frozen=True, slots=True)
class Part:
    """The end of a log: in which line (from 1) it begins, what it is, and the offset behind it.

    `left_out` is how many bytes come before it. A log that grew past its limit has lost some from its
    middle, so `end` may be more than `left_out` and the length of `data`; lost lines are not counted.
    """

    left_out: int
    line: int
    data: bytes
    end: int


async def last_part(
    logs: LogStore, key: str, most: int = LOOKED_BACK, lines: int = LINES_BACK
) -> Part | None:
    """At most the last `most` bytes and so many lines, from the beginning of a line; None without a log."""
    size = await logs.size(key)
    if size is None:
        return None
    start = max(0, size - most)
    pieces: list[bytes] = []
    end = start
    async with reading(logs, key, offset=start) as chunks:
        async for chunk in chunks:
            if not pieces:
                start = max(start, chunk.start)
            pieces.append(chunk.data[: max(0, size - chunk.start)])
            end = min(chunk.end, size)
            if end == size:
                break
    data = b"".join(pieces)
    if start:
        skipped = data.find(b"\n") + 1  # 0 where one line is longer than all that is shown
        start, data = start + skipped, data[skipped:]
    skipped = _last_lines(data, lines)
    start, data = start + skipped, data[skipped:]
    return Part(start, await logs.line_at(key, start), data, end)


async def tail_offset(logs: LogStore, key: str, lines: int) -> int:
    """Where the last `lines` lines begin, looking back no further than `LOOKED_BACK` bytes."""
    part = await last_part(logs, key)
    if part is None:
        return 0
    at = _last_lines(part.data, lines)
    return part.end - (len(part.data) - at) if at else part.left_out


def _last_lines(data: bytes, lines: int) -> int:
    """Where in `data` its last `lines` lines begin."""
    at = len(data) - (1 if data.endswith(b"\n") else 0)
    for _ in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return at + 1


async def place(logs: LogStore, key: str, offset: int) -> int:
    """Where what there is from `offset` on begins: there, or further on with a note of what is left out."""
    async with reading(logs, key, offset=offset) as chunks:
        async for chunk in chunks:
            return chunk.start
    return offset


@dataclass(frozen=True, slots=True)
class Extent:
    """What of a log is copied: from `offset` on, with `follow` until it has ended.

    `begin`, which `place` gave: only what follows from there on without a gap. `stamped`: each line after the
    moment at which it was kept.
    """

    offset: int = 0
    follow: bool = False
    begin: int | None = None
    stamped: bool = False


async def copy(logs: LogStore, key: str, write: Write, extent: Extent) -> None:
    """Writes these bytes as they come."""
    begin = extent.begin
    stamper = Stamper() if extent.stamped else None
    async with reading(logs, key, offset=extent.offset, follow=extent.follow) as chunks:
        async for chunk in chunks:
            if begin is not None:
                if chunk.start != begin:
                    return
                begin = chunk.end
            data = chunk.data
            if stamper is not None:
                moments = await logs.moments(key, chunk.start, chunk.end)
                data = await asyncio.to_thread(stamper.stamped, data, chunk.start, moments)
            await write(data)
