"""Looks once at every repository that the server's file lets define jobs and that nobody has read yet.

What a pattern lets in is read with its first push.
"""

import structlog

from bot.errors import AskerError, Refused
from bot.handlers.repository_files import RepositoryFileHandler
from bot.registry import Registry
from bot.store import Store, repository_files
from bot.workers import timing
from bot.workers.patience import awaken, patiently

log = structlog.get_logger()


class RepositoryDiscovery:
    """The duty of repositories that may define jobs."""

    def __init__(self, handler: RepositoryFileHandler, registry: Registry, store: Store) -> None:
        self._handler = handler
        self._registry = registry
        self._store = store
        self._refused: set[str] = set()
        self._missing: list[str] = []

    async def run(self) -> None:
        """Look at the start, whenever the file was read again, and while GitHub does not answer."""
        changed = self._registry.watch()
        while True:
            changed.clear()
            await patiently("discovery", self.look)
            await awaken(changed, timing.SWEEP if self._missing else None)

    async def look(self) -> None:
        """Have those read that are missing."""
        known = {row.casefold() for row in await self._store.read(repository_files.names)}
        config = self._registry.config
        named = [name for name in config.repository_jobs if "*" not in name and config.allows(name)]
        self._missing = [name for name in named if name.casefold() not in known | self._refused]
        for name in list(self._missing):
            try:
                await self._handler.discover(name)
            except (AskerError, Refused) as error:
                self._refused.add(name.casefold())
                log.warning("repository.undiscovered", repository=name, why=str(error))
            self._missing.remove(name)
