"""What waits for somebody's yes: of the runs that are held, those to which they may give one."""

from bot.catalog.approval import door_of
from bot.errors import AskerError, RetryLater
from bot.handlers.approvals import Approvers
from bot.handlers.authorization import RequestContext
from bot.states import Hold
from bot.store import Store, approvals, holds
from bot.tables import Run

LOOKED_AT = 20
"""Held runs that are looked at, those first that were asked for first; each may be a question to GitHub."""


class ApprovalInbox:
    """Asks for each whether they may; what is not known now is left out."""

    def __init__(self, approvers: Approvers, store: Store) -> None:
        self._approvers = approvers
        self._store = store

    async def of(self, context: RequestContext, limit: int) -> list[Run]:
        """Up to `limit` runs to which they can say yes where they ask."""
        rows = await self._store.read(lambda s: list(holds.of_kind(s, Hold.APPROVAL, limit=LOOKED_AT)))
        found: list[Run] = []
        for run in rows:
            if len(found) < limit and await self._is_theirs(context, run):
                found.append(run)
        return found

    async def _is_theirs(self, context: RequestContext, run: Run) -> bool:
        door = door_of(context.cause)
        if run.approval is None or door is None or door not in run.approval["on"]:
            return False
        if await self._store.read(lambda s: approvals.has_said(s, run.identity, context.actor)):
            return False
        try:
            return await self._approvers.might(context, run)
        except (AskerError, RetryLater):
            return False
