"""Deadlines for requests that cost next to nothing while they are kept.

`asyncio.timeout` sets a timer for each request, which at thousands a second is a good part of its cost.
Here one timer looks once a second whether somebody is late.
"""

import asyncio
from types import TracebackType

TICK_S = 1.0
"""How often it is looked, seconds; so a deadline is kept to within this."""


class Deadlines:
    """`with deadlines:` around what a task awaits; after `seconds` that raises `TimeoutError`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[asyncio.Task[object], float] = {}  # oldest first, so the earliest due first
        self._late: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = _current()
        self._running[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(TICK_S, self._look, loop)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        task = _current()
        self._running.pop(task, None)
        if task in self._late:
            self._late.remove(task)
            # Somebody else may have cancelled it too: then that is to be heard of.
            if task.uncancel() <= 0 and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        while self._running:
            task, due = next(iter(self._running.items()))
            if due > now:
                break
            del self._running[task]
            self._late.add(task)
            task.cancel()
        self._timer = loop.call_later(TICK_S, self._look, loop) if self._running else None


def _current() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("deadlines are for what runs in a task")
    return task
