"""`ContainerEngine`: the engine of one machine with Podman or Docker."""

from collections.abc import AsyncIterator
from pathlib import Path

from executor import payloads
from executor.container.builds import Builds
from executor.container.client import Client
from executor.container.images import Images
from executor.container.runs import Runs
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Live, Progress, RunSpec


class ContainerEngine:
    """Builds below `directory` and runs in containers that are its own; an `executor.engine.Engine`."""

    def __init__(self, settings: Settings, directory: Path, logs: LogStore) -> None:
        self._settings = settings
        self._directory = directory.absolute()
        self._client: Client | None = None
        self._images: Images | None = None
        self._builds = Builds(self._directory, logs, settings)
        self._runs = Runs(self._directory, logs)

    async def open(self) -> None:
        """Connect to the engine, starting what it needs; raises EngineUnavailable."""
        await self._builds.open()
        self._client = await Client.open(self._settings, self._directory)
        self._images = Images(self._client, self._settings)
        await self._runs.open(self._client)

    async def close(self) -> None:
        """Let go of everything in this process; jobs go on."""
        await self._runs.close()
        await self._builds.close()
        if self._client is not None:
            await self._client.close()

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the image or attach to the build; see `Engine`."""
        async for progress in self._builds.build(spec):
            yield progress

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Start the run or attach to it; see `Engine`."""
        async for progress in self._runs.run(payloads.placed(spec)):
            yield progress

    async def stop(self, key: str) -> None:
        """Ask a run or a build to stop; see `Engine`."""
        await self._runs.stop(key)
        await self._builds.stop(key)

    async def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        """Find out which image is meant; see `Engine`."""
        async for progress in self._opened().pin(image):
            yield progress

    async def has_image(self, image: str) -> bool:
        """Whether a run in `image` could start; see `Engine`."""
        return await self._opened().has_image(image)

    async def prune(self, *, before: float) -> None:
        """Remove what ended before `before`, and images that nobody has used since."""
        await self._runs.prune(before=before)
        await self._builds.prune(before=before)
        await self._opened().prune(before=before)

    async def remove(self, key: str) -> None:
        """Forget a run or a build; raises EngineUnavailable while it runs."""
        await self._runs.remove(key)
        await self._builds.remove(key)

    def _opened(self) -> Images:
        if self._images is None:
            raise EngineUnavailable("the engine is not open")
        return self._images
