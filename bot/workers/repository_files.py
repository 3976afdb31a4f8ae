"""Carries the files of repositories: has each read, and what GitHub does not answer tried again."""

import asyncio

import structlog

from bot.errors import RetryLater
from bot.handlers.repository_reading import RepositoryFileReader
from bot.store import repository_files
from bot.store.holder import LeaseHolder
from bot.store.leases import LeaseLost
from bot.tables import RepositoryFile
from bot.workers.delivery_worker import backoff

log = structlog.get_logger()


class RepositoryFileWorker:
    """Carries those that this bot claimed."""

    def __init__(self, reader: RepositoryFileReader, holder: LeaseHolder) -> None:
        self._reader = reader
        self._holder = holder

    async def carry(self, row: RepositoryFile) -> None:
        """Have it read, or stored when that is tried again: as long as it takes, since nobody else asks."""
        try:
            await self._carry(row)
        except LeaseLost:
            log.warning("repository.lost", repository=row.repository)

    async def _carry(self, row: RepositoryFile) -> None:
        try:
            await self._reader.read(row)
        except LeaseLost:
            raise
        except RetryLater as error:
            log.warning("repository.waits", repository=row.repository, error=str(error))
            await self._again(row, error.delay)
        except Exception:
            log.exception("repository.failed", repository=row.repository)
            await self._again(row, None)

    async def _again(self, row: RepositoryFile, delay: float | None) -> None:
        holder, delay = self._holder, delay or backoff(row.attempts)
        due_at = holder.clock() + delay
        await holder.store.write(lambda s: repository_files.retry(s, row, owner=holder.owner, due_at=due_at))
        asyncio.get_running_loop().call_later(delay, holder.store.wakeup("repositories").set)
