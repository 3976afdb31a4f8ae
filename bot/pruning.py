"""Forgets what is old, some at a time, with what belongs to it.

Runs that `keep` and `expire` of their job no longer hold, builds that nothing needs, deliveries and ticks.
"""

from collections.abc import Callable, Collection
from functools import partial

import structlog

from bot.catalog import Job
from bot.scopes import EXEC
from bot.store import Session, deliveries, history, idempotency, pushes, ticks
from bot.tools import Tools

log = structlog.get_logger()

ROUND = 5_000
"""Runs forgotten in one round, and deliveries, and ticks, and builds."""

KEEP_PUSHES = 365 * 86400.0
"""Seconds that a push is known which a newer one followed, or which deleted its branch."""

KEEP_TICKS = 30 * 86400.0
"""Seconds that it is kept what became of a due moment."""


SINGLE = 100
"""Single commands that are kept, and as many that failed: they are a record of who did what."""

KEEP_KEYS = 86400.0
"""Seconds that an idempotency key is kept."""


class Pruning:
    """Takes runs away together with what belongs to them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def round(self, now: float) -> bool:
        """Forget what is too much or too old; True when more is left for another round."""
        kept = self._tools.config.deliveries
        small = (
            partial(deliveries.prune, before=now - kept.keep, limit=history.ROWS),
            partial(deliveries.prune, before=now - kept.keep_ignored, limit=history.ROWS, ignored=True),
            partial(ticks.prune, before=now - KEEP_TICKS, limit=history.ROWS),
            partial(pushes.prune, before=now - KEEP_PUSHES, limit=history.ROWS),
            partial(idempotency.prune, before=now - KEEP_KEYS, limit=history.ROWS),
        )
        more = [await self._rows(prune) for prune in small]
        more.append(await self._runs(now))
        more.append(await self._builds(now))  # of runs that went, too
        return any(more)

    async def _rows(self, prune: Callable[[Session], int]) -> bool:
        """Repeat `prune`, each time in a transaction of its own; True when more is left."""
        gone = 0
        while count := await self._tools.store.write(prune):
            gone += count
            if gone >= ROUND:
                return True
        return False

    async def _runs(self, now: float) -> bool:
        left = ROUND
        for name in await self._tools.store.read(lambda s: list(history.jobs(s))):
            left -= await self._job(name, now, left)
            if left <= 0:
                return True
        return False

    async def _builds(self, now: float) -> bool:
        """Forget builds as old as the oldest log; True when more is left."""
        tools, gone = self._tools, 0
        images = tuple(tools.book.catalog.images)
        forget = partial(history.forget_builds, before=now - tools.config.logs.keep, images=images)
        while logs := await self._tools.store.write(forget):
            for key in logs:
                await tools.logs.remove(key)
            gone += len(logs)
            if gone >= ROUND:
                break
        if gone:
            log.info("builds.pruned", builds=gone)
        return gone >= ROUND

    async def remove(self, numbers: Collection[int]) -> int:
        """Forget those of these runs that are finished; gives how many logs went."""
        logs = await self._tools.store.write(lambda s: history.forget(s, numbers))
        for key in logs:
            await self._tools.logs.remove(key)
        return len(logs)

    async def purge(self, name: str) -> None:
        """Forget a job that is no more: its schedule and a round of its runs; later ones take the rest."""
        await self._rows(lambda s: history.forget_schedule(s, name))
        await self._job(name, self._tools.clock(), ROUND)

    async def _job(self, name: str, now: float, limit: int) -> int:
        book, gone = self._tools.book, 0
        entry = book.entry(name)
        removed = book.was_removed(name)
        unlisted = SINGLE if name == EXEC else Job.model_fields["keep"].default
        keep = entry.job.keep if entry else unlisted
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
