"""Which line an offset of a log is in, and where a line begins, without reading all of it each time.

Line feeds are counted once, by blocks, as far as somebody asked; the index goes on where it stood. A log that
lost bytes from its middle has fewer lines than it had, and what follows its first file is counted again.
Blocking: for threads.
"""

import os
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

from executor.logs import logfile
from executor.logs.reader import LogChunk, LogReader

BLOCK = 256 * 1024
"""Bytes between two points that are remembered, at least."""

_READ = 64 * 1024
"""Bytes read at once: for more, the allocator asks the system for memory each time, which takes longer."""

MOST_POINTS = 4096
"""Points of one log, 16 bytes each; with more, every other one is forgotten."""

MOST_LOGS = 64
"""Logs whose lines are remembered, those asked for last."""


class LineIndex:
    """The lines of the log in `directory`. Offsets are absolute, lines count from 1."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._lock = Lock()
        self._block = BLOCK
        self._reset()

    def line_at(self, offset: int) -> int:
        """Give the line in which the byte at `offset` is, or would be behind the end."""
        with self._lock:
            self._refresh()
            for chunk in self._unread():
                if chunk.end >= offset:
                    break
            at = bisect_right(self._offsets, offset) - 1
            line = self._lines[at]
            for chunk in _chunks(self._directory, self._offsets[at]):
                if chunk.start >= offset:
                    break
                line += chunk.data.count(b"\n", 0, offset - chunk.start)
                if chunk.end >= offset:
                    break
            return line

    def begin_of(self, line: int) -> int | None:
        """Give the offset at which `line` begins; None if there are not so many lines."""
        if line <= 1:
            return 0
        with self._lock:
            self._refresh()
            if self._tip_line < line:
                for _ in self._unread():
                    if self._tip_line >= line:
                        break
            at = max(0, bisect_left(self._lines, line) - 1)
            missing = line - self._lines[at]
            for chunk in _chunks(self._directory, self._offsets[at]):
                here = chunk.data.count(b"\n")
                if here >= missing:
                    return chunk.start + _behind(chunk.data, missing)
                missing -= here
            return None

    def _reset(self) -> None:
        self._offsets, self._lines = array("q", [0]), array("q", [1])
        self._tip, self._tip_line = 0, 1
        self._second: int | None = None  # where the file after the first one begins

    def _refresh(self) -> None:
        """Forget what is no longer so: all, or what follows the first file."""
        try:
            starts = logfile.starts(self._directory)
            first = os.stat(logfile.path(self._directory, 0)).st_size
        except FileNotFoundError:
            starts, first = [], 0
        second = starts[1] if len(starts) > 1 else None
        if second is None and self._tip > first:
            self._reset()
        elif second != self._second and self._tip > first:
            kept = bisect_right(self._offsets, first)
            del self._offsets[kept:], self._lines[kept:]
            self._tip, self._tip_line = self._offsets[-1], self._lines[-1]
        self._second = second

    def _unread(self) -> Iterator[LogChunk]:
        """Count on from where the index stands, piece by piece."""
        for chunk in _chunks(self._directory, self._tip):
            if chunk.start > self._tip:  # a gap: points are where there are bytes
                self._point()
            self._tip_line += chunk.data.count(b"\n")
            self._tip = chunk.end
            if self._tip - self._offsets[-1] >= self._block:
                self._point()
            yield chunk

    def _point(self) -> None:
        if self._tip == self._offsets[-1]:
            return
        self._offsets.append(self._tip)
        self._lines.append(self._tip_line)
        if len(self._offsets) > MOST_POINTS:
            self._offsets, self._lines = self._offsets[::2], self._lines[::2]
            self._block *= 2


class LineIndexes:
    """The indexes of the logs that were asked for last."""

    def __init__(self) -> None:
        self._indexes: OrderedDict[str, LineIndex] = OrderedDict()

    def of(self, directory: str) -> LineIndex:
        """Give that of the log in `directory`; to be called in the event loop's thread."""
        index = self._indexes.get(directory)
        if index is None:
            index = self._indexes[directory] = LineIndex(directory)
        self._indexes.move_to_end(directory)
        while len(self._indexes) > MOST_LOGS:
            self._indexes.popitem(last=False)
        return index


def _chunks(directory: str, offset: int) -> Iterator[LogChunk]:
    reader = LogReader(directory, offset, size=_READ)
    try:
        while (chunk := reader.next()) is not None:
            yield chunk
    finally:
        reader.close()


def _behind(data: bytes, number: int) -> int:
    """Where in `data` that has so many line feeds goes on after that one."""
    at = 0
    while number > 64:  # halve what is searched, as a block may have a line feed at every byte
        half = (len(data) - at) // 2
        here = data.count(b"\n", at, at + half)
        if here >= number:
            data = data[: at + half]
        else:
            number -= here
            at += half
    for _ in range(number):
        at = data.index(b"\n", at) + 1
    return at
