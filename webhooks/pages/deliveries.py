"""What came in and was given up, for admins, and the button that has one decided anew."""

from starlette.requests import Request
from starlette.responses import Response

from bot.access import scopes
from bot.handlers.authorization import RequestContext
from bot.store import deliveries
from webhooks.access import Visitor
from webhooks.api.deliveries import retry
from webhooks.pages.actions import Fields, number_in
from webhooks.pages.admins import require_admin
from webhooks.pages.parts import Pages, message, number_of

RECENT = 30
"""Deliveries on each page."""


class DeliveryPages:
    """The list, and what its buttons do."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """Those that were given up, newest first."""
        if visitor.how == "link" or not scopes.may_change(visitor.scopes):
            return message(self._pages, 403, "Not with this token", "This page needs `admin`.", visitor)
        before = number_of(request.query_params.get("before", ""))
        rows = await self._pages.store.read(lambda s: deliveries.given_up(s, limit=RECENT + 1, before=before))
        more = rows[RECENT - 1].number if len(rows) > RECENT else None
        return self._pages.renderer.page(
            "deliveries.html", deliveries=rows[:RECENT], before=before, more=more, visitor=visitor
        )

    async def retry(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Has one decided anew; one that is under way already is."""
        await require_admin(self._pages, request.state.visitor)
        now = self._pages.clock()
        await retry(self._pages.store, number_in(request), by=context.actor, now=now)
        return "/deliveries"
