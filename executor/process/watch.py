"""What this process sees of one supervised run, shared by all who attach to it here."""

import asyncio
import os
from collections.abc import Callable

from executor.errors import EngineUnavailable
from executor.process.lost import settle
from executor.supervisor import record

_STARTS = 3
"""How often a supervisor is asked for that then does not begin."""

_WAKES = 4096
"""Bytes of wakes taken at once."""


class Watch:
    """Knows the run's newest status and wakes those who wait for another.

    `start` asks for a supervisor and gives the pipe that it wakes; `woken` is called at every change.
    """

    def __init__(self, directory: str, start: Callable[[], int], woken: Callable[[], None]) -> None:
        self.users = 0
        self._directory = directory
        self._start = start
        self._woken = woken
        self._starts = 0
        self._wakes: int | None = None  # the descriptor that is watched
        self._change = asyncio.Event()  # a new one after every change
        self._attaching: asyncio.Task[record.Status] | None = None
        self._closed = False

    async def status(self) -> tuple[record.Status, asyncio.Event]:
        """Give the status, empty before the first, and what is set when there may be a newer one.

        Starts the run if nobody did. Raises EngineUnavailable.
        """
        change = self._change
        if self._closed:
            raise EngineUnavailable("the engine is being closed")
        if self._wakes is not None:
            return await asyncio.to_thread(record.read_status, self._directory) or {}, change
        if self._attaching is None:
            self._attaching = asyncio.create_task(self._attach())
            self._attaching.add_done_callback(self._attached)
        # It owns a descriptor in the end, so it goes on when who asked is cancelled.
        return await asyncio.shield(self._attaching), change

    def close(self) -> None:
        """Stop watching; the run goes on."""
        self._closed = True
        self._unlisten()
        self._changed()

    def _changed(self) -> None:
        self._change.set()
        self._change = asyncio.Event()
        self._woken()

    async def _attach(self) -> record.Status:
        wakes, status = await asyncio.to_thread(self._find)
        if wakes is not None:
            self._listen(wakes)
        return status

    def _attached(self, task: asyncio.Task[record.Status]) -> None:
        self._attaching = None
        if not task.cancelled():
            task.exception()  # seen, even where nobody waits for it any more

    def _listen(self, wakes: int) -> None:
        if self._closed:
            os.close(wakes)
            return
        self._wakes = wakes
        asyncio.get_running_loop().add_reader(wakes, self._readable)

    def _unlisten(self) -> None:
        if self._wakes is not None:
            asyncio.get_running_loop().remove_reader(self._wakes)
            os.close(self._wakes)
            self._wakes = None

    def _readable(self) -> None:
        if self._wakes is None:
            return
        try:
            wakes = os.read(self._wakes, _WAKES)
        except BlockingIOError:
            return
        if not wakes:
            self._unlisten()
        if not wakes or record.STATUS_CHANGED in wakes or len(wakes) == _WAKES:  # one may not have fitted
            self._changed()
        else:
            self._woken()

    def _find(self) -> tuple[int | None, record.Status]:
        """Find the run as it is; give what to watch, or None if it is over. Blocking."""
        while True:
            wakes = self._open_fifo()
            status = record.read_status(self._directory)
            if status and status["state"] == record.FINISHED:
                _close(wakes)
                return None, status
            if record.lock_holder(self._directory) is not None:
                if wakes is not None and _is_open_elsewhere(wakes):
                    return wakes, status or {}
                _close(wakes)
                continue  # it has just made the FIFO, or it is dying
            _close(wakes)
            if status is None:
                return self._begin(), {}
            # Nobody holds the lock any more, so what the file says now is the last word.
            status = record.read_status(self._directory) or status
            return None, status if status["state"] == record.FINISHED else settle(self._directory, status)

    def _begin(self) -> int:
        self._starts += 1
        if self._starts > _STARTS:
            raise EngineUnavailable("the supervisor dies before it begins; is the disk full?", delay=30.0)
        return self._start()

    def _open_fifo(self) -> int | None:
        try:
            return os.open(
                os.path.join(self._directory, record.WAKE), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except FileNotFoundError:
            return None


def _is_open_elsewhere(fifo: int) -> bool:
    """Tell whether somebody can write; only then will the end of that be told."""
    try:
        return bool(os.read(fifo, _WAKES))
    except BlockingIOError:
        return True


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)
