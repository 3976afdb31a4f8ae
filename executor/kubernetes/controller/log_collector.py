"""Writes the logs of one pod: that of its job, and each of what runs beside it on its own.

One process writes a log; another waits until that has. Nothing waits for sidecars but for moments: they say
nothing of the run, and end with it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.controller.following import LAST, Follower
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.kubernetes.watching.states import RUNNING, TERMINATED, Pod
from executor.logs.collector import LogCollector
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.logs.watcher import FileWatcher
from executor.threads import shielded

MOST = 8
"""Sidecars of one pod whose logs are kept."""
_LAST, _LONGEST = 0.5, 5.0
"""Seconds after the end of the job in which a sidecar may say its last, and in which all has to be kept."""


@dataclass(frozen=True, slots=True)
class LogResources:
    """What logs are kept with."""

    client: Client
    watcher: FileWatcher
    logs: LogStore


class PodLogs:
    """The logs of the run `key`, whose pod `pod` gives as it is known; `secrets` are masked in all."""

    def __init__(
        self, key: str, desk: LogResources, pod: Callable[[], Pod | None], secrets: Sequence[bytes]
    ) -> None:
        self._pod = pod
        self._secrets = secrets
        self._beside = replace(desk, logs=desk.logs.beside(key))
        self._sidecars: dict[str, PodLogCollector] = {}
        self._job = PodLogCollector(key, desk, pod, secrets)

    def look(self) -> None:
        """Say that the pod has changed."""
        pod = self._pod()
        for one in pod.sidecars if pod is not None else ():
            if one.name not in self._sidecars and one.started_at is not None and len(self._sidecars) < MOST:
                self._sidecars[one.name] = self._sidecar(one.name)
        for collector in (self._job, *self._sidecars.values()):
            collector.look()

    def _sidecar(self, name: str) -> "PodLogCollector":
        return PodLogCollector(
            name, self._beside, lambda: _alone(self._pod(), name), self._secrets, last=_LAST
        )

    async def end(self, notes: list[str]) -> str | None:
        """Wait until all is kept, with `notes` as the job's last lines; gives a sentence if something is not.

        Raises EngineUnavailable where there cannot be a log.
        """
        problem, _ = await asyncio.gather(self._job.end(notes), self._end_sidecars())
        return problem

    async def _end_sidecars(self) -> None:
        ends = [asyncio.create_task(_quietly_end(one)) for one in self._sidecars.values()]
        if ends:
            _, late = await asyncio.wait(ends, timeout=_LONGEST)
            for end in late:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def close(self) -> None:
        """Leave them to another process."""
        await asyncio.gather(*(one.close() for one in (*self._sidecars.values(), self._job)))


class PodLogCollector:
    """Keeps the log `key`, with `secrets` masked, as its pod comes to something.

    `last`: seconds in which the stream of a container that has ended has to go on or to end.
    """

    def __init__(
        self,
        key: str,
        desk: LogResources,
        pod: Callable[[], Pod | None],
        secrets: Sequence[bytes],
        *,
        last: float = LAST,
    ) -> None:
        self._key = key
        self._desk = desk
        self._secrets = secrets
        self._follower = Follower(desk.client, pod, last)
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
        """Wait for the turn to write, and write; nothing to do once another process has ended the log."""
        logs, key = self._desk.logs, self._key
        path, most = logs.path(key), logs.max_size
        turn = await RunDirectory(path).turn(self._desk.watcher, lambda: logs.wake(key))
        if turn is None:
            logs.wake(key)
            return None
        try:
            start = await shielded(turn.read)
            size = await logs.size(key) or 0
            if start is not None and start.offset > size:  # the machine fell, and lost what was written last
                start = None
            offset = start.offset if start is not None else 0
            keeping = await shielded(
                lambda: LogCollector(LogWriter(path, most), self._secrets, size - offset, offset)
            )
            try:
                notes = await self._follower.follow(keeping, turn, start, lambda: logs.wake(key))
                notes += await self._notes
            except BaseException:
                await shielded(keeping.close)
                raise
            await shielded(lambda: keeping.end(notes))
            return keeping.problem
        finally:
            turn.close()
            logs.wake(key)


async def _quietly_end(sidecar: PodLogCollector) -> None:
    with contextlib.suppress(EngineUnavailable):
        await sidecar.end([])


def _alone(pod: Pod | None, name: str) -> Pod | None:
    """Give the pod as if it had that sidecar only, which is over with the pod if it is always restarted."""
    one = next((one for one in pod.sidecars if one.name == name), None) if pod is not None else None
    if pod is None or one is None:
        return None
    if one.restarts and one.status == TERMINATED and not pod.has_ended:
        one = replace(one, status=RUNNING)
    return replace(pod, containers=(one,), sidecars=())
