"""How one log lies on disk, and its only writer.

A log is a directory of files, each named by the absolute offset of its first byte. The first file
is the head, as large as half of what the log may take. What comes after it goes into parts, of
which the oldest are deleted, so that the newest bytes stay: the gap is where offsets are missing.
A file called `end` says that nothing follows, one called `moments` when what was written. Imports next to
nothing, like `executor.logs.redaction`.
"""

import contextlib
import math
import os

from executor.logs.moments import MomentWriter

END = "end"
SMALLEST = 64 * 1024
"""Bytes: a lower limit for a log is raised to this, so that a gap is always longer than its note."""

_PARTS = 8
_NAME = "%020d"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


def path(directory: str, start: int) -> str:
    """Name the file of `directory` that begins at the absolute offset `start`."""
    return os.path.join(directory, _NAME % start)


def starts(directory: str) -> list[int]:
    """Give the first offset of every file of a log, ascending; raises FileNotFoundError."""
    return sorted(int(name) for name in os.listdir(directory) if name.isdigit())


def has_ended(directory: str) -> bool:
    """Tell whether the writer said that nothing follows."""
    return os.path.exists(os.path.join(directory, END))


def ended_at(directory: str) -> float:
    """Give when the log became complete, seconds since the epoch; infinity for one that is not."""
    try:
        return os.stat(os.path.join(directory, END)).st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return math.inf


def finish(directory: str) -> None:
    """Say that nothing follows; an empty log is made if there was none."""
    os.makedirs(directory, 0o700, exist_ok=True)
    os.close(os.open(os.path.join(directory, END), _FLAGS, 0o600))


def _made(directory: str) -> bool:
    """Make the directory; False if it was there."""
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        return False
    except FileNotFoundError:
        os.makedirs(directory, 0o700, exist_ok=True)
    return True


class LogWriter:
    """Appends to the log in `directory`, which never takes more than `max_size` bytes. One at a time."""

    def __init__(self, directory: str, max_size: int) -> None:
        self._directory = directory
        self._head = max(max_size, SMALLEST) // 2
        start = 0
        self._parts: list[int] = []
        if not _made(directory):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, END))
            *parts, start = starts(directory) or [0]
            self._parts = [part for part in parts if part]
        self._open(start)
        size = os.fstat(self._file).st_size
        self._offset = start + size
        self._room -= size
        self._moments = MomentWriter(directory, max(max_size, SMALLEST), self._offset)

    def write(self, data: bytes) -> None:
        """Append `data`; it can be read at once. Raises OSError, after which what was left is lost."""
        left = memoryview(data)
        if left:
            self._moments.note(self._offset, (self._head, self._parts[0] if self._parts else 0))
        while left:
            if self._room <= 0:
                self._rotate()
            count = os.write(self._file, left[: self._room])
            self._offset += count
            self._room -= count
            left = left[count:]

    def finish(self) -> None:
        """Say that nothing follows and let go of the log."""
        self.close()
        finish(self._directory)

    def close(self) -> None:
        """Let go of the log, which may go on later."""
        os.close(self._file)
        self._moments.close()

    def _open(self, start: int) -> None:
        self._file = os.open(path(self._directory, start), _FLAGS, 0o600)
        self._room = self._head // _PARTS if start else self._head
        if start:
            self._parts.append(start)

    def _rotate(self) -> None:
        full = self._file
        self._open(self._offset)
        os.close(full)
        while len(self._parts) > _PARTS:
            os.unlink(path(self._directory, self._parts.pop(0)))
