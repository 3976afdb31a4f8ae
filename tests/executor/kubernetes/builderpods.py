"""What a kubelet does of a build's pod, as far as a machine without one can: the script runs for real.

The container's command is run as a process here, with its arguments, its environment and the files of its
Secret as the Job says, and with git and the builder of this machine instead of those of an image.
"""

import asyncio
import base64
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.objects.manifests import Manifests

_VARIABLE = re.compile(r"\$\$|\$\(([^()]*)\)")


@dataclass(frozen=True)
class Ended:
    """How the container ended, what it said, and its termination message."""

    code: int
    log: str
    message: str


class Pod:
    """One pod in `directory`; `env` is what its image sets."""

    def __init__(self, made: Manifests, directory: Path, env: Mapping[str, str]) -> None:
        self._container = made.job["spec"]["template"]["spec"]["containers"][0]
        self._secret = made.secret
        self._directory = directory
        self._image_env = env
        self.arguments: list[str] = []
        self.environment: dict[str, str] = {}

    async def run(self) -> Ended:
        """Run the container to its end; all that it leaves goes but its log."""
        self._mount()
        env = dict(self._image_env)
        for variable in self._container["env"]:
            env[variable["name"]] = self._here(_expanded(variable["value"], env))
        self.arguments = [self._here(_expanded(word, env)) for word in self._container["command"]]
        self.environment = env
        log = self._directory / "log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *self.arguments,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(120):
                    code = await process.wait()
            finally:  # what is left in a container ends with its first process
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        message = self._file(self._container["terminationMessagePath"])
        left = message.read_text() if message.exists() else ""
        self._discard()
        return Ended(code, log.read_text(), left)

    def _mount(self) -> None:
        for mount in self._container["volumeMounts"]:
            self._file(mount["mountPath"]).mkdir(parents=True)
        for key, value in (self._secret or {"data": {}})["data"].items():
            (self._file("/errand/given") / key).write_bytes(base64.b64decode(value))

    def _file(self, path: str) -> Path:
        return self._directory / path.lstrip("/")

    def _here(self, text: str) -> str:
        return text.replace("/errand/", f"{self._directory}/errand/")

    def _discard(self) -> None:
        storage = self._file("/errand/work/storage/overlay")
        subprocess.run(["umount", str(storage)], capture_output=True, check=False)
        shutil.rmtree(self._file("/errand"), ignore_errors=True)


def _expanded(text: str, env: Mapping[str, str]) -> str:
    """Replace references to variables as a kubelet does."""

    def instead(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else env.get(found[1], found[0])

    return _VARIABLE.sub(instead, text)


def shells() -> list[Any]:
    """The shells that builders' images have: one as Debian's, and busybox's."""
    return [pytest.param("/bin/sh", id="sh"), pytest.param("/bin/busybox", id="busybox")]


def path_with(directory: Path, **programs: str) -> str:
    """Give a PATH on which these programs come first."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, target in programs.items():
        (directory / name).symlink_to(target)
    return f"{directory}:{os.environ['PATH']}"


def need(*programs: str) -> None:
    """Skip the test where one of them is missing; in CI that is an error."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        reason = f"needs {', '.join(missing)}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
