"""Tells when a file was written to or something in a directory changed, without looking again and again.

Linux's inotify(7); where there is none, or no room for another watch, everything is looked at four times a
second instead.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

if sys.platform == "linux":
    from asyncinotify import Inotify, Mask

_LOOK = 0.25
"""Seconds between two looks where nothing tells."""


class FileWatcher:
    """One queue of the system's for all that is watched here."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._inotify: Inotify | None = None

    def open(self) -> None:
        """Begin to listen."""
        if sys.platform == "linux":
            self._inotify = Inotify(cache_size=64)
            self._reading = asyncio.create_task(self._read(self._inotify))

    async def close(self) -> None:
        """Stop listening."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None
        self._release()

    def arm(self, path: Path) -> "asyncio.Future[None]":
        """Give what is done once `path` changed after this call. Look at it after it, then wait."""
        if self._inotify is not None:
            with contextlib.suppress(OSError):  # no more watches, or not there (yet)
                watch = self._inotify.add_watch(path, _MASK)
                if watch.wd not in self._waiting:
                    self._waiting[watch.wd] = asyncio.get_running_loop().create_future()
                return self._waiting[watch.wd]
        later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(_LOOK, _done, later)
        return later

    async def _read(self, inotify: "Inotify") -> None:
        async for event in inotify:
            if Mask.Q_OVERFLOW in event.mask:
                self._release()
            elif event.watch is not None and (waiting := self._waiting.pop(event.watch.wd, None)):
                _done(waiting)

    def _release(self) -> None:
        for waiting in self._waiting.values():
            _done(waiting)
        self._waiting.clear()


if sys.platform == "linux":
    # Once, so that a job that writes a million lines makes one event for each time it is looked at.
    _MASK = Mask.MODIFY | Mask.CREATE | Mask.MOVED_TO | Mask.CLOSE_WRITE | Mask.ONESHOT


def _done(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
