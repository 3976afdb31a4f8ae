"""Builds images by the engine's command line, each under a supervisor, so that it outlives Errand."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from executor import references
from executor.container import leftovers
from executor.container.command import Command, environment, last_words
from executor.container.repositories import Repositories
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.logs import LogStore
from executor.process import requests, trees
from executor.process.supervised import Supervised, result_of
from executor.redaction import masked
from executor.spec import BuildSpec, Outcome, Progress, Recipe, Result, Secret
from executor.words import plain

LABEL = "errand.image"
"""What every image that is built here has: the name of the image in Errand."""

_BUILDER = [sys.executable, "-I", "-S", str(Path(__file__).with_name("imagebuilder.py"))]
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_SECRET = "ERRAND_SECRET_"  # noqa: S105
"""Before the names of secrets in the command's environment, where theirs might mean something to it."""


class Builds:
    """The builds of one engine, whose checkouts and records are below `directory`."""

    def __init__(self, directory: Path, logs: LogStore, settings: Settings) -> None:
        self._supervised = Supervised(directory / "builds", logs)
        self._command = Command(settings)
        self._repositories = Repositories(directory / "builds")

    async def open(self) -> None:
        """Make the directories; raises EngineUnavailable."""
        await self._supervised.open()
        try:
            await asyncio.to_thread(self._repositories.open)
        except OSError as problem:
            raise EngineUnavailable(f"the directory of builds: {problem}") from problem

    async def close(self) -> None:
        """Let go of all builds, which go on."""
        await self._supervised.close()

    async def build(self, spec: BuildSpec) -> AsyncIterator[Progress]:
        """Build the image, or attach to its build; see `Engine`.

        The outcome names it `sha256:ID`, or `REPOSITORY@sha256:DIGEST` where it was pushed.
        """
        podman = await self._command.is_podman()
        if not podman:
            await self._command.check()

        def request(place: requests.Place) -> bytes:
            return requests.of_build(spec, place, lambda spec: self._making(spec, place, podman))

        async for progress in self._supervised.follow(spec.key, request):
            if isinstance(progress, Outcome):
                progress = await self._ended(spec, progress)
            yield progress

    async def stop(self, key: str) -> None:
        """Ask for a stop, also of a build that is about to begin."""
        await self._supervised.stop(key)

    async def prune(self, *, before: float) -> None:
        """Delete the records of builds that ended before `before`; images are left."""
        await self._supervised.prune(before=before)

    async def remove(self, key: str) -> None:
        """Delete the record of a build; raises EngineUnavailable while it runs."""
        await self._supervised.remove(key)

    async def _ended(self, spec: BuildSpec, outcome: Outcome) -> Outcome:
        if outcome.result not in (Result.SUCCEEDED, Result.FAILED):
            await leftovers.sweep(self._command, spec.key)
        if outcome.started_at is not None:
            self._supervised.prune_trees(trees.of_context(spec).path(self._supervised.directory))
        word, sentence = await asyncio.to_thread(result_of, self._supervised.place(spec.key).run)
        return _outcome(outcome, word, _masked(spec, sentence))

    def _making(self, spec: BuildSpec, place: requests.Place, podman: bool) -> requests.Making:
        """Say what the build is; raises ValueError, and EngineUnavailable where there is no command."""
        recipe = spec.recipe or Recipe()
        tree = trees.of_context(spec)
        word = self._repositories.word(tree.repository)
        name = references.built(spec.image, tree.commit, word)
        target = f"{references.repository(recipe.push)}:{tree.commit}" if recipe.push else None
        push: list[str] = []
        if target and podman:
            push = self._command.words("push", f"--digestfile={place.run / 'digest'}", name, target)
        elif target:
            push = self._command.words("push", target)
        more = [f"--secret={leftovers.mark(spec.key)}"] if podman else [f"--tag={target}"] if target else []
        if not podman:
            more = [*more, f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={word}"]
        options = [*_options(recipe), f"--iidfile={place.run / 'image'}", f"--label={LABEL}={spec.image}"]
        command = self._command.words("build", *options, *more, f"--tag={name}", "{context}")
        if any("\0" in word for word in command):  # which would be hidden in the JSON
            raise ValueError("A NUL byte in the build's target, arguments or image.")
        words = {
            "bare": "1",
            "context": recipe.context,
            "dockerfile": recipe.dockerfile,
            "build": json.dumps(command),
            "push": json.dumps(push),
            "check": json.dumps(self._command.words("version")),
        }
        secrets = {f"{_SECRET}{name}": value.reveal() for name, value in recipe.secrets.items()}
        env = environment() | secrets | {leftovers.VARIABLE: spec.key}
        if podman:
            env["TMPDIR"] = str(self._repositories.temporary(tree.repository))
        elif secrets:
            env["DOCKER_BUILDKIT"] = "1"  # its older builder has no secrets
        return requests.Making(
            _BUILDER, tree, words, env, (*recipe.secrets.values(), Secret(word)), signal_children=False
        )


def _options(recipe: Recipe) -> list[str]:
    """Give the words of the build's command that come from the recipe; raises ValueError."""
    for name in (*recipe.arguments, *recipe.secrets):
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"Not a name for an argument or a secret of a build: {name[:100]!r}.")
    return [
        "--force-rm",  # Docker would keep the container of a step that failed
        "--file={dockerfile}",
        *([f"--target={recipe.target}"] if recipe.target else ()),
        *(f"--build-arg={name}={value}" for name, value in recipe.arguments.items()),
        *(f"--secret=id={name},env={_SECRET}{name}" for name in recipe.secrets),
    ]


def _outcome(outcome: Outcome, word: str, sentence: str) -> Outcome:
    """Give the outcome of the build whose builder left `word` and `sentence`."""
    if outcome.result is Result.SUCCEEDED and word == "Built":
        return replace(outcome, image=sentence)
    if outcome.result not in (Result.SUCCEEDED, Result.FAILED):
        return outcome
    if word == "ImageFailed":
        return replace(outcome, reason="BuildFailed", message=sentence)
    said = last_words(sentence) if word in ("PushFailed", "EngineUnavailable") else plain(sentence)
    return replace(
        outcome,
        result=Result.ERROR,
        exit_code=None,
        reason=word or "BuilderDied",
        message=said or f"The builder ended with {outcome.exit_code}.",
    )


def _masked(spec: BuildSpec, text: str) -> str:
    given = [*(spec.recipe or Recipe()).secrets.values(), *filter(None, (spec.source.token,))]
    return masked(text, [secret.reveal().encode() for secret in given])
