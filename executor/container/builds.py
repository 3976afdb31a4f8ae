"""Builds images by the engine's command line, each under a supervisor, so that it outlives Errand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from executor.container.budget import Budget
from executor.container.command import last_words
from executor.container.making import Makings
from executor.container.repositories import Repositories
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.logs.redaction import masked
from executor.logs.store import LogStore
from executor.process import requests, trees
from executor.process.supervised import Supervised, result_of
from executor.spec import BuildSpec, Outcome, Progress, Recipe, Result
from executor.words import plain


class Builds:
    """The builds of one engine, whose checkouts and records are below `directory`."""

    def __init__(self, directory: Path, logs: LogStore, settings: Settings) -> None:
        self._supervised = Supervised(directory / "builds", logs)
        self._repositories = Repositories(directory / "builds")
        self._makings = Makings(settings, self._repositories)
        self._budget = Budget(settings, self._repositories, self._makings)
        self._pruning: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the directories; raises EngineUnavailable."""
        await self._supervised.open()
        try:
            await asyncio.to_thread(self._repositories.open)
        except OSError as problem:
            raise EngineUnavailable(f"the directory of builds: {problem}") from problem

    async def close(self) -> None:
        """Let go of all builds, which go on."""
        if self._pruning is not None:
            self._pruning.cancel()
            await asyncio.gather(self._pruning, return_exceptions=True)
        await self._supervised.close()

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the image, or attach to its build; see `Engine`.

        The outcome names it `sha256:ID`, or `REPOSITORY@sha256:DIGEST` where it was pushed.
        """
        engine = await self._makings.engine()

        def request(place: requests.RunPaths) -> bytes:
            return requests.of_build(spec, place, lambda spec: self._makings.making(spec, place, engine))

        async for progress in self._supervised.follow(spec.key, request):
            if isinstance(progress, Outcome):
                progress = await self._ended(spec, progress)
            yield progress

    async def stop(self, key: str) -> None:
        """Ask for a stop, also of a build that is about to begin."""
        await self._supervised.stop(key)

    async def prune(self, *, before: float) -> None:
        """Delete the records of builds that ended before `before`.

        What is too much of what they keep is removed meanwhile: it may take minutes to look at it.
        """
        await self._supervised.prune(before=before)
        if self._pruning is None or self._pruning.done():
            self._pruning = asyncio.create_task(self._budget.prune())

    async def remove(self, key: str) -> None:
        """Delete the record of a build; raises EngineUnavailable while it runs."""
        await self._supervised.remove(key)

    async def _ended(self, spec: BuildSpec, outcome: Outcome) -> Outcome:
        if outcome.result not in (Result.SUCCEEDED, Result.FAILED):
            await self._makings.sweep(spec)
        if outcome.started_at is not None:
            self._supervised.prune_trees(trees.of_context(spec).path(self._supervised.directory))
        word, sentence = await asyncio.to_thread(result_of, self._supervised.place(spec.key).run)
        return _outcome(outcome, word, _masked(spec, sentence))


def _outcome(outcome: Outcome, word: str, sentence: str) -> Outcome:
    """Give the outcome of the build whose builder left `word` and `sentence`."""
    if outcome.result is Result.SUCCEEDED and word == "Built":
        return replace(outcome, image=sentence)
    if outcome.result not in (Result.SUCCEEDED, Result.FAILED):
        return outcome
    if word == "ImageFailed":
        return replace(outcome, reason="BuildFailed", message=sentence)
    message = last_words(sentence) if word in ("PushFailed", "EngineUnavailable") else plain(sentence)
    return replace(
        outcome,
        result=Result.ERROR,
        exit_code=None,
        reason=word or "BuilderDied",
        message=message or f"The builder ended with {outcome.exit_code}.",
    )


def _masked(spec: BuildSpec, text: str) -> str:
    secrets = [*(spec.recipe or Recipe()).secrets.values(), *filter(None, (spec.source.token,))]
    return masked(text, [secret.reveal().encode() for secret in secrets])
