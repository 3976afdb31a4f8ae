"""`ProcessEngine`: the engine of one machine without containers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from executor.logs.store import LogStore
from executor.logs.watcher import FileWatcher
from executor.process import requests, trees
from executor.process.supervised import Supervised, result_of
from executor.process.watch import Watch
from executor.progress import ProgressFeed
from executor.reports import files, headway, reading
from executor.spec import BuildSpec, Live, Outcome, Progress, Result, RunSpec, Started
from executor.supervisor import record

_UNTRUSTED = Outcome(
    Result.ERROR,
    reason="SpecRefused",
    message="Code that nobody here answers for is never run as a plain process.",
)
"""A process of this machine is kept from nothing that its user may do."""


class ProcessEngine:
    """Runs jobs below `directory`, in checkouts that it builds there; an `executor.engine.Engine`.

    Jobs have the rights of Errand's own user: nothing here contains a hostile one.
    """

    def __init__(self, directory: Path, logs: LogStore) -> None:
        self._supervised = Supervised(directory, logs)
        self._watcher = FileWatcher()

    async def open(self) -> None:
        """Make the directories; raises EngineUnavailable."""
        await self._supervised.open()
        self._watcher.open()

    async def close(self) -> None:
        """Let go of all runs, which go on."""
        await self._supervised.close()
        await self._watcher.close()

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Start the run or attach to it; see `Engine`."""
        if spec.untrusted:
            yield _UNTRUSTED
            return
        feed = ProgressFeed()
        watch = self._supervised.enter(spec.key, lambda at: requests.of_run(spec, at))
        attending = asyncio.create_task(self._attend(spec, watch, feed))
        attending.add_done_callback(lambda _: feed.changed())
        try:
            async for progress in feed.follow(attending):
                yield progress
        finally:
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)
            self._supervised.leave(spec.key, watch)

    async def _attend(self, spec: RunSpec, watch: Watch, feed: ProgressFeed) -> None:
        """Tell `feed` what becomes of the run, and what it reports on its way and at its end."""
        secrets = [secret.reveal().encode("utf-8", "surrogateescape") for secret in spec.secrets]
        report = self._supervised.place(spec.key).run / record.REPORT
        watching: asyncio.Task[None] | None = None
        try:
            async for progress in self._supervised.story(spec.key, watch):
                if isinstance(progress, Started):
                    feed.start(progress.at)
                    watching = asyncio.create_task(
                        headway.follow(report, self._watcher, secrets, feed.advance)
                    )
                    continue
                contents = await asyncio.to_thread(files.read, str(report))
                if any(contents.values()):
                    progress = await asyncio.to_thread(reading.reported, progress, contents, secrets)
                feed.outcome = progress
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the tree or attach to the build; see `Engine`."""
        if spec.untrusted:
            yield _UNTRUSTED
            return
        async for progress in self._supervised.follow(spec.key, lambda at: requests.of_build(spec, at)):
            if isinstance(progress, Outcome):
                run = self._supervised.place(spec.key).run
                progress = await asyncio.to_thread(_built, spec, run, progress)
                if progress.image:
                    self._supervised.prune_trees(trees.of_build(spec).path(self._supervised.directory))
            yield progress

    async def pin(self, image: str | Live) -> AsyncIterator[Progress]:
        """Refuse: there are no containers here."""
        message = "The process engine runs checkouts only, no image of a registry or of a workload."
        yield Outcome(Result.ERROR, reason="ImageMissing", message=message)

    async def stop(self, key: str) -> None:
        """Ask for a stop, also of a run that is about to begin; see `Engine`."""
        await self._supervised.stop(key)

    async def has_image(self, image: str) -> bool:
        """Whether the tree is still there; what another engine gave is not, so it is built again here."""
        tree = trees.of_reference(image)
        directory = self._supervised.directory
        return tree is not None and await asyncio.to_thread((tree.path(directory) / trees.READY).exists)

    async def prune(self, *, before: float) -> None:
        """Delete the directories of runs that ended before `before`."""
        await self._supervised.prune(before=before)

    async def remove(self, key: str) -> None:
        """Delete the run's directory; raises EngineUnavailable while it runs."""
        await self._supervised.remove(key)


def _built(spec: BuildSpec, run: Path, outcome: Outcome) -> Outcome:
    """Give the outcome of the build whose builder ended with `outcome`."""
    if outcome.result is Result.SUCCEEDED:
        return replace(outcome, image=trees.of_build(spec).reference)
    if outcome.result is not Result.FAILED:
        return outcome
    reason, message = result_of(run)
    if reason == "SetupFailed":
        return replace(outcome, reason=reason, message=message)
    return replace(
        outcome,
        result=Result.ERROR,
        exit_code=None,
        reason=reason or "BuilderDied",
        message=message or f"The builder ended with {outcome.exit_code}.",
    )
