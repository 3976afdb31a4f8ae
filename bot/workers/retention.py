"""Takes what is kept no longer as soon as that is so: when a newer run has ended, or an age is reached.

Who stores a run wakes it, and of everything that has an age the oldest is known; so nothing is looked at that
has not changed. Once in `SWEEP` all is looked at, for what nobody told of. Several bots may do so at once:
each forgets what no other one is just forgetting.
"""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from bot.registry import Registry
from bot.store import Store, deliveries, history
from bot.workers.engine_access import EngineAccess
from bot.workers.patience import awaken, patiently
from bot.workers.pruning import ROUND, Policy, Pruning

GATHER = 15.0
"""Seconds in which ends of runs are gathered, so that a busy job is looked at once for many of them."""

REST = 10.0
"""Seconds until there is another look where much was left, or where the database did not answer."""

AGAIN = 30.0
"""Seconds until a job is looked at again of which something may not go yet: its end is still to be told."""

TROUBLE = 300.0
"""Seconds until logs or the engine are asked again that could not be had."""

SWEEP = 3600.0
"""Seconds between two looks at everything. No log may be kept for less: see `executor.logs.ages`."""

KEEP_LEFT = 86400.0
"""Seconds that the engine keeps what a killed bot could not remove after a run had ended."""


class Retention:
    """The clock of all that is kept for a time; `run` until it is cancelled."""

    def __init__(
        self,
        pruning: Pruning,
        registry: Registry,
        store: Store,
        access: EngineAccess,
        clock: Callable[[], float],
    ) -> None:
        self._pruning = pruning
        self._registry = registry
        self._store = store
        self._access = access
        self._clock = clock
        self._wakeup = registry.watch()
        self._backlog = store.changes.backlog(self._wakeup)
        self._policies: dict[str, Policy] = {}
        self._jobs: dict[str, float] = {}
        """When each job is to be looked at, for those of which that is known."""
        self._due = dict.fromkeys(("sweep", "deliveries", "logs", "engine", "ended"), 0.0)

    async def run(self) -> None:
        """Look whenever something is due."""
        while True:
            now = self._clock()
            await self.look(now)
            await awaken(self._wakeup, max(self.next_look - self._clock(), REST))
            if self._wakeup.is_set():
                await asyncio.sleep(GATHER)

    @property
    def next_look(self) -> float:
        """When the next thing is due, seconds since the epoch."""
        due = [at for name, at in self._due.items() if name != "ended" or self._access.leftovers]
        return min([*due, *self._jobs.values()])

    async def look(self, now: float) -> None:
        """Take what has to go by now. What fails is tried again later, and keeps nothing else back."""
        for name, due in self._due.items():
            if due <= now:
                self._due[name] = now + REST  # unless it goes well
                await patiently("prune", partial(getattr(self, f"_{name}"), now))
        await patiently("prune", partial(self._look_at_jobs, now))

    # Runs -----------------------------------------------------------------------------------------

    async def _look_at_jobs(self, now: float) -> None:
        for name in await self._changed():
            self._jobs[name] = now
        left = ROUND
        for name in [name for name, due in self._jobs.items() if due <= now]:
            self._jobs[name] = now + REST
            left -= await self._pruning.job(name, now, left)
            if left <= 0:
                return
            due = await self._pruning.next_end(name, now)
            if due is None:
                del self._jobs[name]
            else:
                self._jobs[name] = max(due, now + AGAIN)

    async def _changed(self) -> Iterable[str]:
        """The jobs of which a run has ended since, and those of which the definition keeps other ones."""
        numbers, read = self._backlog.take(), self._store.read
        try:
            if numbers is None:
                ended = set(await read(lambda s: list(history.jobs(s))))
            else:
                ended = await read(lambda s: history.jobs_of_runs(s, numbers)) if numbers else set()
        except BaseException:
            self._backlog.overflow()
            raise
        known, registry = self._policies, self._registry
        self._policies = {
            name: self._pruning.policy(name) for name in [*registry.catalog.jobs, *registry.removed]
        }
        names = known.keys() | self._policies.keys()
        return sorted(ended | {name for name in names if known.get(name) != self._pruning.policy(name)})

    # All else -------------------------------------------------------------------------------------

    async def _sweep(self, now: float) -> None:
        self._backlog.overflow()
        more = await self._pruning.rows(now)
        self._due["sweep"] = now + (REST if more else SWEEP)

    async def _deliveries(self, now: float) -> None:
        kept = self._registry.config.deliveries
        more = await self._pruning.deliveries(now)
        due = await self._store.read(
            lambda s: deliveries.next_end(s, keep=kept.keep, keep_ignored=kept.keep_ignored)
        )
        self._due["deliveries"] = now + REST if more else self._within(due, now)

    async def _logs(self, now: float) -> None:
        self._due["logs"] = now + TROUBLE
        keep = self._registry.config.logs.keep
        oldest = await self._access.logs.prune(before=now - keep)
        self._due["logs"] = self._within(None if oldest is None else oldest + keep, now)

    async def _engine(self, now: float) -> None:
        self._due["engine"] = now + TROUBLE
        await self._access.engine.prune(before=now - KEEP_LEFT)
        self._due["engine"] = now + SWEEP

    async def _ended(self, now: float) -> None:
        self._due["ended"] = now + AGAIN
        await self._access.leftovers.remove(self._access.engine)

    @staticmethod
    def _within(due: float | None, now: float) -> float:
        """A moment that is neither at once again nor later than the next look at everything."""
        return now + SWEEP if due is None else min(max(due, now + AGAIN), now + SWEEP)
