"""All runs and builds of one installation: those that are attended here, and what is left of the others."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.controller import stopping
from executor.kubernetes.controller.log_collector import LogResources
from executor.kubernetes.controller.orders import RunOrder, RunResources
from executor.kubernetes.controller.run_controller import RunController
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.kubernetes.controller.stopping import Stop
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import FINALIZER, JOBS, PODS, name_of
from executor.kubernetes.settings import Settings
from executor.kubernetes.watching import outcomes, states
from executor.kubernetes.watching.cluster import Cluster, NamespaceView
from executor.logs.store import LogStore, check_key
from executor.logs.watcher import FileWatcher
from executor.spec import Outcome, Progress, Result

_TRIES, _PAUSE, _LONGEST_PAUSE = 12, 5.0, 300.0
"""How often what nobody waits for is tried again, after how many seconds: doubled, up to the last."""
_BACKGROUND = {"propagationPolicy": "Background"}
_RELEASE = {"metadata": {"$deleteFromPrimitiveList/finalizers": [FINALIZER]}}


class RunControllers:
    """What is attended in this process, on one cluster."""

    def __init__(self, client: Client, settings: Settings, logs: LogStore) -> None:
        self._client = client
        self._settings = settings
        self._logs = logs
        self._watcher = FileWatcher()
        self._lives: dict[str, RunController] = {}
        self._names: dict[tuple[str, str], RunController] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._cluster = Cluster(client, self._heard)
        self._tools = RunResources(
            self._cluster, LogResources(client, self._watcher, logs), time.time, self._chore
        )

    def open(self) -> None:
        """Begin to watch."""
        self._watcher.open()
        self._cluster.enter([self._settings.namespace, *self._settings.namespaces])

    async def close(self) -> None:
        """Let go of all, which goes on."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.gather(*(life.close() for life in list(self._lives.values())))
        await self._cluster.close()
        await self._watcher.close()

    async def attend(self, order: RunOrder) -> AsyncIterator[Progress]:
        """Start what is ordered or attach to it; see `Engine`."""
        key, place = order.key, (order.namespace, order.name)
        life = self._lives.get(key)
        if life is None:
            life = self._lives[key] = self._names[place] = RunController(order, self._tools)
        life.users += 1
        try:
            async for progress in life.story():
                yield progress
        finally:
            life.users -= 1
            if not life.users:
                if self._lives.get(key) is life:
                    del self._lives[key], self._names[place]
                await life.close()

    async def stop(self, key: str) -> None:
        """Tell who attends it here, or else the cluster, of which every bot hears it."""
        name = name_of(key)
        life = self._lives.get(key)
        if life is not None:
            life.stop()
            return
        space = await self._find(key)
        job = space.job(name) if space is not None else None
        if space is None or job is None or job.key != key:
            return
        pod = space.pod(name)
        if job.stop or isinstance(outcomes.read(job, pod, [], time.time()), Outcome) or job.failed:
            return
        try:
            await stopping.stop(self._client, job, pod, Stop(Result.CANCELLED))
        except Refused as refused:
            raise EngineUnavailable(f"a Job could not be stopped: {refused.message}") from refused

    async def remove(self, key: str) -> None:
        """Delete all that is called after `key` but its log; raises EngineUnavailable while it runs."""
        name = name_of(key)
        space = await self._find(key)
        if space is not None:
            job = space.job(name) or states.gone(name, key, space.namespace)
            pod = space.pod(name)
            if job.key != key:
                return
            if not isinstance(outcomes.read(job, pod, [], time.time()), Outcome) and not job.failed:
                raise EngineUnavailable(f"{key} still runs")
            await self._delete(space, name)
        await self._place(key).forget()

    async def prune(self, *, before: float) -> None:
        """Remove what ended before `before` and belongs to this installation."""
        for space in await self._cluster.spaces():
            for job in list(space.jobs):
                if job.installation != self._settings.installation or job.key in self._lives:
                    continue
                outcome = outcomes.read(job, space.pod(job.name), [], time.time())
                ended = outcome.finished_at if isinstance(outcome, Outcome) else job.finished_at
                has_ended = isinstance(outcome, Outcome) or job.failed
                if has_ended and (ended or job.created_at) < before:
                    await self._delete(space, job.name)
                    with contextlib.suppress(ValueError):  # somebody else wrote what it is called
                        await self._place(job.key).forget()
            for pod in list(space.pods):
                if space.job(pod.label) is None and pod.has_ended and pod.created_at < before:
                    await self._release(space, pod.label)

    async def _delete(self, space: NamespaceView, name: str) -> None:
        """Delete a Job: its pods first lose what keeps them, then all goes with it."""
        await self._release(space, name)
        try:
            await self._client.delete(JOBS, space.namespace, name, _BACKGROUND)
        except Refused as refused:
            raise EngineUnavailable(f"a Job could not be deleted: {refused.message}") from refused

    async def _release(self, space: NamespaceView, name: str) -> None:
        for pod in space.pods.of(name):
            if not pod.is_held:
                continue
            try:
                await self._client.patch(PODS, pod.namespace, pod.name, _RELEASE, "strategic")
            except Refused as refused:
                if refused.status != HTTPStatus.NOT_FOUND:
                    raise EngineUnavailable(f"a pod could not be let go: {refused.message}") from refused

    async def _find(self, key: str) -> NamespaceView | None:
        begun = await self._place(key).begun()
        if begun is not None:
            self._cluster.enter([begun])
        return await self._cluster.find(name_of(key))

    def _place(self, key: str) -> RunDirectory:
        return RunDirectory(self._logs.path(check_key(key)))

    def _heard(self, namespace: str, name: str) -> None:
        if (life := self._names.get((namespace, name))) is not None:
            life.wake()

    def _chore(self, do: Callable[[], Awaitable[None]]) -> None:
        async def try_() -> None:
            for pauses in range(_TRIES):
                with contextlib.suppress(EngineUnavailable):
                    with contextlib.suppress(Refused):  # removed already
                        await do()
                    return
                await asyncio.sleep(min(_PAUSE * 2**pauses, _LONGEST_PAUSE))

        chore = asyncio.create_task(try_())
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
