"""`ContainerEngine`: the engine of one machine with Podman or Docker."""

from collections.abc import AsyncIterator
from pathlib import Path

from executor.container.builds import Builds
from executor.container.client import Client
from executor.container.images import Images
from executor.container.runs import Runs
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.logs import LogStore
from executor.spec import BuildSpec, Live, Progress, RunSpec


class ContainerEngine:
    """Runs jobs in containers that are named after `directory`; an `executor.engine.Engine`."""

    def __init__(self, settings: Settings, directory: Path, logs: LogStore) -> None:
        self._settings = settings
        self._directory = directory.absolute()
        self._logs = logs
        self._client: Client | None = None
        self._runs = Runs(self._directory, logs)
        self._builds = Builds(self._directory, logs, settings)
        self._images: Images | None = None

    async def open(self) -> None:
        """Connect to the engine, starting what it needs; raises EngineUnavailable."""
        try:
            for path in (self._logs.directory, self._directory):
                path.mkdir(0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise EngineUnavailable(f"the engine's directory: {problem}") from problem
        self._client = await Client.open(self._settings, self._directory)
        await self._runs.open(self._client)
        await self._builds.open()
        self._images = Images(self._client, self._settings)

    async def close(self) -> None:
        """Let go of all runs, which go on."""
        await self._runs.close()
        await self._builds.close()
        if self._client is not None:
            await self._client.close()

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Start the run or attach to it; see `Engine`."""
        async for progress in self._runs.run(spec):
            yield progress

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the image or attach to the build; see `Engine`."""
        async for progress in self._builds.build(spec):
            yield progress

    async def pin(self, wanted: str | Live) -> AsyncIterator[Progress]:
        """Fetch or look up; see `Engine`."""
        async for progress in self._known.pin(wanted):
            yield progress

    async def has_image(self, image: str) -> bool:
        """Whether a run in `image` could start."""
        return await self._known.has_image(image)

    @property
    def _known(self) -> Images:
        if self._images is None:
            raise EngineUnavailable("the engine is not open")
        return self._images

    async def stop(self, key: str) -> None:
        """Ask for a stop; see `Engine`."""
        await self._runs.stop(key)
        await self._builds.stop(key)

    async def prune(self, *, before: float) -> None:
        """Remove what ended before `before`."""
        await self._runs.prune(before=before)
        await self._builds.prune(before=before)
        await self._known.prune(before=before)

    async def remove(self, key: str) -> None:
        """Forget the run; raises EngineUnavailable while it runs."""
        await self._runs.remove(key)
        await self._builds.remove(key)
