"""Who is logged in: everybody for admins, and their own logins for everybody else; each can be ended."""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bot.access import scopes
from bot.handlers.authorization import RequestContext
from bot.store import sessions
from webhooks.access import Visitor
from webhooks.pages.actions import Fields, number_in
from webhooks.pages.parts import Pages, missing

log = structlog.get_logger()


class SessionPages:
    """The list, and what its buttons do."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """Logins of people that go on, newest first."""
        if not _may_see(visitor):
            return missing(self._pages, visitor)
        now, login = self._pages.clock(), _whose(visitor)
        rows = await self._pages.store.read(
            lambda s: sessions.of_people(s, now=now, limit=sessions.LISTED, login=login)
        )
        own = self._pages.access.session_hash(request)
        return self._pages.renderer.page(
            "sessions.html",
            sessions=[(row, row.hash == own) for row in rows],
            all=login is None,
            visitor=visitor,
        )

    async def end(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Ends one; of others' logins only admins hear that there are any."""
        visitor: Visitor = request.state.visitor
        number, now = number_in(request), self._pages.clock()
        if not _may_see(visitor):
            raise LookupError("none of theirs")
        login = await self._pages.store.write(
            lambda s: sessions.end_numbered(s, number, by=context.actor, now=now, login=_whose(visitor))
        )
        if login is None:
            raise LookupError("no such session")
        log.info("session.ended", number=number, login=login, by=context.actor)
        return "/sessions"


def _may_see(visitor: Visitor) -> bool:
    return visitor.how != "link" and (visitor.login is not None or scopes.may_change(visitor.scopes))


def _whose(visitor: Visitor) -> str | None:
    """Whose logins this visitor may end; None: everybody's."""
    return None if scopes.may_change(visitor.scopes) else visitor.login
