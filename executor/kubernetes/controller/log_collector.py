"""Writes the log of one run or build, or waits until the process that does so has."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.controller.following import LAST, Follower
from executor.kubernetes.controller.run_directory import RunDirectory, Turn
from executor.kubernetes.watching.states import Pod
from executor.logs.collector import LogCollector
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.logs.watcher import FileWatcher
from executor.threads import shielded

_LOOK = 5.0
"""Seconds after which who waits for its turn looks again though nothing was told, as from another machine."""


@dataclass(frozen=True, slots=True)
class LogResources:
    """What logs are kept with."""

    client: Client
    watcher: FileWatcher
    logs: LogStore


class PodLogCollector:
    """Keeps the log of `key`, with `secrets` masked, as its pod comes to something.

    `last`: seconds in which the stream of a container that has ended has to go on or to end.
    """

    def __init__(
        self,
        key: str,
        place: RunDirectory,
        desk: LogResources,
        pod: Callable[[], Pod | None],
        secrets: Sequence[bytes],
        *,
        last: float = LAST,
    ) -> None:
        self._key = key
        self._place = place
        self._desk = desk
        self._secrets = secrets
        self._follower = Follower(desk.client, pod, lambda: desk.logs.wake(key), last)
        self._notes: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._keep())

    def look(self) -> None:
        """Say that the pod has changed."""
        self._follower.look()

    async def end(self, notes: list[str]) -> str | None:
        """Wait until all is kept, with `notes` as the last lines; gives a sentence if something is not.

        Raises EngineUnavailable where there cannot be a log.
        """
        self._notes.set_result(notes)
        self._follower.end()
        try:
            return await self._task
        except OSError as problem:
            raise EngineUnavailable(f"the log cannot be kept: {problem.strerror}") from problem

    async def close(self) -> None:
        """Leave the log to another process."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> str | None:
        turn = await self._turn()
        if turn is None:
            return None
        try:
            return None if await self._place.is_complete() else await self._write(turn)
        finally:
            turn.close()
            self._desk.logs.wake(self._key)

    async def _turn(self) -> Turn | None:
        """Wait for the turn to write; None once another process has ended the log."""
        changed: asyncio.Future[None] | None = None
        while (turn := await self._place.take()) is None:
            self._desk.logs.wake(self._key)  # the other process may have written
            if await self._place.is_complete():
                return None
            if changed is not None:
                await asyncio.wait([changed], timeout=_LOOK)
                changed = None
            else:  # and try once more: what changes from now on will be told
                changed = self._desk.watcher.arm(self._place.path)
        return turn

    async def _write(self, turn: Turn) -> str | None:
        start = await shielded(turn.read)
        size = await self._desk.logs.size(self._key) or 0
        if start is not None and start.offset > size:  # the machine fell, and lost what was written last
            start = None
        offset = start.offset if start is not None else 0
        most = self._desk.logs.max_size
        path = str(self._place.path)
        keeping = await shielded(
            lambda: LogCollector(LogWriter(path, most), self._secrets, size - offset, offset)
        )
        try:
            notes = await self._follower.follow(keeping, turn, start)
            notes += await self._notes
        except BaseException:
            await shielded(keeping.close)
            raise
        await shielded(lambda: keeping.end(notes))
        return keeping.problem
