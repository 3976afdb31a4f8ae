"""SIGTERM and SIGHUP as an exception in the main thread, so that what was begun is tidied up first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """A signal asked for the end; no `Exception`, so that nothing on the way takes it for a mistake."""


class Ending:
    """Whether the end was asked for: `number` is the first signal that did, None until then.

    Only within `heeded` it interrupts; before and after, it is noted and does no harm. Handlers are functions
    and never SIG_IGN, which every job would inherit; a signal that is ignored already, as by nohup, stays so.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._heeded = False
        for each in _SIGNALS:
            if signal.getsignal(each) is not signal.SIG_IGN:
                signal.signal(each, self._note)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Raise `Terminated` in this block when a signal comes, or came before; only once."""
        self._heeded = True
        try:
            if self.number is not None:
                raise Terminated
            yield
        finally:
            self._heeded = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            return
        self.number = number
        if self._heeded:
            self._heeded = False
            raise Terminated
