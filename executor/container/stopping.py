"""Ends a container in time: SIGTERM, after its grace SIGKILL; for who asked, or because its time is up."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import NoReturn

from executor.container.client import Client, Refused
from executor.container.containers import CHILDREN, GRACE, TIMEOUT, Container
from executor.container.run_directory import SIGNALLED, STOP, RunDirectory
from executor.logs.watcher import FileWatcher
from executor.spec import Result
from executor.supervisor import setup
from executor.threads import shielded

TO_ALL = (("sh", "-c", setup.TELL_ALL, "sh", setup.PREFACE), ("kill", "-TERM", "-1"))
TO_FIRST = ("sh", "-c", setup.TELL_OWN + '[ "$P" ]', "sh", setup.PREFACE)
"""Commands in the container that signal every process but its init, of which one has to be there.

The init then ends with the exit code that the job's first process chose.
"""

ALONE = "SIGTERM went to the job's first process only: its image has neither kill nor sh."

_AGAIN = 5.0
"""Seconds after which a container that was killed and is still there is killed again."""


class ContainerStopper:
    """When and how one container is stopped."""

    def __init__(
        self, client: Client, container: Container, place: RunDirectory, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._id = container.id
        self._place = place
        self._clock = clock
        labels = container.labels
        self._deadline = (container.started_at or clock()) + float(labels.get(TIMEOUT) or 900.0)
        self._grace = float(labels.get(GRACE) or 30.0)
        self._children = labels.get(CHILDREN) != "0"
        self._signalled: float | None = None
        self.alone = False  # whether only the first process could be told

    async def attend(self, watcher: FileWatcher) -> NoReturn:
        """Do what is due whenever it is, until cancelled; raises EngineUnavailable."""
        while True:
            changed = watcher.arm(self._place.path)  # any process may ask for a stop
            wait = await self._step()
            await asyncio.wait([changed], timeout=wait)

    async def _step(self) -> float:
        """Do what is due now; gives the seconds until something is."""
        stop = await shielded(lambda: self._place.read(STOP))
        now = self._clock()
        if stop is None:
            if now < self._deadline:
                return self._deadline - now
            stop = {"result": Result.TIMED_OUT.value, "at": now}
            await shielded(lambda: self._place.write(STOP, stop))
        if self._signalled is None:
            self._signalled = await shielded(lambda: self._place.read(SIGNALLED))
        if self._signalled is None:
            await self._terminate()
            self._signalled = now = self._clock()
            await shielded(lambda: self._place.write(SIGNALLED, now))
        if now < self._signalled + self._grace:
            return self._signalled + self._grace - now
        await self._kill("SIGKILL")
        return _AGAIN

    async def _terminate(self) -> None:
        if self._children:
            codes = []
            for words in TO_ALL:
                codes.append(await self._client.execute(self._id, words))
                if codes[-1] == 0:
                    return
            self.alone = all(code in (126, 127) for code in codes)
        elif await self._client.execute(self._id, TO_FIRST) == 0:
            return
        await self._kill("SIGTERM")

    async def _kill(self, signal: str) -> None:
        with contextlib.suppress(Refused):  # it has just ended
            await self._client.ask("POST", f"containers/{self._id}/kill", {"signal": signal})
