"""Repositories by their numbers: admins list the pinned names, and let the next one of a name in."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import ProblemType
from bot.repositories import Repositories
from bot.tables import RepositoryPin
from webhooks.access import Access, Visitor
from webhooks.api import responses
from webhooks.api.answers import json_answer
from webhooks.api.guard import guarded
from webhooks.api.problems import Problem
from webhooks.view import rfc3339


def routes(repositories: Repositories, access: Access) -> list[Route]:
    """What to mount; a name has a slash, but for that of an owner."""
    rooms = _RepositoryHandlers(repositories)
    return [
        guarded(access, "/api/repositories", rooms.listing),
        guarded(access, "/api/repositories/{name:path}", rooms.forget, method="DELETE"),
    ]


class _RepositoryHandlers:
    """The handlers; whoever gets here is an admin."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def listing(self, request: Request, visitor: Visitor) -> Response:
        """All pinned names."""
        rows = await self._repositories.listing()
        return json_answer({"repositories": [_shape(row) for row in rows]})

    async def forget(self, request: Request, visitor: Visitor) -> Response:
        """Let the next number that comes under the name have it."""
        name = request.path_params["name"]
        if "\0" in name or not await self._repositories.forget(name, by=visitor.caller.name):
            raise Problem(404, "No number is pinned to this name.", kind=ProblemType.NO_SUCH_PIN)
        return Response(status_code=204)


def _shape(row: RepositoryPin) -> responses.Repository:
    return {
        "name": row.name,
        "number": row.number,
        "current_name": row.current or None,
        "pinned_at": rfc3339(row.pinned_at),
        "rival": row.rival,
    }
