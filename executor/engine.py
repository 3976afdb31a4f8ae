"""The one interface that every engine has; `tests/contract/` holds each engine to it."""

from collections.abc import AsyncIterator
from typing import Protocol

from executor.spec import BuildSpec, Live, Progress, RunSpec


class Engine(Protocol):
    """Where builds and runs execute.

    `build` and `run` yield what happens and end after exactly one `Outcome`. Called with a key that
    exists they attach to it: what already happened is yielded again, nothing is started twice, even
    by two processes at once. Closing the iterator (or being killed) leaves the job running. They
    raise `EngineUnavailable` when the engine cannot be asked now.
    """

    async def open(self) -> None:
        """Start what the engine needs; raises `EngineUnavailable`."""
        ...

    async def close(self) -> None:
        """Let go of everything in this process; jobs go on."""
        ...

    def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build, or attach to the build of that key; the outcome names the image."""
        ...

    def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Run, or attach to the run of that key."""
        ...

    async def stop(self, key: str) -> None:
        """SIGTERM, after the run's grace SIGKILL; its iterator then ends with `CANCELLED`.

        Returns once the request is made. Stopping what has ended or never existed does nothing.
        """
        ...

    def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        """Fetch a reference of a registry, or look what a workload runs; the outcome names the image.

        What cannot be had is an `ERROR` with a reason (`ImageMissing`, `PullRefused`, `WorkloadMissing`)
        and the registry's or the engine's own words. It may be asked again at any time.
        """
        ...

    async def has_image(self, image: str) -> bool:
        """Whether a run in `image` (of an `Outcome`) could start; False: it has to be built again."""
        ...

    async def prune(self, *, before: float) -> None:
        """Remove what ended before `before` (seconds since the epoch) and was never removed."""
        ...

    async def remove(self, key: str) -> None:
        """Forget a finished run or build: everything named after `key` but its log.

        Raises `EngineUnavailable` while it runs. A cluster takes a moment for it, in which the key may not
        be run again.
        """
        ...
