"""What a container wrote on its way into the log that Errand keeps; blocking.

That log depends on nothing but the bytes that the container wrote and the secrets that are masked in them.
So a bot that takes over reads the container's log from its beginning again, and leaves out as many bytes as
are kept already: no position has to be stored, no line is lost or doubled.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from executor.logfile import LogWriter
from executor.redaction import Redactor

_FIRST = 512
"""Bytes of the beginning that are remembered: an init says there why it could not start the command."""

_ENTRY = re.compile(rb"^[^ \n]{20,40} std(?:out|err) (?:F |P (.*)\n)", re.MULTILINE)
_WHOLE = re.compile(rb"^[^ \n]{20,40} std(?:out|err) F ", re.MULTILINE)


class Parser(Protocol):
    """Takes what the job wrote out of how the engine tells it."""

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, in the next piece."""
        ...


class Entries:
    """The file that conmon writes: `TIME STREAM F TEXT` for a line, P for a part of one without its end.

    https://github.com/containers/conmon/blob/main/src/ctr_logging.c
    """

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, up to the last whole entry."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._left += data
            return b""
        block = self._left + data[:end]
        self._left = data[end:]
        if b" stdout P " in block or b" stderr P " in block:
            return _ENTRY.sub(rb"\1", block)
        return _WHOLE.sub(b"", block)


class Frames:
    """The API's stream: frames of eight bytes (stream, 0, 0, 0, length as big-endian u32) and the data.

    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
    """

    def __init__(self) -> None:
        self._head = b""
        self._length = 0

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, as far as it has come."""
        out, at = [], 0
        while at < len(data):
            if not self._length:
                taken = data[at : at + 8 - len(self._head)]
                self._head += taken
                at += len(taken)
                if len(self._head) == 8:
                    self._length = int.from_bytes(self._head[4:], "big")
                    self._head = b""
                continue
            piece = data[at : at + self._length]
            out.append(piece)
            at += len(piece)
            self._length -= len(piece)
        return b"".join(out)


class Keeping:
    """Writes one run's log, of which the first `kept` bytes are there."""

    def __init__(self, log: LogWriter, parser: Parser, secrets: Sequence[bytes], kept: int) -> None:
        self.first = b""
        self.problem: str | None = None  # a sentence, once something could not be kept
        self._log = log
        self._parser = parser
        self._redactor = Redactor(secrets)
        self._kept = kept

    def take(self, data: bytes) -> None:
        """Keep the next piece of what the engine tells."""
        text = self._parser.feed(data)
        if len(self.first) < _FIRST:
            self.first += text[: _FIRST - len(self.first)]
        self._write(self._redactor.feed(text))

    def end(self, notes: Sequence[str]) -> None:
        """Add Errand's own lines, and end the log."""
        self._write(self._redactor.flush())
        for note in notes:
            self._write(f"{note}\n".encode(errors="replace"))
        self._log.finish()

    def close(self) -> None:
        """Let go of the log, which another one goes on with."""
        self._log.close()

    def _write(self, data: bytes) -> None:
        if self._kept:
            left = data[self._kept :]
            self._kept -= len(data) - len(left)
            data = left
        try:
            self._log.write(data)
        except OSError as problem:
            self.problem = f"The log is not complete: {problem.strerror}."
