"""One run as this process attends it, shared by all who ask for it here."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from executor.container import outcomes
from executor.container.client import Client
from executor.container.containers import MEMORY, Container
from executor.container.following import Follower
from executor.container.oom import OutOfMemory
from executor.container.run_directory import NOTES, STARTED, STOP, RunDirectory
from executor.container.starting import ContainerStarter
from executor.container.stopping import ALONE, ContainerStopper
from executor.errors import EngineUnavailable
from executor.logs.collector import LogCollector
from executor.logs.logfile import LogWriter
from executor.logs.redaction import masked
from executor.logs.store import LogStore
from executor.logs.watcher import FileWatcher
from executor.outcomes import RunEnded, lost
from executor.progress import ProgressFeed
from executor.reports import files, headway, reading
from executor.spec import Outcome, Progress, RunSpec, Started
from executor.threads import acquired, shielded

_LOOK = 5.0
"""Seconds after which who only watches looks again though nothing was told."""


@dataclass(frozen=True)
class RunResources:
    """What every life works with."""

    client: Client
    starting: ContainerStarter
    watcher: FileWatcher
    logs: LogStore
    clock: Callable[[], float]


class RunController:
    """Starts the run or attaches to it, writes its log, stops it in time, and records how it ended.

    One process does that, the holder of the run's lock; others see in its directory what becomes of it, and
    go on with it when the holder is gone. Without `spec` nothing is started.
    """

    def __init__(self, key: str, spec: RunSpec | None, place: RunDirectory, tools: RunResources) -> None:
        self.users = 0
        self._key = key
        self._spec = spec
        self._place = place
        self._log = Path(tools.logs.path(key))
        self._tools = tools
        self._feed = ProgressFeed()
        self._woken = asyncio.Event()
        self._headway: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._live())
        self._task.add_done_callback(lambda _: self._feed.changed())

    def wake(self) -> None:
        """Say that the container may have ended."""
        self._woken.set()

    def story(self) -> AsyncIterator[Progress]:
        """Give what happened and what happens; raises EngineUnavailable."""
        return self._feed.follow(self._task)

    async def close(self) -> None:
        """Leave the run, which goes on."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _tell(self, started_at: float | None, outcome: Outcome | None = None) -> None:
        if self._feed.started is None and started_at is not None:
            self._feed.started = Started(started_at)
            self._headway = asyncio.create_task(
                headway.follow(self._place.report, self._tools.watcher, self._secrets(), self._feed.advance)
            )
        self._feed.outcome = outcome
        self._tools.logs.wake(self._key)  # it may be another process that wrote to it
        self._feed.changed()

    async def _live(self) -> None:
        try:
            await self._carry()
        finally:
            if self._headway is not None:
                self._headway.cancel()
                await asyncio.gather(self._headway, return_exceptions=True)

    async def _carry(self) -> None:
        fresh = await shielded(self._place.make) if self._spec else False
        changes: list[asyncio.Future[None]] = []
        while (lock := await acquired(self._place.take, os.close)) is None:
            fresh = False
            if changes:
                await asyncio.wait(changes, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                changes = []
            elif await self._watch():
                return
            else:  # and try once more: what changes from now on will be told
                changes = [self._tools.watcher.arm(path) for path in (self._place.path, self._log)]
        try:
            outcome = None if fresh else await shielded(self._place.outcome)
            if outcome is None:
                outcome = await self._hold(fresh)
        finally:
            os.close(lock)
        self._tell(outcome.started_at, outcome)

    async def _watch(self) -> bool:
        """Tell what the process that holds the run has said of it; True at its end."""
        outcome = await shielded(self._place.outcome)
        started_at = outcome.started_at if outcome else await shielded(lambda: self._place.read(STARTED))
        self._tell(started_at, outcome)
        return outcome is not None

    async def _hold(self, fresh: bool) -> Outcome:
        """Carry the run to its end and record that."""
        keeping: LogCollector | None = None
        secrets = self._secrets()
        try:
            started = await self._tools.starting.start(self._key, self._spec, self._place, fresh=fresh)
            self._tell(started.started_at)
            await shielded(lambda: self._place.write(STARTED, started.started_at))
            keeping = await self._collect(started)
            outcome = await self._attend(started, keeping)
            secrets += started.secrets
        except RunEnded as ended:
            outcome = ended.outcome
            keeping = keeping or await self._collect(None)
        except BaseException:
            if keeping is not None:
                await shielded(keeping.close)
            raise
        return await self._finish(await self._masked(outcome, secrets), keeping)

    async def _collect(self, container: Container | None) -> LogCollector:
        """Open the log where it stands; `container` tells what was masked when it was created."""
        secrets = self._secrets() + (container.secrets if container else [])
        kept = await self._tools.logs.size(self._key) or 0
        size = self._tools.logs.max_size
        return await shielded(lambda: LogCollector(LogWriter(str(self._log), size), secrets, kept))

    def _secrets(self) -> list[bytes]:
        secrets = self._spec.secrets if self._spec else ()
        return [secret.reveal().encode("utf-8", "surrogateescape") for secret in secrets]

    async def _attend(self, container: Container, keeping: LogCollector) -> Outcome:
        """Carry its output and stop it in time, until it has ended; raises `RunEnded` if it vanishes."""
        follower = Follower(self._tools.client, self._tools.watcher, self._tools.logs)
        following = asyncio.create_task(follower.follow(self._key, container, keeping))
        following.add_done_callback(lambda _: self._woken.set())
        memory = OutOfMemory(container.pid) if int(container.labels.get(MEMORY) or 0) else None
        try:
            ended = await self._until_end(container, following)
            follower.end()
            await following
            stop = await shielded(lambda: self._place.read(STOP))
            may_lack_memory = memory is not None and ended.exit_code != 0 and not ended.oom_killed
            out_of_memory = may_lack_memory and memory is not None and await shielded(memory.happened)
            return outcomes.of(ended, stop["result"] if stop else None, out_of_memory, keeping.first)
        except OSError as problem:
            raise EngineUnavailable(f"the container's log: {problem}") from problem
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            if memory is not None:
                memory.close()

    async def _until_end(self, container: Container, following: "asyncio.Task[None]") -> Container:
        stopping = ContainerStopper(self._tools.client, container, self._place, self._tools.clock)
        # Beside the looks: while an ended container is cleared away, Podman lets commands in it wait.
        stopped = asyncio.create_task(stopping.attend(self._tools.watcher))
        stopped.add_done_callback(lambda _: self._woken.set())
        try:
            while not container.has_ended:
                await self._woken.wait()
                self._woken.clear()
                for task in (stopped, following):
                    if task.done():
                        task.result()
                now = await self._tools.starting.find(self._key)
                if now is None:
                    raise lost("Its container was removed by somebody else while it ran.")
                container = now
        finally:
            stopped.cancel()
            await asyncio.gather(stopped, return_exceptions=True)
        if stopping.alone:
            await shielded(lambda: self._place.write(NOTES, [ALONE]))
        return container

    async def _masked(self, outcome: Outcome, secrets: list[bytes]) -> Outcome:
        """Give the outcome with what the job reported, both without secrets."""
        contents = await shielded(lambda: files.read(str(self._place.report)))
        outcome = replace(outcome, message=outcome.message and masked(outcome.message, secrets))
        return await shielded(lambda: reading.reported(outcome, contents, secrets))

    async def _finish(self, outcome: Outcome, keeping: LogCollector) -> Outcome:
        """End the log, then record the outcome."""
        notes = await shielded(lambda: self._place.read(NOTES)) or []
        if outcome.message and outcome.started_at is None:  # nothing else says it
            notes = [*notes, outcome.message]
        await shielded(lambda: keeping.end(notes))
        self._tools.logs.wake(self._key)
        if keeping.problem:
            outcome = replace(outcome, message=" ".join(filter(None, (outcome.message, keeping.problem))))
        await shielded(lambda: self._place.end(outcome))
        return outcome
