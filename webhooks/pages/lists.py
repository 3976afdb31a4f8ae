"""The API to read, and the events that tell when lists are to be looked at again."""

from starlette.requests import Request
from starlette.responses import Response

from webhooks.access import Visitor
from webhooks.api.operations import document
from webhooks.headers import SECURITY
from webhooks.pages import following
from webhooks.pages.parts import Pages, missing
from webhooks.streams import Stream, Write

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class ListPages:
    """Whoever gets here may see what they show."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

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
