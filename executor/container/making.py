"""What a build of an image is: the command lines that make it, keep it and push it, and where its images are.

With Podman every repository has a storage of its own, so no Dockerfile can name what another one built,
no layer of another's is taken for its own, and it has only its own logins to registries. What was built
goes from there into the engine's storage; only layers that are new are copied.
"""

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from executor import references
from executor.container import leftovers, policy, storage
from executor.container.command import Command, environment
from executor.container.repositories import Repositories
from executor.container.settings import Settings
from executor.container.storage import Storage
from executor.errors import EngineUnavailable
from executor.process import requests, trees
from executor.spec import BuildSpec, Recipe, Secret

LABEL = "errand.image"
"""What every image that is built here has: the name of the image in Errand."""

_BUILDER = [sys.executable, "-I", "-S", str(Path(__file__).with_name("imagebuilder.py"))]
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_SECRET = "ERRAND_SECRET_"  # noqa: S105
"""Before the names of secrets in the command's environment, where theirs might mean something to it."""
_SHARED = "This engine has one storage of images for the builds of all repositories."


_SWEEP = 60.0
"""Seconds for one call that removes something."""


@dataclass(frozen=True, slots=True)
class BuildEngine:
    """What builds here: whether it is Podman, its storage if that is here, local images with their ids."""

    is_podman: bool
    storage: Storage | None = None
    bases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """What of a build depends on the engine: words before the subcommand and after it, and of the builder."""

    options: tuple[str, ...]
    words: Mapping[str, str]
    env: Mapping[str, str]
    arguments: tuple[str, ...] = ()


