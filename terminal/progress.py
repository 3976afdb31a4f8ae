"""Says what a run waits for until its log begins, and then how far its job is.

The former is a moving line on a terminal, else a line per change, as the latter always is.
"""

import sys
import threading
from types import TracebackType
from typing import Self

from terminal.failures import Failure, plain, say
from terminal.printing import progress, standing
from terminal.remote import Document, Remote
from terminal.screen import Emit

_LOOK, _SLOW = 1.0, 2.0
"""Seconds between two looks at the run: until its log begins, and after that."""


class Progress:
    """Looks at a run from a thread of its own, until it is left."""

    def __init__(self, remote: Remote, run: Document) -> None:
        self._remote = Remote(remote.place)  # a connection of one thread is not one of another
        self._run = run
        self._over = threading.Event()
        self._quiet = threading.Event()  # once something of its log came
        self._away = threading.Event()  # once the line was taken away for it
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._drawn = sys.stderr.isatty()

    def until_something_comes(self, emit: Emit) -> Emit:
        """`emit`, before whose first bytes the line is taken away."""

        def first(chunk: bytes, attempt: int) -> None:
            self._quiet.set()
            self._away.wait()
            emit(chunk, attempt)

        return first

    def end(self) -> None:
        """Say nothing more."""
        if not self._over.is_set():
            self._over.set()
            self._quiet.set()
            self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _turn(self) -> None:
        try:
            if self._drawn:
                self._draw()
            else:
                self._tell()
        finally:
            self._away.set()
        last = None
        while not self._over.wait(_SLOW):
            self._look()
            if (bar := progress(self._run)) != last and bar is not None:
                say(plain(f"{self._run['job']} #{self._run['number']} {bar}"))
                last = bar

    def _draw(self) -> None:
        from rich.console import Console
        from rich.text import Text

        status = Console(stderr=True).status(Text(self._words()))
        with status:
            while not self._quiet.wait(_LOOK):
                self._look()
                status.update(Text(self._words()))

    def _tell(self) -> None:
        last = ""
        while True:
            if (words := self._words()) != last:
                say(words)
                last = words
            if self._quiet.wait(_LOOK):
                return
            self._look()

    def _look(self) -> None:
        try:
            self._run = self._remote.ask("GET", f"/api/runs/{self._run['number']}")
        except Failure:
            return  # who reads the log tells that

    def _words(self) -> str:
        return plain(f"{self._run['job']} #{self._run['number']} {standing(self._run)}")
