"""Brings the container of a run into being, once."""

import asyncio
import os
import resource
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from executor.container import containers, live, networks, outcomes
from executor.container.client import Client, Refused
from executor.container.containers import SH, Container, ContainerExtras
from executor.container.run_directory import BEGUN, STOP, RunDirectory
from executor.errors import EngineUnavailable
from executor.outcomes import RunEnded, error, lost
from executor.spec import Outcome, Result, RunSpec
from executor.supervisor.boot import boot
from executor.targets import targets
from executor.threads import shielded
from executor.words import hidden

_TAKEN = "already in use"
"""What Podman says with a status of 500 where Docker says 409."""
_ON_ITS_WAY = 3.0
"""Seconds that a start which another process asked for may take to be seen."""
_LOOK = 0.1


class _Taken(Exception):
    """There is a container of that name."""


_PROCESS_GONE = "no such process"
"""What Podman (seen in 4.3.1) says of a container that ends while its cgroup is read; then it knows."""


@dataclass(frozen=True)
class ContainerStarter:
    """Creates and starts containers of one installation; `driver` keeps their logs."""

    client: Client
    installation: str
    driver: str
    shells: dict[str, bool] = field(default_factory=dict)  # whether an image has one, where that was asked
    here: asyncio.Event = field(default_factory=asyncio.Event)  # the engine has the files of this machine
    elsewhere: asyncio.Event = field(default_factory=asyncio.Event)  # it has others

    async def find(self, key: str) -> Container | None:
        """Give the run's container as it is; None if there is none. Raises EngineUnavailable."""
        path = f"containers/{containers.name(self.installation, key)}/json"
        try:
            try:
                return containers.read(await self.client.ask("GET", path))
            except Refused as refused:
                if _PROCESS_GONE not in refused.message:
                    raise
            return containers.read(await self.client.ask("GET", path))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise EngineUnavailable(refused.message) from refused

    async def start(self, key: str, spec: RunSpec | None, place: RunDirectory, *, fresh: bool) -> Container:
        """Give the run's container, which runs or ran; raises `RunEnded` where it does not come to that.

        To be called by the holder of the run's lock only. `fresh`: nothing was begun under this key yet.
        """
        container = None if fresh else await self.find(key)
        begun = None if fresh else await shielded(lambda: place.read(BEGUN))
        if container is not None and container.is_new and spec is not None and begun is None:
            await self.client.delete(container.id)  # made by who did not come to start it, maybe with less
            container = None
        if container is None:
            if begun is not None or spec is None:
                raise lost("Its container was removed by somebody else, so how it ended is not known.")
            try:
                await self._create(spec, place)
            except _Taken:  # the directory was lost, or made by who then died
                return await self.start(key, spec, place, fresh=False)
        if container is None or container.is_new:
            await self._start(key, place, begun)
            container = await self.find(key)
            if container is None:
                raise lost("Its container was removed as it started.")
        elif _fell(container, begun):
            raise lost("The machine restarted while it ran.")
        return container

    async def _create(self, spec: RunSpec, place: RunDirectory) -> None:
        """Create it; a shell that it does not need is used if its image has it."""
        if await shielded(lambda: place.read(STOP)) is not None:
            raise RunEnded(Outcome(Result.CANCELLED))
        found = await live.shared(self.client, spec.live) if spec.live else live.WorkloadShare()
        extras = await self._extras(spec, place, found)
        if await self._create_with_report(spec, extras, found):
            return
        self.elsewhere.set()  # so jobs report nothing, but run
        await self._create_with(spec, replace(extras, report=None), found)

    async def _create_with_report(
        self, spec: RunSpec, extras: ContainerExtras, found: live.WorkloadShare
    ) -> bool:
        """Create it; False where the engine has other files: Docker says so, Podman makes directories."""
        try:
            await self._create_with(spec, extras, found)
        except RunEnded as refusal:
            if extras.report is None or str(extras.report) not in (refusal.outcome.message or ""):
                raise
            return False
        if extras.report is not None and not self.here.is_set():
            name = containers.name(self.installation, spec.key)
            if await self.client.has(f"containers/{name}/archive", {"path": containers.NO_FILE}):
                await self.client.delete(name)
                return False
            self.here.set()
        return True

    async def _create_with(self, spec: RunSpec, extras: ContainerExtras, found: live.WorkloadShare) -> None:
        name, image = containers.name(self.installation, spec.key), str(spec.image)
        shell = containers.shell(spec) or (SH if self.shells.get(image, True) else None)
        await self._make(name, containers.body(spec, replace(extras, shell=shell)), image)
        if shell == SH and not containers.shell(spec) and image not in self.shells:
            self.shells[image] = await self.client.has(f"containers/{name}/archive", {"path": f"/bin/{SH}"})
            if not self.shells[image]:
                await self.client.delete(name)
                await self._make(name, containers.body(spec, extras), image)
        try:
            await networks.join(self.client, found.networks[1:], name)
        except Refused as refused:
            await self.client.delete(name)
            raise error("ContainerRefused", refused.message) from refused

    async def _make(self, name: str, request: dict[str, Any], image: str) -> None:
        try:
            await self.client.ask("POST", "containers/create", {"name": name}, request)
        except Refused as refused:
            if refused.status == HTTPStatus.CONFLICT or _TAKEN in refused.message:
                raise _Taken from refused
            raise outcomes.refused_creation(refused.status, refused.message, image) from refused

    async def _network(self, key: str, found: live.WorkloadShare) -> str | None:
        """Name the first network of the run: the workload's, or one of its own."""
        if found.networks:
            return found.networks[0]
        return await networks.make(self.client, self.installation, key) if os.geteuid() == 0 else None

    async def _extras(self, spec: RunSpec, place: RunDirectory, found: live.WorkloadShare) -> ContainerExtras:
        if spec.image is None:
            raise error("ImageMissing", "A run in a container needs an image.")
        try:
            containers.check(spec)
        except ValueError as problem:
            raise error("SpecInvalid", str(problem)) from problem
        try:
            files = targets(spec.files, reserved=containers.RESERVED)
        except ValueError as problem:
            raise error("FilesInvalid", str(problem)) from problem
        placed = await shielded(lambda: place.put(files.values())) if files else []
        secrets = {secret.reveal() for secret in spec.secrets}
        masked = [name for name, value in spec.env.items() if value in secrets]
        return ContainerExtras(
            installation=self.installation,
            driver=self.driver,
            network=await self._network(spec.key, found),
            rlimits=(
                resource.getrlimit(resource.RLIMIT_NOFILE)[1],
                resource.getrlimit(resource.RLIMIT_NPROC)[1],
            ),
            files=dict(zip(files, placed, strict=True)),
            live=found.env,
            shell=None,
            report=None if self.elsewhere.is_set() else await shielded(place.make_report),
            masked=[*masked, *(name for name in hidden(found.env) if name not in spec.env)],
        )

    async def _start(self, key: str, place: RunDirectory, begun: object) -> None:
        if begun is not None and await self._is_on_its_way(key, begun):
            return
        if await shielded(lambda: place.read(STOP)) is not None:
            raise RunEnded(Outcome(Result.CANCELLED))
        await shielded(lambda: place.write(BEGUN, boot()))
        try:
            await self.client.ask("POST", f"containers/{containers.name(self.installation, key)}/start")
        except Refused as refused:
            raise outcomes.refused_start(refused.message) from refused

    async def _is_on_its_way(self, key: str, begun: object) -> bool:
        """Whether a start that another process asked for is carried out yet; an ended one would run twice."""
        if begun != boot():
            raise lost("The machine restarted while it started.")
        for _ in range(round(_ON_ITS_WAY / _LOOK)):
            container = await self.find(key)
            if container is None or not container.is_new:
                return True
            await asyncio.sleep(_LOOK)
        return False


def _fell(container: Container, begun: object) -> bool:
    """Whether the machine went down under a container that now seems to have ended by itself."""
    if not container.has_ended or begun in (None, boot()):
        return False
    return (container.finished_at or 0.0) >= _up_since()


def _up_since() -> float:
    """When this machine started, seconds since the epoch; 0 where that is not known."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            return next(float(line.split()[1]) for line in file if line.startswith("btime"))
    except (OSError, StopIteration):
        return 0.0
