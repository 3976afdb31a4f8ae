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
"""Seconds after a signal in which the main thread has begun to wait, or has heeded it, on a quiet machine."""
_LATEST = 1.0
"""Seconds between two times that it is woken, at most; each time it is given twice as long."""
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
    heeded, ended = threading.Event(), threading.Event()

    def heed(number: int, frame: FrameType | None) -> None:
        """The wait has ended, and with this everything that was noted before is heeded."""
        heeded.set()

    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handler = signal.signal(_NUDGE, heed)
    main = threading.get_ident()
    threading.Thread(target=_nudge, args=(reader, main, heeded, ended), daemon=True, name="signals").start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        signal.signal(_NUDGE, handler)
        ended.set()
        heeded.set()
        os.close(writer)  # which ends the thread


def _nudge(reader: int, main: int, heeded: threading.Event, ended: threading.Event) -> None:
    """Pass on what the pipe tells of signals: each is written there by whatever thread has taken it.

    The main thread may come to its wait only after it was woken, so it is woken until it has heeded that.
    """
    with open(reader, "rb", buffering=0) as pipe:
        while numbers := pipe.read(64):
            if set(numbers) == {_NUDGE}:
                continue
            later = _LATER
            time.sleep(later)
            heeded.clear()
            while not heeded.is_set() and not ended.is_set():
                signal.pthread_kill(main, _NUDGE)
                heeded.wait(later)
                later = min(2 * later, _LATEST)
