"""All runs of one installation: those that are attended here, and what is left of the others."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

from executor.container import containers, networks
from executor.container.client import Client
from executor.container.containers import INSTALLATION, KEY
from executor.container.events import Events
from executor.container.following import FILE_DRIVER
from executor.container.run_controller import RunController, RunResources
from executor.container.run_directory import STOP, RunDirectory
from executor.container.starting import ContainerStarter
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore, check_key
from executor.logs.watcher import FileWatcher
from executor.spec import Progress, Result, RunSpec
from executor.threads import shielded

_DOCKERS_DRIVER = "json-file"


class Runs:
    """Runs in containers, below `directory`."""

    def __init__(self, directory: Path, logs: LogStore) -> None:
        self._directory = directory / "runs"
        self._installation = containers.installation(directory)
        self._logs = logs
        self._watcher = FileWatcher()
        self._lives: dict[str, RunController] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._tools: RunResources | None = None
        self._events: Events | None = None

    async def open(self, client: Client) -> None:
        """Begin to listen; raises EngineUnavailable."""
        await asyncio.to_thread(self._directory.mkdir, 0o700, parents=True, exist_ok=True)
        await networks.warn(client)
        driver = FILE_DRIVER if client.is_podman else _DOCKERS_DRIVER
        starting = ContainerStarter(client, self._installation, driver)
        self._tools = RunResources(client, starting, self._watcher, self._logs, time.time)
        self._watcher.open()
        self._events = Events(client, self._installation, self._heard)

    async def close(self) -> None:
        """Let go of all runs, which go on."""
        if self._events is not None:
            await self._events.close()
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.gather(*(life.close() for life in list(self._lives.values())))
        await self._watcher.close()

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Start the run or attach to it; see `Engine`."""
        life = await self._enter(spec.key, spec)
        try:
            async for progress in life.story():
                yield progress
        finally:
            await self._leave(spec.key, life)

    async def stop(self, key: str) -> None:
        """Leave word for who attends the run; where nobody does, this process does for once."""
        place = self._place(key)
        life = self._lives.get(key)
        if not await shielded(lambda: _ask(place, life is not None, self._now())):
            return
        if life is None:
            chore = asyncio.create_task(self._attend(key))
            self._chores.add(chore)
            chore.add_done_callback(self._chores.discard)

    async def remove(self, key: str) -> None:
        """Delete the container and the directory; raises EngineUnavailable while it runs."""
        place, tools = self._place(key), self._opened()
        if not await shielded(place.exists):
            return
        container = await tools.starting.find(key)
        if container is not None:
            if not container.has_ended and not container.is_new:
                raise EngineUnavailable(f"{key} still runs")
            await tools.client.delete(container.id)
        await networks.remove(tools.client, containers.name(self._installation, key))
        await shielded(place.remove)

    async def prune(self, *, before: float) -> None:
        """Remove what ended before `before`: containers of this installation, and directories."""
        tools = self._opened()
        filters = json.dumps({"label": [f"{INSTALLATION}={self._installation}"]})
        for listed in await tools.client.ask("GET", "containers/json", {"all": 1, "filters": filters}):
            key = str((listed.get("Labels") or {}).get(KEY, ""))
            container = await tools.starting.find(key) if key not in self._lives else None
            if container is None or not (container.has_ended or container.is_new):
                continue
            if (container.finished_at or float(listed["Created"])) < before:
                await tools.client.delete(container.id)
        await networks.sweep(tools.client, self._installation)
        for path in await shielded(lambda: list(self._directory.iterdir())):
            outcome = await shielded(RunDirectory(path).outcome)
            if outcome is not None and (outcome.finished_at or before) < before:
                await self.remove(path.name)

    async def _enter(self, key: str, spec: RunSpec | None) -> RunController:
        place, tools = self._place(key), self._opened()
        life = self._lives.get(key)
        if life is None:
            life = self._lives[key] = RunController(key, spec, place, tools)
        life.users += 1
        return life

    async def _leave(self, key: str, life: RunController) -> None:
        life.users -= 1
        if not life.users:
            if self._lives.get(key) is life:
                del self._lives[key]
            await life.close()

    async def _attend(self, key: str) -> None:
        life = await self._enter(key, None)
        try:
            async for _ in life.story():
                pass
        except EngineUnavailable:  # the container is stopped when somebody asks for the run again
            return
        finally:
            await self._leave(key, life)

    def _heard(self, key: str | None) -> None:
        for life in self._lives.values() if key is None else filter(None, [self._lives.get(key)]):
            life.wake()

    def _place(self, key: str) -> RunDirectory:
        return RunDirectory(self._directory / check_key(key))

    def _opened(self) -> RunResources:
        if self._tools is None:
            raise EngineUnavailable("the engine is not open")
        return self._tools

    def _now(self) -> float:
        return self._opened().clock()


def _ask(place: RunDirectory, attended: bool, now: float) -> bool:
    """Leave word of a stop; False if there is nothing to stop."""
    if attended:
        place.make()
    elif not place.exists():
        return False
    if place.read(STOP) is not None:
        return not attended
    if place.outcome() is not None:
        return False
    place.write(STOP, {"result": Result.CANCELLED.value, "at": now})
    return True
