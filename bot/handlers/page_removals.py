"""Removing a run on a page, for admins: what the API does for a token with `admin`."""

from collections.abc import Awaitable, Callable

from bot.access import scopes
from bot.errors import Missing, NotAllowed, ProblemType
from bot.handlers.authorization import RequestContext
from bot.handlers.page_rights import PageRights
from bot.store import Store, runs
from bot.tables import Run

Removal = Callable[[Run, str], Awaitable[None]]
"""Takes a finished run away, for whom it names; `AskerError` for one that has not finished."""


class PageRemovals:
    """Asks anew each time whether somebody is an admin."""

    def __init__(self, rights: PageRights, store: Store, removal: Removal) -> None:
        self._rights = rights
        self._store = store
        self._removal = removal

    async def remove(self, context: RequestContext, number: int) -> str:
        """Remove a run with its logs; gives its job. Raises `AskerError`."""
        if not await self._is_admin(context):
            raise NotAllowed("Only admins remove runs.", "pages.admins")
        run = await self._store.read(lambda session: runs.get(session, number))
        if run is None:
            raise Missing(f"There is no run #{number}.", ProblemType.NO_SUCH_RUN)
        await self._removal(run, context.actor)
        return run.job

    async def _is_admin(self, context: RequestContext) -> bool:
        if context.caller is not None:
            return scopes.may_change(context.caller.scopes)
        return context.login is not None and await self._rights.is_admin(context.login)
