"""Forgets runs: what `keep` and `expire` of their job no longer hold, with their logs. Some at a time."""

from collections.abc import Collection

import structlog

from bot.catalog import Job
from bot.store import Session, history
from bot.tools import Tools

log = structlog.get_logger()

ROUND = 5_000
"""Runs forgotten in one round."""


class Pruning:
    """Takes runs away together with what belongs to them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def round(self, now: float) -> bool:
        """Forget what is too much or too old; True when more is left for another round."""
        left = ROUND
        for name in await self._tools.store.read(lambda s: list(history.jobs(s))):
            left -= await self._job(name, now, left)
            if left <= 0:
                return True
        return False

    async def remove(self, numbers: Collection[int]) -> int:
        """Forget those of these runs that are finished; gives how many logs went."""
        logs = await self._tools.store.write(lambda s: history.forget(s, numbers))
        for key in logs:
            await self._tools.logs.remove(key)
        return len(logs)

    async def purge(self, name: str) -> None:
        """Forget up to a round of the finished runs of a job that is no more; later rounds take the rest."""
        await self._job(name, self._tools.clock(), ROUND)

    async def _job(self, name: str, now: float, limit: int) -> int:
        book, gone = self._tools.book, 0
        entry = book.entry(name)
        removed = book.was_removed(name)
        keep = entry.job.keep if entry else Job.model_fields["keep"].default
        expire = entry.job.expire if entry else None

        def choose(session: Session) -> list[int]:
            if removed:
                return history.all_finished(session, name)
            before = None if expire is None else now - expire
            return history.superfluous(session, name, keep=keep, before=before)

        while gone < limit and (numbers := await self._tools.store.read(choose)):
            await self.remove(numbers)
            gone += len(numbers)
        if gone:
            log.info("runs.pruned", job=name, runs=gone)
        return gone
