"""Says what a run waits for until its log begins: a moving line on a terminal, else a line per change."""

import sys
import threading
from types import TracebackType
from typing import Self

from terminal.failures import Failure, plain, say
from terminal.printing import standing
from terminal.remote import Document, Remote
from terminal.screen import Emit

_LOOK = 1.0
"""Seconds between two looks at the run."""


class Progress:
    """Looks at a run from a thread of its own, until something of its log was read or it is left."""

    def __init__(self, remote: Remote, run: Document) -> None:
        self._remote = Remote(remote.place)  # a connection of one thread is not one of another
        self._run = run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._drawn = sys.stderr.isatty()

    def until_something_comes(self, emit: Emit) -> Emit:
        """`emit`, before whose first bytes the line is taken away."""

        def first(chunk: bytes, attempt: int) -> None:
            self.end()
            emit(chunk, attempt)

        return first

    def end(self) -> None:
        """Say nothing more."""
        if not self._over.is_set():
            self._over.set()
            self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _turn(self) -> None:
        if not self._drawn:
            self._tell()
            return
        from rich.console import Console
        from rich.text import Text

        status = Console(stderr=True).status(Text(self._words()))
        with status:
            while not self._over.wait(_LOOK):
                self._look()
                status.update(Text(self._words()))

    def _tell(self) -> None:
        last = ""
        while True:
            if (words := self._words()) != last:
                say(words)
                last = words
            if self._over.wait(_LOOK):
                return
            self._look()

    def _look(self) -> None:
        try:
            self._run = self._remote.ask("GET", f"/api/runs/{self._run['number']}")
        except Failure:
            return  # who reads the log tells that

    def _words(self) -> str:
        return plain(f"{self._run['job']} #{self._run['number']} {standing(self._run)}")
