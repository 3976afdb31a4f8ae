"""Carries builds: their source from GitHub, and the image that becomes of it."""

import asyncio
from typing import Any

import structlog

from bot.errors import ConfigError, Refused, RetryLater
from bot.github import GitHub
from bot.registry import Registry
from bot.states import State
from bot.store import builds
from bot.store.holder import LeaseHolder
from bot.tables import Build
from bot.workers import specs
from bot.workers.engine_access import EngineAccess
from bot.workers.worker import Rows, Worker
from executor.spec import Outcome, Result, Source

log = structlog.get_logger()

SOURCE_TRIES = 6
"""How often a build asks for its source before it gives up: with the delays, about a minute."""


class _NoSource(Exception):
    """GitHub does not give the commit; for people."""


class BuildWorker(Worker[Build]):
    """Carries builds that this bot claimed."""

    def __init__(
        self, holder: LeaseHolder, access: EngineAccess, registry: Registry, github: GitHub | None
    ) -> None:
        super().__init__(holder, access, Rows(builds.get, builds.move))
        self._registry = registry
        self._github = github

    def _key(self, row: Build) -> str:
        return row.name

    async def _work(self, row: Build) -> None:
        if row.state == State.WAITING:
            if row.stop_by:
                await self._end(row, Outcome(Result.CANCELLED))
                return
            if not await self._move(row, State.BUILDING, started_at=self._holder.clock()):
                return
        try:
            spec = specs.of_build(row, await self._source(row), self._registry.config)
        except _NoSource as error:
            await self._end(row, Outcome(Result.ERROR, reason="NoSource", message=str(error)))
            return
        except ConfigError as error:
            await self._abandon(row, "NotConfigured", str(error))
            return
        await self._finish(row, await self._follow(row, self._access.engine.build(spec)))

    async def _facts(self, row: Build, outcome: Outcome) -> dict[str, Any]:
        return await super()._facts(row, outcome) | {"digest": outcome.image}

    async def _source(self, build: Build) -> Source:
        """Where the engine gets the commit from; `_NoSource`, and `RetryLater` for a build that goes on."""
        github = self._github
        if github is None:
            raise _NoSource("GitHub is not configured here.")
        for attempt in range(SOURCE_TRIES):
            try:
                url, token = await github.clone(build.repository)
            except RetryLater as error:
                log.warning("build.source", name=build.name, error=str(error))
                await asyncio.sleep(min(error.delay or 2.0**attempt, 60.0))
            except Refused as error:
                raise _NoSource(f"GitHub refused: {error}") from error
            else:
                return Source(repository=build.repository, url=url, commit=build.commit, token=token)
        if build.state == State.BUILDING:  # carried on, and the engine may need nothing more from GitHub
            raise RetryLater("GitHub could not be reached")
        raise _NoSource("GitHub could not be reached.")
