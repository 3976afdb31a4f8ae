"""`ProcessEngine`: the engine of one machine without containers."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from executor.errors import EngineUnavailable
from executor.logs import LogStore
from executor.process import requests, trees
from executor.process.spawner import Spawner
from executor.process.watch import Watch
from executor.spec import BuildSpec, Live, Outcome, Progress, Result, RunSpec, Started
from executor.supervisor import record


class ProcessEngine:
    """Runs jobs below `directory`, in checkouts that it builds there; an `executor.engine.Engine`.

    Jobs have the rights of Errand's own user: nothing here contains a hostile one.
    """

    def __init__(self, directory: Path, logs: LogStore) -> None:
        self._directory = directory.absolute()
        self._logs = logs
        self._spawner = Spawner()
        self._watches: dict[str, Watch] = {}
        self._chores: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Make the directories; raises EngineUnavailable."""
        try:
            await asyncio.to_thread(self._prepare)
        except OSError as problem:
            raise EngineUnavailable(f"the engine's directory: {problem}") from problem

    async def close(self) -> None:
        """Let go of all runs, which go on."""
        for watch in self._watches.values():
            watch.close()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.to_thread(self._spawner.close)

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        """Start the run or attach to it; see `Engine`."""
        place = self._place(spec.key)
        async for progress in self._follow(spec.key, lambda: requests.of_run(spec, place)):
            yield progress

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the tree or attach to the build; see `Engine`."""
        place = self._place(spec.key)
        async for progress in self._follow(spec.key, lambda: requests.of_build(spec, place)):
            if isinstance(progress, Outcome):
                progress = await asyncio.to_thread(_built, spec, place.run, progress)
                if progress.image:
                    self._prune(trees.of_build(spec).path(self._directory))
            yield progress

    async def pin(self, wanted: str | Live) -> AsyncIterator[Progress]:
        """Refuse: there are no containers here."""
        message = "The process engine runs checkouts only, no image of a registry or of a workload."
        yield Outcome(Result.ERROR, reason="ImageMissing", message=message)

    async def stop(self, key: str) -> None:
        """Ask for a stop, also of a run that is about to begin; see `Engine`."""
        await asyncio.to_thread(_stop, self._place(key).run, key in self._watches)

    async def has_image(self, image: str) -> bool:
        """Whether the tree is still there; a name that no build gave is left for `run` to refuse."""
        tree = trees.of_reference(image)
        return tree is None or await asyncio.to_thread((tree.path(self._directory) / trees.READY).exists)

    async def prune(self, *, before: float) -> None:
        """Delete the directories of runs that ended before `before`."""
        await asyncio.to_thread(_prune, self._directory / "runs", before)

    async def remove(self, key: str) -> None:
        """Delete the run's directory; raises EngineUnavailable while it runs."""
        directory = self._place(key).run
        await asyncio.to_thread(_remove, directory)

    def _prepare(self) -> None:
        for path in (self._logs.directory, self._directory, self._directory / "runs"):
            path.mkdir(0o700, parents=True, exist_ok=True)

    def _place(self, key: str) -> requests.Place:
        log = self._logs.path(key)  # which checks the key
        return requests.Place(self._directory, self._directory / "runs" / key, log, self._logs.max_size)

    async def _follow(self, key: str, request: Callable[[], bytes]) -> AsyncIterator[Started | Outcome]:
        watch = self._watch(key, request)
        try:
            started = False
            while True:
                status, change = await watch.status()
                if not started and "started_at" in status:
                    started = True
                    yield Started(float(status["started_at"]))
                if status.get("state") == record.FINISHED:
                    await self._logs.finish(key)  # which a lost supervisor did not do
                    yield _outcome(status)
                    return
                await change.wait()
        finally:
            self._leave(key, watch)

    def _watch(self, key: str, request: Callable[[], bytes]) -> Watch:
        watch = self._watches.get(key)
        if watch is None:
            run = self._place(key).run
            watch = Watch(str(run), lambda: self._start(run, request), lambda: self._logs.wake(key))
            self._watches[key] = watch
        watch.users += 1
        return watch

    def _leave(self, key: str, watch: Watch) -> None:
        watch.users -= 1
        if not watch.users:
            watch.close()
            if self._watches.get(key) is watch:
                del self._watches[key]

    def _start(self, run: Path, request: Callable[[], bytes]) -> int:
        run.mkdir(0o700, exist_ok=True)
        record.sync_directory(str(run.parent))
        return self._spawner.start(request())

    def _prune(self, tree: Path) -> None:
        """Delete old trees beside `tree`, without keeping who waits for the build."""
        chore = asyncio.create_task(asyncio.to_thread(trees.prune, tree))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)


def _prune(directory: Path, before: float) -> None:
    for run in directory.iterdir():
        status = record.read_status(str(run))
        if status is not None and float(status.get("finished_at", "inf")) < before:
            _remove(run)


def _built(spec: BuildSpec, run: Path, outcome: Outcome) -> Outcome:
    """Give the outcome of the build whose builder ended with `outcome`."""
    if outcome.result is Result.SUCCEEDED:
        return replace(outcome, image=trees.of_build(spec).reference)
    if outcome.result is not Result.FAILED:
        return outcome
    reason, _, message = _text(run / record.RESULT).partition("\n")
    if reason == "SetupFailed":
        return replace(outcome, reason=reason, message=message.strip())
    return replace(
        outcome,
        result=Result.ERROR,
        exit_code=None,
        reason=reason or "BuilderDied",
        message=message.strip() or f"The builder ended with {outcome.exit_code}.",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _stop(run: Path, beginning: bool) -> None:
    """Leave word for a supervisor that is still to come, then tell the one that is there."""
    if beginning:
        run.mkdir(0o700, exist_ok=True)
    elif not run.exists():
        return
    status = record.read_status(str(run))
    if status and status["state"] == record.FINISHED:
        return
    (run / record.STOP).touch(0o600)
    supervisor = record.lock_holder(str(run))
    if supervisor is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor, signal.SIGTERM)


def _remove(run: Path) -> None:
    status = record.read_status(str(run))
    ended = status is not None and status["state"] == record.FINISHED
    if not ended and record.lock_holder(str(run)) is not None:
        raise EngineUnavailable(f"{run.name} still runs")
    shutil.rmtree(run, ignore_errors=True)


def _outcome(status: record.Status) -> Outcome:
    return Outcome(
        Result(status["result"]),
        exit_code=int(status["exit_code"]) if "exit_code" in status else None,
        reason=status.get("reason"),
        message=status.get("message"),
        started_at=float(status["started_at"]) if "started_at" in status else None,
        finished_at=float(status["finished_at"]),
    )
