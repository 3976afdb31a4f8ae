"""Signals that come at a bad moment are heard all the same.

Python notes a signal and heeds it between two steps of the main thread. One that comes when that thread is
about to wait for an answer, or that another thread takes, is heeded only when something else comes: a Ctrl-C
without effect. https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_LATER = 0.02
"""Seconds after a signal in which the main thread has begun to wait, or has heeded it."""
_NUDGE = signal.SIGURG
"""Ends a wait for a moment; nobody else sends it, and without a handler it does nothing."""


@contextmanager
def heard() -> Iterator[None]:
    """In this block every signal wakes the main thread; elsewhere than in that thread it changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handler = signal.signal(_NUDGE, _ignored)
    main = threading.get_ident()
    threading.Thread(target=_nudge, args=(reader, main), daemon=True, name="signals").start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(_NUDGE, handler)
        os.close(writer)  # which ends the thread


def _nudge(reader: int, main: int) -> None:
    """Pass on what the pipe tells of signals: each is written there by whatever thread has taken it."""
    with open(reader, "rb", buffering=0) as pipe:
        while numbers := pipe.read(64):
            if set(numbers) != {_NUDGE}:
                time.sleep(_LATER)
                signal.pthread_kill(main, _NUDGE)


def _ignored(number: int, frame: FrameType | None) -> None:
    """The wait has ended, and what was noted is heeded: that is all."""
