"""Processes under supervisors, by their keys: started once, attached to, stopped, forgotten.

What they do is in the request that a caller makes for them, and what their end means is the caller's too.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.process import trees
from executor.process.requests import RunPaths
from executor.process.spawner import Spawner
from executor.process.watch import Watch
from executor.spec import Outcome, Result, Started
from executor.supervisor import record


class Supervised:
    """Everything that runs below `directory`; a process may have several, of different directories."""

    def __init__(self, directory: Path, logs: LogStore) -> None:
        self.directory = directory.absolute()
        self._logs = logs
        self._spawner = Spawner()
        self._watches: dict[str, Watch] = {}
        self._chores: set[asyncio.Task[None]] = set()

    @property
    def server(self) -> int | None:
        """The pid of the fork server, if it was started."""
        return self._spawner.pid

    async def open(self) -> None:
        """Make the directories; raises EngineUnavailable."""
        try:
            await asyncio.to_thread(self._prepare)
        except OSError as problem:
            raise EngineUnavailable(f"the engine's directory: {problem}") from problem

    async def close(self) -> None:
        """Let go of all that runs, which goes on."""
        for watch in self._watches.values():
            watch.close()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await asyncio.to_thread(self._spawner.close)

    def place(self, key: str) -> RunPaths:
        """Say where the things of `key` are; raises ValueError for what must not become a path."""
        log = self._logs.path(key)  # which checks the key
        return RunPaths(self.directory, self.directory / "runs" / key, log, self._logs.max_size)

    async def follow(
        self, key: str, request: Callable[[RunPaths], bytes]
    ) -> AsyncIterator[Started | Outcome]:
        """Start what `request` asks for, or attach to it, and give what becomes of it."""
        watch = self.enter(key, request)
        try:
            async for progress in self.story(key, watch):
                yield progress
        finally:
            self.leave(key, watch)

    async def story(self, key: str, watch: Watch) -> AsyncIterator[Started | Outcome]:
        """Give what becomes of what was entered."""
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

    async def stop(self, key: str) -> None:
        """Ask for a stop, also of what is about to begin."""
        await asyncio.to_thread(_stop, self.place(key).run, key in self._watches)

    async def prune(self, *, before: float) -> None:
        """Delete the directories of what ended before `before`."""
        await asyncio.to_thread(_prune, self.directory / "runs", before)

    async def remove(self, key: str) -> None:
        """Delete the directory of `key`; raises EngineUnavailable while it runs."""
        await asyncio.to_thread(_remove, self.place(key).run)

    def prune_trees(self, tree: Path) -> None:
        """Delete old trees beside `tree`, without keeping who waits for the build."""
        chore = asyncio.create_task(asyncio.to_thread(trees.prune, tree))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    def _prepare(self) -> None:
        for path in (self._logs.directory, self.directory, self.directory / "runs"):
            path.mkdir(0o700, parents=True, exist_ok=True)

    def enter(self, key: str, request: Callable[[RunPaths], bytes]) -> Watch:
        """From now on `key` can be stopped, also before its `story` is asked for; until all `leave`."""
        watch = self._watches.get(key)
        if watch is None:
            place = self.place(key)
            watch = Watch(str(place.run), lambda: self._start(place, request), lambda: self._logs.wake(key))
            self._watches[key] = watch
        watch.users += 1
        return watch

    def leave(self, key: str, watch: Watch) -> None:
        """One less who wants to know."""
        watch.users -= 1
        if not watch.users:
            watch.close()
            if self._watches.get(key) is watch:
                del self._watches[key]

    def _start(self, place: RunPaths, request: Callable[[RunPaths], bytes]) -> int:
        place.run.mkdir(0o700, exist_ok=True)
        record.sync_directory(str(place.run.parent))
        return self._spawner.start(request(place))


def result_of(run: Path) -> tuple[str, str]:
    """Give the word and the sentence that a builder left in its directory; empty where it left none."""
    try:
        word, _, sentence = (run / record.RESULT).read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return "", ""
    return word, sentence.strip()


def _prune(directory: Path, before: float) -> None:
    for run in directory.iterdir():
        status = record.read_status(str(run))
        if status is not None and float(status.get("finished_at", "inf")) < before:
            _remove(run)


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
