"""Reads one log of the disk forwards, over its files and the gap between them; blocking."""

import os
from dataclasses import dataclass

from executor.logs import logfile

_CHUNK = 256 * 1024
"""Bytes read at once."""


@dataclass(frozen=True, slots=True)
class LogChunk:
    """A piece of a log. Reading goes on at `end`.

    Where bytes were left out the data is a note that says so, placed so that `end` still holds.
    """

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """The absolute offset of the byte after this piece."""
        return self.start + len(self.data)


class LogReader:
    """Reads one log forwards; blocking. An open file is read to its end even if it is deleted."""

    def __init__(self, directory: str, offset: int, *, size: int = _CHUNK) -> None:
        if offset < 0:
            raise ValueError("a log has no negative offsets")
        self.ended = False
        self._size = size  # bytes of a piece at most
        self._directory = directory
        self._offset = offset
        self._file: int | None = None
        self._start = 0
        self._seen = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def next(self) -> LogChunk | None:
        """Give the next piece; None if there is none now. `ended` then tells if there will be one."""
        ended = logfile.has_ended(self._directory)  # before reading, so that nothing can follow
        chunk = self._here() or self._further()
        if chunk is None:
            self.ended = ended or (self._seen and not os.path.isdir(self._directory))
            return None
        self._offset = chunk.end
        return chunk

    def _here(self) -> LogChunk | None:
        if self._file is None:
            return None
        data = os.pread(self._file, self._size, self._offset - self._start)
        return LogChunk(self._offset, data) if data else None

    def _further(self) -> LogChunk | None:
        """Go to the file that has the offset, or to the first one after a gap."""
        try:
            starts = logfile.starts(self._directory)
        except FileNotFoundError:
            return None
        if not starts:
            return None
        self._seen = True
        # What was appended between the last read and the listing still belongs to the open file.
        if chunk := self._here():
            return chunk
        start = max((start for start in starts if start <= self._offset), default=0)
        if self._open(start) and (chunk := self._here()):
            return chunk
        after = min((start for start in starts if start > self._offset), default=None)
        return None if after is None else self._note(after)

    def _open(self, start: int) -> bool:
        if self._file is not None and self._start == start:
            return True
        try:
            file = os.open(logfile.path(self._directory, start), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # deleted since it was listed
            return False
        self.close()
        self._file, self._start = file, start
        return True

    def _note(self, after: int) -> LogChunk:
        note, room = self._words(self._offset, after), after - self._offset
        if len(note) > room and self._file is not None:  # it was read before, to somewhere in the note
            note = self._words(self._start + os.fstat(self._file).st_size, after)[-room:]
        return LogChunk(after - len(note), note)

    def _words(self, end: int, after: int) -> bytes:
        """What stands where the bytes from `end` to `after` were."""
        note = f"[… {after - end:,} bytes left out …]\n".encode()
        if self._file is not None and end > self._start:
            before = os.pread(self._file, 1, end - self._start - 1)
            if before and before != b"\n":
                note = b"\n" + note
        return note
