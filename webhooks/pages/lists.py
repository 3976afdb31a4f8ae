"""What was given up, the API to read, and the events that tell when to look again."""

from starlette.requests import Request
from starlette.responses import Response

from bot.access import scopes
from bot.store import deliveries
from webhooks.access import Visitor
from webhooks.api.operations import document
from webhooks.headers import SECURITY
from webhooks.pages import following
from webhooks.pages.parts import Pages, message, missing, number_of
from webhooks.streams import Stream, Write

RECENT = 30
"""Deliveries on each page."""

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class ListPages:
    """Pages that list something; whoever gets here may see what they show."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def deliveries(self, request: Request, visitor: Visitor) -> Response:
        """What came in and was given up, for admins, with the command that tries it again."""
        if visitor.how == "link" or not scopes.may_change(visitor.scopes):
            return message(self._pages, 403, "Not with this token", "This page needs `admin`.", visitor)
        before = number_of(request.query_params.get("before", ""))
        rows = await self._pages.store.read(lambda s: deliveries.given_up(s, limit=RECENT + 1, before=before))
        more = rows[RECENT - 1].number if len(rows) > RECENT else None
        return self._pages.renderer.page(
            "deliveries.html", deliveries=rows[:RECENT], before=before, more=more, visitor=visitor
        )

    async def changes(self, request: Request, visitor: Visitor) -> Response:
        """An event whenever a page that lists runs is to be read again."""
        if visitor.how == "link":
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})

        async def may_see() -> bool:
            return await self._pages.access.visitor(request) is not None

        async def body(write: Write) -> None:
            await following.follow(self._pages.changes, may_see, write)

        return Stream(self._pages.streams, visitor.key, body, _EVENTS)

    async def api(self, request: Request, visitor: Visitor) -> Response:
        """What the API takes and answers, to read."""
        return self._pages.renderer.page("api.html", document=document(), visitor=visitor)
