"""The logs of runs and builds, one per key, kept by Errand for every engine.

Offsets are absolute: they count all bytes that were ever written, also those that a full log has
lost since. All file work is done in threads. Followers are woken by `wake`, and nothing polls, except
where other machines write into the same directory: no event comes over a network's file system.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from weakref import WeakValueDictionary

from executor.logs import logfile, moments
from executor.logs.ages import Ages
from executor.logs.controls import CONTROL
from executor.logs.line_index import LineIndexes
from executor.logs.moments import Moments
from executor.logs.reader import LogChunk, LogReader

__all__ = ["LogChunk", "LogStore", "check_key"]

_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}", re.ASCII)
LOOK_S = 1.0
"""Seconds after which a log that another machine may write is looked at again, while somebody follows it."""

_BESIDE = "beside"
"""The directory, in that of a log, of those of what ran beside it."""

MOST_BESIDE = 1 << 20
"""Bytes of each of these at most."""

_TAIL = 64 * 1024
"""Bytes from the end of a log in which its last lines are looked for."""

_LINES = 1000
_LINE = 500
"""Characters of a line that `tail` gives at most, and lines that it gives at most."""


def check_key(key: str) -> str:
    """Return `key` if it may become a part of a path, else raise ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a key: {key[:150]!r}")
    return key


class LogStore:
    """All logs, in subdirectories of `directory`, each of at most `max_size` bytes, and moments of an eighth.

    `shared`: other machines write there, too, so a log that somebody follows is looked at every second.
    """

    def __init__(self, directory: Path, max_size: int, *, shared: bool = False) -> None:
        self.directory = directory.absolute()  # supervisors work elsewhere
        self.max_size = max_size
        self._look = LOOK_S if shared else None
        self._ages = Ages(self.directory)
        self._followers: dict[str, set[asyncio.Event]] = {}
        self._lines = LineIndexes()
        self._beside: WeakValueDictionary[str, LogStore] = WeakValueDictionary()

    def path(self, key: str) -> str:
        """Name the directory of the log `key`, for its writer."""
        return os.path.join(self.directory, check_key(key))

    async def read(self, key: str, *, offset: int = 0, follow: bool = False) -> AsyncIterator[LogChunk]:
        """Give the log from `offset` on; with `follow` until its end is written or it is removed."""
        reader = LogReader(self.path(key), offset)
        grown = asyncio.Event()
        followers = self._followers.setdefault(key, set())
        followers.add(grown)
        try:
            while True:
                grown.clear()
                chunk = await asyncio.to_thread(reader.next)
                if chunk is not None:
                    yield chunk
                elif reader.ended or not follow:
                    return
                elif not await _woken(grown, self._look):
                    reader.close()  # opened anew, NFS asks its server how long the file is
        finally:
            reader.close()
            followers.discard(grown)
            if not followers and self._followers.get(key) is followers:
                del self._followers[key]

    def beside(self, key: str) -> "LogStore":
        """Give the logs of what ran beside `key`, each called as that is; they go with that of `key`."""
        store = self._beside.get(key)
        if store is None:
            most = min(self.max_size, MOST_BESIDE)
            store = LogStore(Path(self.path(key), _BESIDE), most, shared=self._look is not None)
            self._beside[key] = store
        return store

    async def names(self) -> list[str]:
        """Name every log that there is, which a store of runs has too many of."""
        return await asyncio.to_thread(_names, self.directory)

    def wake(self, key: str) -> None:
        """Tell followers that the log grew or ended. To be called in the event loop's thread."""
        for grown in self._followers.get(key, ()):
            grown.set()

    async def tail(self, key: str, lines: int = 20) -> list[str]:
        """Give the last lines as plain text without control characters, each at most 500 characters."""
        data, cut = await asyncio.to_thread(_last_bytes, self.path(key))
        return _plain_lines(data.decode(errors="replace"), cut)[-max(1, min(lines, _LINES)) :]

    async def size(self, key: str) -> int | None:
        """Give the offset after the last byte; None if there is no such log."""
        return await asyncio.to_thread(_size, self.path(key))

    async def line_at(self, key: str, offset: int) -> int:
        """Give the number, from 1, of the line in which the byte at `offset` is or would be."""
        return await asyncio.to_thread(self._lines.of(self.path(key)).line_at, offset)

    async def begin_of(self, key: str, line: int) -> int | None:
        """Give the offset at which line `line`, from 1, begins; None if there are not so many."""
        return await asyncio.to_thread(self._lines.of(self.path(key)).begin_of, line)

    async def moments(self, key: str, start: int, end: int) -> Moments:
        """Give when the bytes from the offset `start` to `end` were kept."""
        return await asyncio.to_thread(moments.between, self.path(key), start, end)

    async def finish(self, key: str) -> None:
        """Mark the log as complete where no writer will; nothing happens if it is."""
        await asyncio.to_thread(logfile.finish, self.path(key))
        self.wake(key)

    async def prune(self, *, before: float) -> float | None:
        """Delete all logs that were complete before `before`, seconds since the epoch.

        Gives when the oldest of the others became complete, as far as there is one.
        """
        tried: set[str] = set()  # what cannot be deleted is found again
        while keys := set(await asyncio.to_thread(self._ages.ended, before)) - tried:
            tried |= keys
            for key in keys:
                await self.remove(key)
        return await asyncio.to_thread(self._ages.oldest)

    async def remove(self, key: str) -> None:
        """Delete the log; followers end."""
        await asyncio.to_thread(shutil.rmtree, self.path(key), True)
        self.wake(key)


def _names(directory: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(directory) if _KEY.fullmatch(name))
    except FileNotFoundError:
        return []


async def _woken(grown: asyncio.Event, seconds: float | None) -> bool:
    """Wait for the event, at most `seconds`; False if it did not come."""
    try:
        async with asyncio.timeout(seconds):
            await grown.wait()
    except TimeoutError:
        return False
    return True


def _size(directory: str) -> int | None:
    while True:
        try:
            starts = logfile.starts(directory)
        except FileNotFoundError:
            return None
        if not starts:
            return 0
        try:
            return starts[-1] + os.stat(logfile.path(directory, starts[-1])).st_size
        except FileNotFoundError:  # rotated away since it was listed
            continue


def _last_bytes(directory: str) -> tuple[bytes, bool]:
    """Give the end of a log without any gap, and whether something comes before it."""
    try:
        starts = logfile.starts(directory)
    except FileNotFoundError:
        return b"", False
    data, begin = b"", None
    for start in reversed(starts):
        try:
            with open(logfile.path(directory, start), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if begin is not None and start + size != begin:
                    break
                begin = max(start, start + size - (_TAIL - len(data)))
                file.seek(begin - start)
                data = file.read(size - (begin - start)) + data
        except FileNotFoundError:
            break
        if len(data) >= _TAIL:
            break
    return data, bool(begin)


def _plain_lines(text: str, cut: bool) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    if cut and len(lines) > 1:
        del lines[0]
    return [_plain(line) for line in lines]


def _plain(line: str) -> str:
    # Of a line that was drawn over and over only the last drawing is of interest.
    drawn = [part for part in (CONTROL.sub("", part) for part in line.split("\r")) if part.strip()]
    text = drawn[-1] if drawn else ""
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"
