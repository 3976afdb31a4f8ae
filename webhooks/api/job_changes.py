"""How a job is created, changed and removed over HTTP, by the API and by pages alike."""

import structlog

from bot import config
from bot.registry import Conflict, Entry, Expected, Registry
from bot.workers.pruning import Pruning

log = structlog.get_logger()


class JobChanges:
    """Whoever gets here may change jobs. `actor` is what history calls them."""

    def __init__(self, registry: Registry, pruning: Pruning) -> None:
        self._registry = registry
        self._pruning = pruning

    def require_changeable(self, name: str) -> None:
        """Raise `Conflict` where a file defines the job."""
        entry = self._registry.entry(name)
        if entry is not None and entry.is_fixed:
            raise Conflict(f"{name} is defined in {entry.place}; change it there.")

    async def put(
        self, name: str, definition: bytes, *, actor: str, expected: Expected
    ) -> tuple[Entry, bool]:
        """The job as `definition` (JSON) has it, and whether it was created; `config.Wrong`, `AskerError`."""
        self.require_changeable(name)
        before = self._registry.entry(name)
        job = config.job_of(definition, name, self._registry.config, self._registry.catalog.jobs)
        row, new = await self._registry.put(job, actor=actor, expected=expected)
        return Entry(job, row), new and before is None

    async def remove(self, name: str, *, actor: str, expected: Expected) -> bool:
        """Remove the job with its history; False if there is none. `AskerError` where that cannot be."""
        if "\0" in name or not await self._registry.remove(name, actor=actor, expected=expected):
            return False
        log.info("job.removed", job=name, by=actor)
        await self._pruning.purge(name)
        return True
