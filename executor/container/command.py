"""The engine's command line: what it is called with, and what it says."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.words import plain

_PASSED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_ENGINES = ("BUILDAH_", "BUILDKIT_", "BUILDX_", "CONTAINER_", "CONTAINERS_", "DOCKER_", "REGISTRY_")
_BEGINNINGS = (*_ENGINES, "DBUS_", "STORAGE_", "XDG_")
_NAMES = {*_PASSED, *_PROXIES, *map(str.upper, _PROXIES)}
"""What of Errand's own environment the engine's command is given: names, and beginnings of names."""

_ANSWER = 30.0
"""Seconds that the engine has to say its version."""

_MOST = 64 * 1024
"""Bytes of what a command says that are looked at, from the end."""

_LOGFMT = re.compile(r'^time="[^"]*" level=\w+ msg=')


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give what the engine's command needs of Errand's environment, and nothing of Errand's own."""
    found = os.environ if environ is None else environ
    return {name: value for name, value in found.items() if name in _NAMES or name.startswith(_BEGINNINGS)}


def last_words(output: str) -> str:
    """Give what of a command's output tells why it failed: its last line that is an error, or its last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(?i)error\b|.*\b(denied|unauthorized)\b", line)]
    line = (telling or lines or [""])[-1]
    return plain(re.sub(r"(?i)^error(?: response from daemon)?: *", "", _LOGFMT.sub("", line)))


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended, and the ends of what it wrote."""

    code: int
    out: str
    err: str


class Command:
    """Calls the engine's command, each time as a process that does not outlive the call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_podman: bool | None = None

    def words(self, *more: str) -> list[str]:
        """Give the whole command line; raises EngineUnavailable where there is no such program."""
        program = shutil.which(self._settings.command)
        if program is None:
            raise EngineUnavailable(f"there is no program {self._settings.command} here", delay=60.0)
        return [program, *self._settings.arguments, *more]

    async def is_podman(self) -> bool:
        """Whether the command is Podman's, whatever it is called."""
        if self._is_podman is None:
            result = await self.call("--version", timeout=_ANSWER)
            if result.code:
                raise EngineUnavailable(f"{self._settings.command}: {last_words(result.err or result.out)}")
            self._is_podman = "podman" in result.out.lower()
        return self._is_podman

    async def check(self) -> None:
        """Raise EngineUnavailable unless the engine answers; Podman is its own engine, and does."""
        try:
            result = await self.call("version", timeout=_ANSWER)
        except TimeoutError as problem:
            raise EngineUnavailable(f"{self._settings.command}: no answer") from problem
        if result.code:
            raise EngineUnavailable(last_words(result.err or result.out))

    async def call(self, *words: str, timeout: float) -> CommandResult:
        """Run one command; raises EngineUnavailable, and TimeoutError after `timeout` seconds."""
        return await self.execute(self.words(*words), timeout=timeout)

    async def execute(self, words: Sequence[str], *, timeout: float) -> CommandResult:
        """Run another program in the same way."""
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment() | {"LANG": "C.UTF-8"},
                start_new_session=True,  # so that Ctrl-C is for Errand alone, and that all of it can be ended
            )
        except OSError as problem:
            raise EngineUnavailable(f"{words[0]}: {problem.strerror}") from problem
        try:
            async with asyncio.timeout(timeout):
                out, err = await asyncio.gather(_end_of(process.stdout), _end_of(process.stderr))
                code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await asyncio.shield(process.wait())
        return CommandResult(code, out, err)


async def _end_of(stream: asyncio.StreamReader | None) -> str:
    data = b""
    while stream is not None and (piece := await stream.read(_MOST)):
        data = (data + piece)[-_MOST:]
    return data.decode(errors="replace")
