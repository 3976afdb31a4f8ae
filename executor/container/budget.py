"""Keeps what builds leave for the next ones, images and caches, below a number of bytes.

Where it is more, repositories lose all of it, the one first that was built longest ago. One that is building
right now loses nothing.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable

from executor.container.command import Command
from executor.container.making import Makings
from executor.container.repositories import Repositories
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.supervisor import lock
from executor.threads import acquired

_TIMEOUT = 600.0
"""Seconds for one call: it may look at millions of files, or remove them."""
_AGE = "24h"
"""What no image needs any more is kept so long, as in the engine's own storage."""


class Budget:
    """Clears away what the builds of one engine keep."""

    def __init__(self, settings: Settings, repositories: Repositories, makings: Makings) -> None:
        self._limit = settings.cache
        self._repositories = repositories
        self._makings = makings
        self._command = Command(settings)

    async def prune(self) -> None:
        """Remove what is too much; what cannot be removed now stays for the next time."""
        if sys.platform != "linux":  # elsewhere all of it is in a virtual machine
            return
        with contextlib.suppress(EngineUnavailable, TimeoutError, OSError):
            names = await asyncio.to_thread(lambda: list(self._repositories.all()))
            if not names or not (await self._makings.engine()).is_podman:
                return
            for name in names:
                await self._alone(name, self._trim)
            sizes = {name: await self._size(name) for name in names}
            for name in names:
                if sum(sizes.values()) <= self._limit:
                    return
                if await self._alone(name, self._clear):
                    sizes[name] = 0

    async def _alone(self, name: str, action: Callable[[str], Awaitable[None]]) -> bool:
        """Do it while nothing is built of the repository; False where something is."""
        path = str(self._repositories.lock(name))
        descriptor = await acquired(lambda: lock.alone(path, wait=False), os.close)
        if descriptor is None:
            return False
        try:
            await action(name)
        finally:
            os.close(descriptor)
        return True

    async def _trim(self, name: str) -> None:
        """Remove images that newer ones of the same name have replaced."""
        if self._repositories.images(name).is_dir():
            command = self._makings.command(name)
            await command.call("image", "prune", "--force", f"--filter=until={_AGE}", timeout=_TIMEOUT)

    async def _clear(self, name: str) -> None:
        if self._repositories.images(name).is_dir():
            await self._makings.command(name).call("rmi", "--all", "--force", timeout=_TIMEOUT)
        await self._tool("rm", "-rf", "--", str(self._repositories.cache(name)))

    async def _size(self, name: str) -> int:
        """Bytes on the disk; what is mounted there is not counted."""
        paths = [self._repositories.images(name), self._repositories.cache(name)]
        output = await self._tool("du", "-skxc", "--", *(str(path) for path in paths if path.is_dir()))
        words = output.split()[-2:]
        return int(words[0]) * 1024 if len(words) == 2 and words[0].isdigit() else 0

    async def _tool(self, *words: str) -> str:
        """Run a program on files that, without root, belong to users of a namespace."""
        if os.geteuid() == 0:
            return (await self._command.execute(words, timeout=_TIMEOUT)).out
        return (await self._command.call("unshare", *words, timeout=_TIMEOUT)).out
