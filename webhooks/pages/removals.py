"""The page that asks once more before a run is removed, and what its button does."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from bot.access.scopes import EXEC
from bot.handlers.authorization import RequestContext
from webhooks.access import Visitor
from webhooks.pages.actions import Fields, number_in
from webhooks.pages.lookup import SubjectLookup
from webhooks.pages.parts import Pages, missing


class RemovalPages:
    """For admins; whoever else comes here is shown that there is nothing."""

    def __init__(self, pages: Pages, lookup: SubjectLookup) -> None:
        self._pages = pages
        self._lookup = lookup

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """What would be lost."""
        subject = await self._lookup.find(request, visitor) if visitor.may_remove else None
        if subject is None:
            return missing(self._pages, visitor)
        return self._pages.renderer.page("run_removal.html", summary=subject.summary, visitor=visitor)

    async def remove(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Removes the run and its logs; the page of its job shows what is left."""
        job = await self._pages.removals.remove(context, number_in(request))
        return "/" if job == EXEC else f"/jobs/{quote(job, safe='')}"
