"""Takes over what other bots, or the API here, changed of jobs, soon after."""

from bot.registry import Registry
from bot.store import Store
from bot.workers import timing
from bot.workers.patience import awaken, patiently


class RegistryRefresh:
    """The duty of the registry."""

    def __init__(self, registry: Registry, store: Store) -> None:
        self._registry = registry
        self._store = store

    async def run(self) -> None:
        """Look whenever a job was changed, and now and then, until cancelled."""
        wakeup = self._store.wakeup("jobs")
        while True:
            wakeup.clear()
            await patiently("registry", self._registry.refresh)
            await awaken(wakeup, timing.SWEEP)
