"""A job's output on its way into the log, and the wakes that tell readers of it."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable

from executor.logs.logfile import LogWriter
from executor.logs.redaction import Redactor, masked
from executor.supervisor import record

_CHUNK = 64 * 1024
_PAGE = 4096
"""Bytes that the smallest read of a pipe that has more may give."""

_PIPE = 256 * 1024
"""Bytes that the job may be ahead of its log, on Linux; elsewhere the system's default."""


class Wakes:
    """Says `look again` to whoever watches the run: who asked for it, and who opened its FIFO."""

    def __init__(self, directory: str, starter: int) -> None:
        fifo = os.path.join(directory, record.WAKE)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(fifo, 0o600)
        os.set_blocking(starter, False)
        self._ends = [starter, os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)]

    def log_grew(self) -> None:
        """Wake those who read the log."""
        self._wake(record.LOG_GREW)

    def status_changed(self) -> None:
        """Wake those who wait for the status."""
        self._wake(record.STATUS_CHANGED)

    def _wake(self, why: bytes) -> None:
        for end in tuple(self._ends):
            try:
                os.write(end, why)
            except BlockingIOError:  # enough wakes wait there
                continue
            except OSError:  # nobody reads it any more
                self._ends.remove(end)


class Output:
    """The pipe that the job writes into: `writing` is its end, to be closed here once it has it."""

    def __init__(
        self, log: LogWriter, secrets: list[bytes], wakes: Wakes, look: Callable[[bytes], None] | None = None
    ) -> None:
        self._log = log
        self._look = look  # sees what the job writes
        self._secrets = secrets
        self._redactor = Redactor(secrets)
        self._wakes = wakes
        self.problem: str | None = None  # a sentence, once something could not be kept
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # over what this user may have
                fcntl.fcntl(self.reading, fcntl.F_SETPIPE_SZ, _PIPE)

    def pump(self) -> bool | None:
        """Carry one piece to the log: True; False if there is none now, None if there will be none."""
        try:
            data = os.read(self.reading, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            return None
        if self._look is not None:
            self._look(data)
        self._write(self._redactor.feed(data))
        self._wakes.log_grew()
        return True

    def say(self, line: str) -> None:
        """Write a line of the supervisor's own into the log."""
        self._write(self._redactor.feed(f"{line}\n".encode(errors="replace")))

    def masked(self, text: str) -> str:
        """Mask a sentence that is for other places than the log."""
        return masked(text, self._secrets)

    def drain(self) -> None:
        """Carry what is there, without waiting for whoever still holds the pipe."""
        for _ in range(_PIPE // _PAGE):  # more than a pipe holds comes from who got hold of its other end
            if not self.pump():
                break

    def finish(self) -> None:
        """Carry what is there and end the log."""
        self.drain()
        self._write(self._redactor.flush())
        self._log.finish()

    def _write(self, data: bytes) -> None:
        try:
            self._log.write(data)
        except OSError as problem:
            self.problem = f"The log is not complete: {problem.strerror}."
