"""When the bytes of a log were kept: a file beside them, to which each batch adds a little; blocking.

The file `moments` has 16 bytes an entry, two unsigned numbers in the machine's order: the absolute offset
from which on bytes were kept at a moment, and that, in milliseconds since the epoch. Offsets ascend. What
is kept within `APART_MS` shares an entry. A file that is full forgets what the log itself has lost, else
every other entry, and has them further apart from then on. A log without the file, as of an older release,
has none. Imports next to nothing, like `executor.logs.logfile`.
"""

import contextlib
import os
import time
from array import array
from bisect import bisect_right

NAME = "moments"
APART_MS = 10
"""Milliseconds between two entries at least."""

MOST = 128 * 1024
"""Entries at most; of a small log fewer, so that they take an eighth of what it may."""

_ENTRY = 16
_BLOCK = 256 * _ENTRY
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class Moments:
    """When the bytes of a piece of a log were kept."""

    def __init__(self, entries: bytes = b"") -> None:
        numbers = array("Q", entries)
        self._offsets, self._kept = numbers[::2], numbers[1::2]

    def __bool__(self) -> bool:
        """Whether any is known."""
        return bool(self._offsets)

    def of(self, offset: int) -> int | None:
        """When the byte at `offset` was kept, in milliseconds since the epoch; None where nobody knows."""
        at = bisect_right(self._offsets, offset)
        return self._kept[at - 1] if at else None


class MomentWriter:
    """Adds to the moments of the log in `directory`, which goes on at `offset`. One at a time.

    What cannot be written is not known later: it is no reason not to keep the log.
    """

    def __init__(self, directory: str, max_size: int, offset: int) -> None:
        self._path = os.path.join(directory, NAME)
        self._most = min(MOST, max_size // (8 * _ENTRY))
        self._apart = APART_MS
        self._last = self._count = 0
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._file = os.open(self._path, _FLAGS, 0o600)
            self._recover(offset)

    def note(self, offset: int, lost: tuple[int, int]) -> None:
        """Say that what comes at `offset` is kept now; what lies between both of `lost` is gone."""
        now = time.time_ns() // 1_000_000
        if 0 <= now - self._last < self._apart or self._file is None:
            return
        try:
            if self._count >= self._most:
                self._thin(self._file, lost)
            os.write(self._file, array("Q", (offset, now)))
        except OSError:
            self.close()
        self._last = now
        self._count += 1

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _recover(self, offset: int) -> None:
        """Cut off what a machine that fell left behind: half an entry, and moments of bytes that are gone."""
        if self._file is None or not (size := os.fstat(self._file).st_size):
            return
        numbers = array("Q", os.pread(self._file, size - size % _ENTRY, 0))
        before = 0
        for at in range(0, len(numbers), 2):
            if not before <= numbers[at] <= offset or not numbers[at + 1]:
                break
            before, self._count = numbers[at], self._count + 1
        os.truncate(self._file, self._count * _ENTRY)

    def _thin(self, file: int, lost: tuple[int, int]) -> None:
        numbers = array("Q", os.pread(file, self._count * _ENTRY, 0))
        first, behind = lost
        kept = array("Q")
        for at in range(0, len(numbers), 2):
            if not (numbers[at] >= first and at + 2 < len(numbers) and numbers[at + 2] <= behind):
                kept.extend(numbers[at : at + 2])
        if len(kept) > self._most:  # that is half of all, as each has two numbers
            self._apart = max(2 * self._apart, (kept[-1] - kept[1]) // self._most)
            kept = array("Q", (number for at in range(0, len(kept), 4) for number in kept[at : at + 2]))
        fresh = f"{self._path}.new"
        new = os.open(fresh, _FLAGS | os.O_TRUNC, 0o600)
        try:
            os.write(new, kept)
            os.rename(fresh, self._path)
        except OSError:
            os.close(new)
            raise
        os.close(file)
        self._file, self._count = new, len(kept) // 2


def between(directory: str, start: int, end: int) -> Moments:
    """Those of the bytes from the offset `start` to `end` of the log in `directory`.

    It costs what the piece has of them: where they begin is found by halving.
    """
    try:
        file = os.open(os.path.join(directory, NAME), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Moments()
    try:
        low, high = 0, os.fstat(file).st_size // _ENTRY
        while low < high:
            middle = (low + high) // 2
            if _offset(file, middle) <= start:
                low = middle + 1
            else:
                high = middle
        at = max(0, low - 1) * _ENTRY
        entries = b""
        while block := os.pread(file, _BLOCK, at):
            entries += block
            at += len(block)
            whole = len(entries) - len(entries) % _ENTRY
            if whole and array("Q", entries[whole - _ENTRY : whole])[0] >= end:
                break
        return Moments(entries[: len(entries) - len(entries) % _ENTRY])
    finally:
        os.close(file)


def _offset(file: int, entry: int) -> int:
    return array("Q", os.pread(file, _ENTRY, entry * _ENTRY))[0]
