"""Keeps the logs of what runs beside a job in its pod, each on its own, as the job's is kept.

Nothing waits for them but for moments: they say nothing of the run, and end with it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from executor.errors import EngineUnavailable
from executor.kubernetes.controller.log_collector import LogResources, PodLogCollector
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.kubernetes.watching.states import RUNNING, TERMINATED, Pod

MOST = 8
"""Sidecars of one pod whose logs are kept."""
_LAST, _LONGEST = 0.5, 5.0
"""Seconds after the end of the job in which a sidecar may say its last, and in which all has to be kept."""


class Beside:
    """The sidecars of the run `key`, as `pod` tells of them; `secrets` are masked."""

    def __init__(
        self, key: str, desk: LogResources, pod: Callable[[], Pod | None], secrets: Sequence[bytes]
    ) -> None:
        self._logs = desk.logs.beside(key)
        self._desk = replace(desk, logs=self._logs)
        self._pod = pod
        self._secrets = secrets
        self._keepers: dict[str, PodLogCollector] = {}

    def look(self) -> None:
        """Say that the pod has changed."""
        pod = self._pod()
        for one in pod.sidecars if pod is not None else ():
            if one.name not in self._keepers and one.started_at is not None and len(self._keepers) < MOST:
                self._keepers[one.name] = self._keeper(one.name)
        for keeper in self._keepers.values():
            keeper.look()

    def _keeper(self, name: str) -> PodLogCollector:
        place = RunDirectory(self._logs.path(name))
        return PodLogCollector(
            name, place, self._desk, lambda: _alone(self._pod(), name), self._secrets, last=_LAST
        )

    async def end(self) -> None:
        """Keep what there is: the run has ended."""
        self.look()
        ends = [asyncio.create_task(self._end(name)) for name in self._keepers]
        if ends:
            _, late = await asyncio.wait(ends, timeout=_LONGEST)
            for end in late:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _end(self, name: str) -> None:
        with contextlib.suppress(EngineUnavailable):
            await self._keepers[name].end([])

    async def close(self) -> None:
        """Leave them to another process."""
        await asyncio.gather(*(keeper.close() for keeper in self._keepers.values()))


def _alone(pod: Pod | None, name: str) -> Pod | None:
    """Give the pod as if it had that sidecar only, which is over with the pod if it is always restarted."""
    one = next((one for one in pod.sidecars if one.name == name), None) if pod is not None else None
    if pod is None or one is None:
        return None
    if one.restarts and one.status == TERMINATED and not pod.has_ended:
        one = replace(one, status=RUNNING)
    return replace(pod, containers=(one,), sidecars=())
