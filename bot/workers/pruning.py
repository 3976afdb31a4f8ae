"""Forgets what is old, some at a time, with what belongs to it.

Runs that `keep` and `expire` of their job no longer hold, builds that nothing needs, deliveries and ticks.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from bot.access.scopes import EXEC, admin_rule
from bot.catalog.catalog import Job
from bot.errors import NotFinished
from bot.registry import Registry
from bot.states import State
from bot.store import (
    Session,
    Store,
    deliveries,
    digests,
    history,
    idempotency,
    journal,
    occurrences,
    push_verdicts,
    pushes,
    ticks,
)
from bot.store.journal_entries import run_removed
from bot.tables import Run
from executor.logs.store import LogStore

log = structlog.get_logger()

ROUND = 5_000
"""Runs forgotten in one round, and deliveries, and ticks, and builds."""

KEEP_PUSHES = 365 * 86400.0
"""Seconds that a push is known which a newer one followed or which deleted its branch; so is all else."""

KEEP_TICKS = 30 * 86400.0
"""Seconds that it is kept what became of a due moment, and of a message that tells of several things."""


SINGLE = 100
"""Single commands that are kept, and as many that failed: they are a record of who did what."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How many finished runs a job keeps, and none older than `expire` seconds; `removed`: none at all."""

    keep: int
    expire: float | None = None
    removed: bool = False


class Pruning:
    """Takes runs away together with what belongs to them."""

    def __init__(self, registry: Registry, store: Store, logs: LogStore, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._store = store
        self._logs = logs
        self._clock = clock

    async def deliveries(self, now: float) -> bool:
        """Forget deliveries that are too old; True when more are left for another round."""
        kept = self._registry.config.deliveries
        return await self._small(
            partial(deliveries.prune, before=now - kept.keep, limit=history.ROWS),
            partial(deliveries.prune, before=now - kept.keep_ignored, limit=history.ROWS, ignored=True),
        )

    async def rows(self, now: float) -> bool:
        """Forget what else is too old, and builds that nothing needs; True when more is left."""
        decided = now - self._registry.config.deliveries.keep
        more = await self._small(
            partial(push_verdicts.prune, before=decided, limit=history.ROWS),
            partial(ticks.prune, before=now - KEEP_TICKS, limit=history.ROWS),
            partial(digests.prune, before=now - KEEP_TICKS, limit=history.ROWS),
            partial(pushes.prune, before=now - KEEP_PUSHES, limit=history.ROWS),
            partial(occurrences.strip, before=decided, limit=history.ROWS),
            partial(occurrences.prune, before=now - KEEP_PUSHES, limit=history.ROWS),
            partial(journal.prune, before=now - self._registry.config.audit.keep, limit=history.ROWS),
            partial(idempotency.prune, before=now - idempotency.KEEP_KEYS, limit=history.ROWS),
        )
        return await self._builds(now) or more

    async def _small(self, *prunings: Callable[[Session], int]) -> bool:
        return any([await self._rows(prune) for prune in prunings])

    async def _rows(self, prune: Callable[[Session], int]) -> bool:
        """Repeat `prune`, each time in a transaction of its own; True when more is left."""
        gone = 0
        while count := await self._store.write(prune):
            gone += count
            if gone >= ROUND:
                return True
        return False

    async def _builds(self, now: float) -> bool:
        """Forget builds as old as the oldest log; True when more is left."""
        registry, gone = self._registry, 0
        images = tuple(registry.catalog.images)
        forget = partial(history.forget_builds, before=now - registry.config.logs.keep, images=images)
        while logs := await self._store.write(forget):
            for key in logs:
                await self._logs.remove(key)
            gone += len(logs)
            if gone >= ROUND:
                break
        if gone:
            log.info("builds.pruned", builds=gone)
        return gone >= ROUND

    async def remove(self, numbers: Collection[int]) -> int:
        """Forget those of these runs that are finished; gives how many logs went."""
        return await self._forget(lambda s: history.forget(s, numbers))

    async def _forget(self, work: Callable[[Session], Sequence[str]]) -> int:
        logs = await self._store.write(work)
        for key in logs:
            await self._logs.remove(key)
        return len(logs)

    async def remove_run(self, run: Run, by: str) -> None:
        """Remove a finished run with its logs, as somebody asks; raises `NotFinished`."""
        if run.state != State.FINISHED:
            raise NotFinished(f"Run #{run.number} goes on or waits; cancel it first.")
        now = self._clock()

        def remove(session: Session) -> Sequence[str]:
            gone = history.forget(session, [run.identity])
            if gone:
                journal.record(session, [run_removed(run, by, admin_rule(by), now)])
            return gone

        await self._forget(remove)
        log.info("run.removed", run=run.number, job=run.job, by=by)

    async def purge(self, name: str) -> None:
        """Forget a job that is no more: its schedule and a round of its runs; later ones take the rest."""
        await self._rows(lambda s: history.forget_schedule(s, name))
        await self.job(name, self._clock(), ROUND)

    def policy(self, name: str) -> Policy:
        """What is kept of a job today, also of one that is no more."""
        registry = self._registry
        entry = registry.entry(name)
        if entry is not None:
            return Policy(entry.job.keep, entry.job.expire)
        unlisted = SINGLE if name == EXEC else Job.model_fields["keep"].default
        return Policy(unlisted, removed=registry.was_removed(name))

    async def job(self, name: str, now: float, limit: int) -> int:
        """Forget up to about `limit` runs of a job that it does not keep; gives how many."""
        policy, gone = self.policy(name), 0
        choose = partial(_to_forget, name=name, policy=policy, now=now)
        while gone < limit and (numbers := await self._store.read(choose)):
            await self.remove(numbers)
            gone += len(numbers)
        if gone:
            log.info("runs.pruned", job=name, runs=gone)
        return gone

    async def next_end(self, name: str, now: float) -> float | None:
        """When the next run of a job has to go, as far as that is known today.

        That is now where one has to whose end is still to be told.
        """
        policy = self.policy(name)
        expire = policy.expire
        if await self._store.read(partial(_to_forget, name=name, policy=policy, now=now, untold=True)):
            return now
        if expire is None:
            return None
        return await self._store.read(lambda s: history.next_expiry(s, name, expire))


def _to_forget(session: Session, *, name: str, policy: Policy, now: float, untold: bool = False) -> list[int]:
    if policy.removed:
        return [] if untold else history.all_finished(session, name)
    before = None if policy.expire is None else now - policy.expire
    return history.superfluous(session, name, keep=policy.keep, before=before, untold=untold)
