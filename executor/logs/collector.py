"""What a container wrote on its way into the log that Errand keeps; blocking.

That log depends on nothing but the bytes that the container wrote and the secrets that are masked in them.
So a bot that takes over reads them again, from the beginning or from where nothing was held back, and leaves
out as many bytes as are kept already: no line is lost or doubled.
"""

from collections.abc import Sequence

from executor.logs.logfile import LogWriter
from executor.logs.redaction import Redactor

_FIRST = 512
"""Bytes of the beginning that are remembered: an init says there why it could not start the command."""


class LogCollector:
    """Writes one run's log, of which the next `kept` bytes, from `offset` on, are there already."""

    def __init__(self, log: LogWriter, secrets: Sequence[bytes], kept: int, offset: int = 0) -> None:
        self.first = b""
        self.offset = offset  # in the log, after what was taken
        self.problem: str | None = None  # a sentence, once something could not be kept
        self._log = log
        self._redactor = Redactor(secrets)
        self._kept = kept
        self._is_at_start = True  # of a line

    @property
    def is_settled(self) -> bool:
        """Whether the rest of the log depends on nothing that was taken so far."""
        return self._redactor.is_settled

    def take(self, text: bytes) -> None:
        """Keep the next piece of what the job wrote."""
        if len(self.first) < _FIRST:
            self.first += text[: _FIRST - len(self.first)]
        self._write(self._redactor.feed(text))

    def note(self, words: str) -> None:
        """Add a line of Errand's own where it is not known any more which bytes are kept already."""
        self._write(self._redactor.flush())
        self._kept = 0
        self._line(words)

    def end(self, notes: Sequence[str]) -> None:
        """Add Errand's own lines, and end the log."""
        self._write(self._redactor.flush())
        for words in notes:
            self._line(words)
        self._log.finish()

    def close(self) -> None:
        """Let go of the log, which another one goes on with."""
        self._log.close()

    def _line(self, words: str) -> None:
        begin = "" if self._is_at_start else "\n"
        self._write(f"{begin}{words}\n".encode(errors="replace"))

    def _write(self, data: bytes) -> None:
        if data:
            self.offset += len(data)
            self._is_at_start = data.endswith(b"\n")
        if self._kept:
            left = data[self._kept :]
            self._kept -= len(data) - len(left)
            data = left
        try:
            self._log.write(data)
        except OSError as problem:
            self.problem = f"The log is not complete: {problem.strerror}."
