"""The one door to the API of Podman or Docker.

https://docs.docker.com/reference/api/engine/ (Podman serves version 1.40 and more of it). What the engine
answers is left as it is; what keeps it from answering is `EngineUnavailable`.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError as Refused

from executor.container.service import SOCKET, Service
from executor.container.settings import Settings
from executor.errors import EngineUnavailable

__all__ = ["Client", "Refused"]

_OLDEST = "1.40"
"""The version of the API that is spoken where the engine does not say which it does."""
_ANSWER = aiohttp.ClientTimeout(total=120.0, sock_connect=10.0)
_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
_EXECUTION = 15.0
"""Seconds that a command inside a container may take."""
_PING = aiohttp.ClientTimeout(total=5.0, sock_connect=2.0)
_NOT_FOUND = 127
_NO_CONNECTION = 900
"""What aiodocker calls the status of an answer that never came."""


class Client:
    """A connection to the engine, which may be Podman.

    `docker` is aiodocker's own client, for what has no method here.
    """

    def __init__(self, docker: aiodocker.Docker, service: Service | None, opened: int | None) -> None:
        self.docker = docker
        self.is_podman = False
        self._service = service
        self._opened = opened
        self._reviving = asyncio.Lock()

    @classmethod
    async def open(cls, settings: Settings, directory: Path) -> "Client":
        """Connect, starting Podman's service where nothing serves; raises EngineUnavailable."""
        service, opened, url = None, None, settings.socket
        if url is None and Path(settings.command).name.startswith("podman"):
            service = Service(settings.command, settings.arguments, directory)
            opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            url = f"/proc/self/fd/{opened}/{SOCKET}"
        client = cls(_docker(url), service, opened)
        try:
            await client.revive()
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """End the connection, and the service that was started for it."""
        await self.docker.close()
        await self.docker.connector.close()
        if self._service is not None:
            await self._service.close()
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    async def revive(self) -> None:
        """See that the engine answers, starting its service anew if it died; raises EngineUnavailable."""
        async with self._reviving:
            if await self._answers():
                return
            if self._service is None:
                raise EngineUnavailable("no connection to Podman or Docker")
            await self._service.start(self._answers)

    async def ask(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, data: Any = None
    ) -> Any:
        """Give the answer; raises `Refused` with the engine's status and words, or EngineUnavailable."""
        with _unavailable():
            return await self.docker._query_json(
                path, method, params=dict(params or {}), data=data, timeout=_ANSWER
            )

    @asynccontextmanager
    async def stream(self, path: str, params: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give what the engine says as it comes, in pieces of any size; raises as `ask` does.

        aiodocker's own streams are of text, and of lines.
        """
        with _unavailable():
            async with asyncio.timeout(_ANSWER.total):
                response = await self.docker._do_query(path, "GET", params=dict(params), timeout=_STREAM)
            try:
                yield response.content.iter_any()
            finally:
                response.close()

    async def has(self, path: str, params: Mapping[str, Any]) -> bool:
        """Whether there is such a thing; raises EngineUnavailable."""
        with _unavailable():
            try:
                async with self.docker._query(path, "HEAD", params=dict(params), timeout=_ANSWER):
                    return True
            except (Refused, json.JSONDecodeError):  # aiodocker looks for a sentence in an answer without one
                return False

    async def delete(self, container: str) -> None:
        """Remove a container, whatever it does, if there is one; raises EngineUnavailable."""
        try:
            await self.ask("DELETE", f"containers/{container}", {"force": 1, "v": 1})
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise EngineUnavailable(refused.message) from refused

    async def execute(self, container: str, words: tuple[str, ...]) -> int | None:
        """Run a command inside; gives its exit code, None if the container does not run."""
        with _unavailable():
            try:
                async with asyncio.timeout(_EXECUTION):
                    command = await self.docker.containers.container(container).exec(words, stdin=False)
                    async with command.start(detach=False) as stream:
                        while await stream.read_out() is not None:
                            pass
                    return int((await command.inspect())["ExitCode"])
            except Refused as refused:
                if refused.status == _NO_CONNECTION:
                    raise
                return _NOT_FOUND if "not found" in refused.message else None

    async def _answers(self) -> bool:
        with suppress(Refused, TimeoutError, aiohttp.ClientError, OSError):
            async with self.docker._query("_ping", versioned_api=False, timeout=_PING) as response:
                # Podman takes half a second for the whole of its `version`, which aiodocker would ask.
                self.docker.api_version = f"v{response.headers.get('Api-Version', _OLDEST)}"
                self.is_podman = "Libpod-Api-Version" in response.headers
                return True
        return False


def _docker(url: str | None) -> aiodocker.Docker:
    """The client, with as many connections as there are logs to follow."""
    if url is not None and url.removeprefix("unix://").startswith("/"):
        connector = aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0)
        return aiodocker.Docker("unix://localhost", connector=connector)
    try:
        return aiodocker.Docker(url)
    except (AssertionError, ValueError) as problem:  # it knows no place to connect to
        raise EngineUnavailable(f"no engine of containers: {problem or 'there is no socket'}") from problem


class _unavailable:
    """Turns what keeps the engine from answering into EngineUnavailable."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, Refused) and problem.status != _NO_CONNECTION:
            return
        if isinstance(problem, TimeoutError):
            raise EngineUnavailable("Podman or Docker takes too long") from problem
        if isinstance(problem, (Refused, aiohttp.ClientError, OSError, json.JSONDecodeError)):
            raise EngineUnavailable("no connection to Podman or Docker") from problem
