"""Carries one claimed build or run from where it stands to its end.

Every move is stored before it is told. A worker may be killed anywhere: the engine attaches when the
same row is carried again, and a move that was stored already is simply not made twice.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog

from bot import metrics
from bot.catalog import Image, Job
from bot.errors import ConfigError, Refused, RetryLater
from bot.runs import State
from bot.store import builds, runs
from bot.tables import Build, Run
from bot.tools import Tools
from executor.errors import EngineUnavailable
from executor.spec import BuildSpec, Outcome, Pending, Progress, Result, RunSpec, Source, Started

log = structlog.get_logger()

TAIL_LINES = 20
"""Lines of the log that are told when something failed."""
SOURCE_TRIES = 6
"""How often a build asks for its source before it gives up: with the delays, about a minute."""


class Worker:
    """Carries builds and runs that this bot claimed."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._stopping: set[str] = set()

    async def stop(self, row: Build | Run) -> None:
        """Somebody asked to stop what this bot carries; harmless when repeated."""
        if row.name in self._stopping:
            return
        self._stopping.add(row.name)
        if isinstance(row, Run):
            await self._move(row, State.STOPPING)
        await self._tools.engine.stop(row.name)

    async def build(self, build: Build) -> None:
        """Carry a build to its end."""
        if build.state == State.FINISHED:
            return
        if build.state == State.WAITING:
            if build.stop_by:
                await self._finish(build, Outcome(Result.CANCELLED))
                return
            if not await self._move(build, State.BUILDING, started_at=self._tools.clock()):
                return
        source = await self._source(build)
        if isinstance(source, Outcome):
            await self._finish(build, source)
            return
        image = Image.model_validate(build.definition)
        spec = BuildSpec(
            key=build.name,
            image=build.image,
            source=source,
            setup=image.build.setup,
            timeout=image.build.timeout,
        )
        await self._follow(build, lambda: self._tools.engine.build(spec))

    async def run(self, run: Run) -> None:
        """Carry a run to its end."""
        if run.state == State.FINISHED:
            return
        if run.state in (State.WAITING, State.BUILDING):
            if run.stop_by:
                await self._finish(run, Outcome(Result.CANCELLED))
                return
            if run.digest is not None and not await self._tools.engine.has_image(run.digest):
                await self._build_again(run)
                return
            if not await self._move(run, State.STARTING, waiting_for=None):
                return
        try:
            spec = self._spec(run)
        except ConfigError as error:
            await self._finish(run, Outcome(Result.ERROR, reason="NotConfigured", message=str(error)))
            return
        await self._follow(run, lambda: self._tools.engine.run(spec))

    async def _build_again(self, run: Run) -> None:
        """Let a run wait for its image once more: the engine has cleared it away since it was built."""
        tools, number, nonce = self._tools, run.identity, self._tools.nonce()
        log.info("image.gone", run=number, image=run.digest)
        await tools.store.write(
            lambda s: builds.again(s, number, owner=tools.owner, now=tools.clock(), nonce=nonce)
        )

    async def _follow(self, row: Build | Run, ask: Callable[[], AsyncIterator[Progress]]) -> None:
        """Store what the engine says until the end, attaching again whenever it could not be asked."""
        if row.stop_by:
            self._stopping.add(row.name)
        try:
            while True:
                try:
                    async for progress in ask():
                        await self._note(row, progress)
                        if isinstance(progress, Outcome):
                            return
                except EngineUnavailable as error:
                    log.warning("engine.unavailable", name=row.name, error=str(error))
                    await self._note(row, Pending(f"the engine does not answer: {error}"))
                    await asyncio.sleep(error.delay)
        finally:
            self._stopping.discard(row.name)

    async def _note(self, row: Build | Run, progress: Progress) -> None:
        match progress:
            case Outcome():
                await self._finish(row, progress)
                return
            case Started(at) if isinstance(row, Run):
                await self._move(row, State.RUNNING, started_at=at, waiting_for=None)
            case Pending(reason) if isinstance(row, Run):
                await self._wait(row, reason)
        # Asked for before the engine knew of it: the request would have gone nowhere, so it is repeated.
        if row.name in self._stopping:
            await self._tools.engine.stop(row.name)

    async def _wait(self, run: Run, reason: str) -> None:
        store, number = self._tools.store, run.identity
        await store.write(lambda s: runs.note(s, number, owner=self._tools.owner, waiting_for=reason))

    async def _finish(self, row: Build | Run, outcome: Outcome) -> None:
        tail: list[str] = []
        if outcome.result is not Result.SUCCEEDED:
            tail = await self._tools.logs.tail(row.name, TAIL_LINES)
        facts: dict[str, Any] = {
            "result": outcome.result,
            "reason": outcome.reason,
            "message": outcome.message,
            "exit_code": outcome.exit_code,
            "finished_at": outcome.finished_at or self._tools.clock(),
            "tail": tail,
        }
        if outcome.started_at is not None:
            facts["started_at"] = outcome.started_at
        if isinstance(row, Build):
            facts["digest"] = outcome.image
        else:
            facts["waiting_for"] = None
        await self._move(row, State.FINISHED, **facts)
        await self._tools.engine.remove(row.name)

    async def _move(self, row: Build | Run, to: State, **facts: Any) -> bool:
        """Store the move; False when it is not ours to make (lease lost) or was made already."""
        tools, number = self._tools, row.identity
        now, owner = tools.clock(), tools.owner
        moved: Build | Run | None
        if isinstance(row, Build):
            moved = await tools.store.write(
                lambda s: builds.move(s, number, to, owner=owner, now=now, **facts)
            )
        else:
            moved = await tools.store.write(lambda s: runs.move(s, number, to, owner=owner, now=now, **facts))
        if moved is None:
            return False
        if isinstance(moved, Run) and to is State.RUNNING:
            metrics.count_start(moved)
        log.info(f"{type(row).__name__.lower()}.{to}", number=number, name=row.name, result=moved.result)
        return True

    def _spec(self, run: Run) -> RunSpec:
        job = Job.model_validate(run.definition)
        environment, secrets = self._tools.config.environment(job)
        return RunSpec(
            key=run.name,
            command=job.argv(tuple(run.arguments)),
            image=run.digest,
            setup=job.setup,
            workdir=job.workdir,
            env=environment | run.parameters,
            secrets=secrets,
            timeout=job.timeout,
            grace=job.grace,
            signal_children=job.signal_children,
        )

    async def _source(self, build: Build) -> Source | Outcome:
        github = self._tools.github
        if github is None:
            return Outcome(Result.ERROR, reason="NoSource", message="GitHub is not configured here.")
        for attempt in range(SOURCE_TRIES):
            try:
                url, token = await github.clone(build.repository)
            except RetryLater as error:
                log.warning("build.source", name=build.name, error=str(error))
                await asyncio.sleep(min(error.delay or 2.0**attempt, 60.0))
            except Refused as error:
                return Outcome(Result.ERROR, reason="NoSource", message=f"GitHub refused: {error}")
            else:
                return Source(repository=build.repository, url=url, commit=build.commit, token=token)
        return Outcome(Result.ERROR, reason="NoSource", message="GitHub could not be reached.")
