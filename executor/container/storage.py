"""A storage of images, as Podman's command is told of it: the engine's own, or that of one repository."""

import contextlib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from executor import references
from executor.container.command import Command, last_words
from executor.errors import EngineUnavailable

_ASK = 60.0
"""Seconds for one question to the command."""
_PATH = re.compile(r"/[A-Za-z0-9_./-]*", re.ASCII)
"""What the name of a storage can hold: https://github.com/containers/image/blob/main/docs/containers-transports.5.md"""
_NETWORKS = frozenset({"cni", "netavark"})
_PROGRAM = "overlay.mount_program"
_LONGEST = 50
"""Characters of a path for what goes with the machine's start: Podman takes no longer one."""


@dataclass(frozen=True, slots=True)
class Storage:
    """`root` lasts, `run_root` goes with the machine's start; `options` are those of the driver.

    `network` is what makes networks there, netavark or CNI.
    """

    driver: str
    root: str
    run_root: str
    options: tuple[str, ...] = ()
    network: str | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the command is told before its subcommand."""
        options = (word for option in self.options for word in ("--storage-opt", option))
        return ("--root", self.root, "--runroot", self.run_root, "--storage-driver", self.driver, *options)

    @property
    def scope(self) -> str:
        """How a policy names all images in there."""
        return f"[{self.driver}@{self.root}]"

    def name(self, image: str) -> str:
        """How the command names `image` in there, from another storage."""
        options = f":{','.join(self.options)}" if self.options else ""
        return f"containers-storage:[{self.driver}@{self.root}+{self.run_root}{options}]{image}"

    def prepare(self) -> None:
        """Have networks made there as the engine makes its own; raises OSError.

        Podman 4 chooses once for each storage, and one that has got an image, but no network yet, gets CNI.
        """
        chosen = Path(self.root) / "defaultNetworkBackend"
        if self.network and not chosen.exists():
            chosen.parent.mkdir(0o700, parents=True, exist_ok=True)
            chosen.write_text(self.network, encoding="ascii")

    def beside(self, root: Path, word: str) -> "Storage":
        """A storage of the same kind at `root`; `word` tells it from others. Raises EngineUnavailable.

        What goes with the machine's start lies where the engine has it, or where this user's such files
        are if the path would be too long for Podman.
        """
        if not _PATH.fullmatch(str(root)):
            what = f"Podman keeps no images in {root}: a path of letters, digits, ., _ and - is needed"
            raise EngineUnavailable(what, delay=60.0)
        of_user = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR", "")
        paths = [f"{place}/e-{word[:10]}" for place in (self.run_root, of_user) if place]
        run_root = next((path for path in paths if len(path) <= _LONGEST), None)
        if run_root is None:
            what = f"Podman's runroot {self.run_root} is too long: choose one of {_LONGEST - 13} characters"
            raise EngineUnavailable(what, delay=60.0)
        return replace(self, root=str(root), run_root=run_root)


async def of_engine(command: Command) -> Storage | None:
    """The engine's own storage; None where it is elsewhere, or where its path cannot be named.

    Raises EngineUnavailable.
    """
    output = await _output(command, "info", "--format", "json")
    try:
        info = json.loads(output)
        store = info["store"]
        driver, root, run_root = (str(store[key]) for key in ("graphDriverName", "graphRoot", "runRoot"))
    except (ValueError, KeyError, TypeError) as problem:
        raise EngineUnavailable("podman info does not say where images are") from problem
    if info.get("host", {}).get("serviceIsRemote") or not (
        _PATH.fullmatch(root) and _PATH.fullmatch(run_root)
    ):
        return None
    program = (store.get("graphOptions") or {}).get(_PROGRAM)
    path = program.get("Executable") if isinstance(program, dict) else program
    network = info.get("host", {}).get("networkBackend")
    options = (f"{_PROGRAM}={path}",) if path else ()
    return Storage(driver, root, run_root, options, network if network in _NETWORKS else None)


async def local_images(command: Command) -> list[tuple[str, str]]:
    """Names and ids of images that were made on this machine, and not by Errand. Raises EngineUnavailable."""
    listed = await _output(command, "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    pairs = {(name, identity) for name, _, identity in (line.partition(" ") for line in listed.splitlines())}
    return sorted(pair for pair in pairs if _is_local(pair[0]))


def _is_local(name: str) -> bool:
    with contextlib.suppress(ValueError):
        return references.parse(name).is_local and not references.is_built(name)
    return False


async def _output(command: Command, *words: str) -> str:
    try:
        result = await command.call(*words, timeout=_ASK)
    except TimeoutError as problem:
        raise EngineUnavailable("podman: no answer") from problem
    if result.code:
        raise EngineUnavailable(last_words(result.err or result.out))
    return result.out
