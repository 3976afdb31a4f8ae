"""How a deploy hook is made and ended over HTTP, by the API and by pages alike."""

import secrets
from collections.abc import Callable

import structlog

from bot.registry import Registry
from bot.states import EntryKind
from bot.store import Session, Store, hooks, journal
from bot.store.journal_entries import of_admin
from bot.tables import Hook
from webhooks.access import token_hash
from webhooks.api.grant_responses import NewHook
from webhooks.api.hooks import PREFIX

log = structlog.get_logger()


class HookChanges:
    """Whoever gets here is an admin. `by` is what the journal calls them."""

    def __init__(self, registry: Registry, store: Store, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock

    async def create(self, job: str, name: str, *, by: str) -> NewHook:
        """A new hook with its token, which is kept nowhere.

        `LookupError` where there is no such job, `ValueError` where it has a hook of that name, or too many.
        """
        if job not in self._registry.catalog.jobs:
            raise LookupError(job)
        text = PREFIX + secrets.token_urlsafe(32)
        row = Hook(job=job, name=name, hash=token_hash(text), created_at=self._clock(), created_by=by)

        def add(session: Session) -> NewHook:
            made = NewHook.of(hooks.add(session, row.model_copy()), token=text)
            entry = of_admin(EntryKind.HOOK_CREATED, by, f"hook:{job}/{name}", row.created_at, job=job)
            journal.record(session, [entry])
            return made

        made = await self._store.write(add)
        log.info("hook.created", job=job, hook=name, by=by)
        return made

    async def delete(self, job: str, name: str, *, by: str) -> bool:
        """End a hook at once; False where there is none."""
        if "\0" in job or "\0" in name:  # which PostgreSQL refuses to look for
            return False

        def remove(session: Session) -> bool:
            gone = hooks.remove(session, job=job, name=name)
            if gone:
                entry = of_admin(EntryKind.HOOK_DELETED, by, f"hook:{job}/{name}", self._clock(), job=job)
                journal.record(session, [entry])
            return gone

        if not await self._store.write(remove):
            return False
        log.info("hook.deleted", job=job, hook=name, by=by)
        return True