class Makings:
    """Says what the builds of one engine are."""

    def __init__(self, settings: Settings, repositories: Repositories) -> None:
        self._settings = settings
        self._repositories = repositories
        self._command = Command(settings)
        self._storage: Storage | None = None

    async def engine(self) -> BuildEngine:
        """Look what builds here; raises EngineUnavailable."""
        if not await self._command.is_podman():
            await self._command.check()
            return BuildEngine(is_podman=False)
        self._storage = self._storage or await storage.of_engine(self._command)
        if self._storage is None or self._settings.is_shared:
            return BuildEngine(True, self._storage)
        return BuildEngine(True, self._storage, tuple(await storage.local_images(self._command)))

    def command(self, repository: str) -> Command:
        """The command where the repository is built, as it was looked at last; raises EngineUnavailable."""
        if self._storage is None or self._settings.is_shared:
            return self._command
        own = self._own(self._storage, repository)
        return Command(replace(self._settings, arguments=(*self._settings.arguments, *own.arguments)))

    async def sweep(self, spec: BuildSpec) -> None:
        """Remove what a build has left that ended in whatever way; what cannot be removed stays."""
        command = self.command(spec.source.repository)
        await leftovers.sweep(command, spec.key)
        if self._storage is not None and os.geteuid() == 0:
            network = network_of(spec.key, self._repositories.word(spec.source.repository))
            with contextlib.suppress(EngineUnavailable, TimeoutError):
                await command.call("network", "rm", "--force", network, timeout=_SWEEP)

    def making(self, spec: BuildSpec, place: requests.RunPaths, engine: BuildEngine) -> requests.Making:
        """Say what the build is; raises ValueError, and EngineUnavailable where there is no command."""
        recipe = spec.recipe or Recipe()
        tree = trees.of_context(spec)
        shape = (self._on_podman if engine.is_podman else self._on_docker)(spec, tree, place, engine)
        options = [*_options(recipe), f"--iidfile={place.run / 'image'}", f"--label={LABEL}={spec.image}"]
        command = self._command.words(*shape.arguments, "build", *options, *shape.options, "{context}")
        if any("\0" in word for word in command):  # which would be hidden in the JSON
            raise ValueError("A NUL byte in the build's target, arguments or image.")
        words = {
            "bare": "1",
            "context": recipe.context,
            "dockerfile": recipe.dockerfile,
            "build": json.dumps(command),
            "check": json.dumps(self._command.words("version")),
            **shape.words,
        }
        secrets = {f"{_SECRET}{name}": value.reveal() for name, value in recipe.secrets.items()}
        env = environment() | secrets | {leftovers.VARIABLE: spec.key} | dict(shape.env)
        if secrets and not engine.is_podman:
            env["DOCKER_BUILDKIT"] = "1"  # its older builder has no secrets
        masked = (*recipe.secrets.values(), Secret(self._repositories.word(tree.repository)))
        return requests.Making(_BUILDER, tree, words, env, masked, signal_children=False)

    def _on_docker(
        self, spec: BuildSpec, tree: trees.Tree, place: requests.RunPaths, engine: BuildEngine
    ) -> _Shape:
        word, target = self._repositories.word(tree.repository), _target(spec, tree)
        tags = [f"--tag={target}"] if target else []
        tags.append(f"--tag={references.built(spec.image, tree.commit, word)}")
        push = self._command.words("push", target) if target else []
        options = (*_uncached(spec), *tags, f"--build-arg=BUILDKIT_CACHE_MOUNT_NS={word}")
        return _Shape(options, {"push": json.dumps(push), "notice": self._notice()}, {})

    def _on_podman(
        self, spec: BuildSpec, tree: trees.Tree, place: requests.RunPaths, engine: BuildEngine
    ) -> _Shape:
        word, target = self._repositories.word(tree.repository), _target(spec, tree)
        name = references.built(spec.image, tree.commit, word)
        push = self._command.words("push", f"--digestfile={place.run / 'digest'}", name, target or "")
        lock = self._repositories.lock(tree.repository)
        words = {"push": json.dumps(push if target else []), "lock": str(lock)}
        env = {"TMPDIR": str(self._repositories.temporary(tree.repository))}
        options = [f"--secret={leftovers.mark(spec.key)}"]
        if engine.storage is None:  # an engine elsewhere, which has neither our files nor these options
            return _Shape(
                (*options, *_uncached(spec), f"--tag={name}"), words | {"notice": self._notice()}, env
            )
        own = engine.storage if self._settings.is_shared else self._own(engine.storage, tree.repository)
        own.prepare()
        policies = self._repositories.policy(tree.repository)
        if policy.write(policies, own.scope):
            options.append(f"--signature-policy={policies}")
        if os.geteuid() == 0:  # without root Podman gives each container a network without others
            options.append(f"--network={network_of(spec.key, word)}")
            words |= self._network(tree.repository, network_of(spec.key, word))
        if self._settings.is_shared:
            return _Shape((*options, *_uncached(spec), f"--tag={name}"), words, env)
        keep = self._command.words(*own.arguments, "push", "--quiet", "{image}", engine.storage.name(name))
        bases = [
            (base, identity, self._command.words("push", "--quiet", base, own.name(base)))
            for base, identity in engine.bases
        ]
        words |= {"keep": json.dumps(keep), "bases": json.dumps(bases)} | self._again(
            spec, tree, engine.storage.name(name)
        )
        # With a tag a commit that storage would keep every image.
        options.append(f"--tag={references.built(spec.image, 'latest', word)}")
        options.append(f"--authfile={self._repositories.logins(tree.repository)}")
        return _Shape(tuple(options), words, env, own.arguments)

    def _again(self, spec: BuildSpec, tree: trees.Tree, name: str) -> dict[str, str]:
        """The builder's words for taking an image again that was made of the same.

        It is pushed to where it lies already: `tag` would put the newest name last, not first.
        """
        recipe = spec.recipe or Recipe()
        return {
            "finished": str(self._repositories.finished(tree.repository)),
            "inputs": json.dumps([spec.image, recipe.context, *_options(recipe)]),
            "again": json.dumps(self._command.words("push", "--quiet", "{image}", name)),
        }

    def _network(self, repository: str, network: str) -> dict[str, str]:
        """The builder's words for a network in which nothing else is, and which reaches no other one."""
        words = self.command(repository).words("network")
        join, leave = [*words, "create", "--opt=isolate=true", network], [*words, "rm", "--force", network]
        return {"join": json.dumps(join), "leave": json.dumps(leave)}

    def _own(self, engine: Storage, repository: str) -> Storage:
        return engine.beside(self._repositories.images(repository), self._repositories.word(repository))

    def _notice(self) -> str:
        return "" if self._settings.is_shared else _SHARED


def network_of(key: str, word: str) -> str:
    """How the network of a build is called, which lasts as long as the build."""
    return f"errand-build-{hashlib.sha256(f'{word}/{key}'.encode()).hexdigest()[:12]}"


def _uncached(spec: BuildSpec) -> tuple[str, ...]:
    """The word for builds of untrusted code where all share one storage, so that they use nobody's layers."""
    return ("--no-cache",) if spec.untrusted else ()


def _target(spec: BuildSpec, tree: trees.Tree) -> str | None:
    """Where it is pushed to; raises ValueError."""
    push = spec.recipe.push if spec.recipe else None
    return f"{references.repository(push)}:{tree.commit}" if push else None


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
