"""Who may use the API: asked before anything else, and answered with a problem document."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import RetryLater
from webhooks.access import Access, Visitor
from webhooks.problems import Problem, forbidden, unauthorized, unavailable

Handler = Callable[[Request, Visitor], Awaitable[Response]]


def guarded(access: Access, path: str, handler: Handler, *, method: str = "GET") -> Route:
    """The route at `path` for who may see everything; whatever changes something wants an admin token.

    A signed link opens pages, not the API. A login in a browser changes nothing: others' pages could use it.
    """

    async def answer(request: Request) -> Response:
        try:
            visitor = await access.visitor(request)
            if visitor is None or not visitor.sees_all:
                raise unauthorized()
            if method != "GET" and not (visitor.admin and visitor.how == "token"):
                raise forbidden()
            return await handler(request, visitor)
        except Problem as error:
            return error.response()
        except RetryLater:
            return unavailable().response()

    return Route(path, answer, methods=[method])
