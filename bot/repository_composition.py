"""Puts together what repositories define for themselves: who has their files read, and who reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.handlers.repository_files import RepositoryFileHandler
from bot.handlers.repository_reading import RepositoryFileReader
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.store import repository_files
from bot.store.holder import LeaseHolder
from bot.tables import RepositoryFile
from bot.workers.pools import Work
from bot.workers.repository_discovery import RepositoryDiscovery
from bot.workers.repository_files import RepositoryFileWorker

FILES = 2
"""Files of repositories that are read at the same time: each may cost a second of this machine."""


@dataclass(frozen=True)
class RepositoryComposition:
    """One of each."""

    registry: Registry
    host: CodeHost
    holder: LeaseHolder
    nonce: Callable[[], str]

    @cached_property
    def handler(self) -> RepositoryFileHandler:
        """Who decides."""
        return RepositoryFileHandler(self.registry, self.host, self.holder, self.nonce)

    @property
    def discovery(self) -> RepositoryDiscovery:
        """What looks for those that were never read."""
        return RepositoryDiscovery(self.handler, self.registry, self.holder.store)

    @cached_property
    def reader(self) -> RepositoryFileReader:
        """Who reads."""
        return RepositoryFileReader(self.registry, self.host, self.holder, self.nonce)

    @property
    def work(self) -> Work[RepositoryFile]:
        """What is claimed, and who carries it."""
        worker = RepositoryFileWorker(self.reader, self.holder)
        return Work("repositories", RepositoryFile, repository_files.claim, worker.carry, FILES)
