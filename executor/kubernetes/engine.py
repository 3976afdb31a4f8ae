"""`KubernetesEngine`: the engine of a cluster, which any number of bots may share."""

from collections.abc import AsyncIterator

from executor import payloads
from executor.errors import EngineUnavailable
from executor.kubernetes.building import builds
from executor.kubernetes.client import Client
from executor.kubernetes.controller.run_controllers import RunControllers
from executor.kubernetes.images.images import Images
from executor.kubernetes.images.keys import Keys
from executor.kubernetes.runs import run_order
from executor.kubernetes.settings import Settings
from executor.logs.store import LogStore, check_key
from executor.spec import BuildSpec, Live, Progress, RunSpec


class KubernetesEngine:
    """Builds and runs as Jobs; an `executor.engine.Engine`.

    It opens also where the API server does not answer: each request says that then.
    """

    def __init__(self, settings: Settings, logs: LogStore) -> None:
        self._settings = settings
        self._logs = logs
        self._open: tuple[Client, Images, RunControllers] | None = None

    async def open(self) -> None:
        """Read the configuration of the cluster and begin to watch; raises EngineUnavailable."""
        client = await Client.open(self._settings)
        lives = RunControllers(client, self._settings, self._logs)
        lives.open()
        self._open = client, Images(client, self._settings), lives

    async def close(self) -> None:
        """Let go of everything in this process; jobs go on."""
        if self._open is not None:
            client, _, lives = self._open
            await lives.close()
            await client.close()

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the image or attach to the build; see `Engine`."""
        check_key(spec.key)
        client, _, lives = self._opened()
        registry = await builds.known_of_registry(spec, Keys(client, self._settings))
        async for progress in lives.attend(builds.build_order(spec, self._settings, registry)):
            yield progress

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Start the run or attach to it; see `Engine`."""
        client, images, lives = self._opened()
        async for progress in lives.attend(run_order(payloads.placed(spec), self._settings, client, images)):
            yield progress

    async def stop(self, key: str) -> None:
        """Ask a run or a build to stop; see `Engine`."""
        await self._opened()[2].stop(key)

    async def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        """Find out which image is meant; see `Engine`."""
        async for progress in self._opened()[1].pin(image):
            yield progress

    async def has_image(self, image: str) -> bool:
        """Whether a run in `image` could start; see `Engine`."""
        return await self._opened()[1].has_image(image)

    async def prune(self, *, before: float) -> None:
        """Remove what ended before `before` and was never removed."""
        await self._opened()[2].prune(before=before)

    async def remove(self, key: str) -> None:
        """Forget a run or a build; raises EngineUnavailable while it runs."""
        await self._opened()[2].remove(key)

    def _opened(self) -> tuple[Client, Images, RunControllers]:
        if self._open is None:
            raise EngineUnavailable("the engine is not open")
        return self._open
