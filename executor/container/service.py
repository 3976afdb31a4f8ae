"""Podman as a service of this process, where nothing else serves its API."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from executor import descriptors
from executor.errors import EngineUnavailable
from executor.supervisor import lock
from executor.threads import acquired

SOCKET = "podman.sock"

_PATIENCE = 20.0
"""Seconds in which the service has to answer."""
_LOOK = 0.02
"""Seconds between two looks whether it does."""
_WORDS = 2000
"""Bytes of what it said at most that are told when it does not start."""

_KEPT = """exec 3<&0
"$@" 3<&- &
service=$!
{ read -r _ <&3; kill "$service"; } &
wait "$service"
kill "$!" 2>/dev/null"""
"""Ends the service when this process closes the pipe, or dies in whatever way: no service is left behind."""


class Service:
    """`COMMAND ARGUMENTS system service` with its socket in `directory`."""

    def __init__(self, command: str, arguments: tuple[str, ...], directory: Path) -> None:
        self._command = (command, *arguments, "system", "service", "--time=0")
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._log = directory / "podman.log"

    async def start(self, answers: Callable[[], Awaitable[bool]]) -> None:
        """Start it unless one `answers` here, maybe another process's; raises EngineUnavailable.

        The socket is named by way of the working directory, because a socket's path must be short.
        """
        path = str(self._directory / f"{SOCKET}.lock")
        descriptor = await acquired(lambda: lock.alone(path, wait=True), os.close)
        try:
            if await answers():
                return
            await self.close()
            (self._directory / SOCKET).unlink(missing_ok=True)
            await self._begin()
            await self._wait(answers)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    async def close(self) -> None:
        """End it; containers go on."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await process.stdin.wait_closed()
        await process.wait()

    async def _begin(self) -> None:
        if shutil.which(self._command[0]) is None:
            raise EngineUnavailable(f"there is no {self._command[0]} on this machine", delay=60.0)
        limit = descriptors.before()
        script = _KEPT if limit is None else f"ulimit -S -n {limit}\n{_KEPT}"
        with open(self._log, "wb") as log:  # noqa: ASYNC230  # a few bytes, now and then
            self._process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                script,
                "sh",
                *self._command,
                f"unix:///proc/self/cwd/{SOCKET}",
                cwd=self._directory,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _wait(self, answers: Callable[[], Awaitable[bool]]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while self._process is not None and self._process.returncode is None:
                    if await answers():
                        return
                    await asyncio.sleep(_LOOK)  # nothing tells when a server listens
        await self.close()
        words = self._log.read_bytes()[-_WORDS:].decode(errors="replace").strip()
        raise EngineUnavailable(f"Podman's service does not start: {words or 'it says nothing'}", delay=30.0)
