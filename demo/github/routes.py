"""All endpoints together, with what GitHub does around every one."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.github.access import Access, ApiError, not_found
from demo.github.actions import Actions
from demo.github.discussion import Discussion
from demo.github.endpoints import Endpoint
from demo.github.history import History
from demo.github.identity import Identity
from demo.github.repositories import Repositories
from demo.github.results import Results
from demo.github.shapes import Shapes
from demo.github.state import State

RATE_LIMIT = 5000  # requests of one token in an hour


class Routes:
    """The API."""

    def __init__(
        self, state: State, access: Access, shapes: Shapes, clock: Callable[[], float], actions: Actions
    ) -> None:
        self._state = state
        self._clock = clock
        # Check runs of a commit come before commits, whose names may contain slashes.
        kinds = (Identity, Discussion, Results, History, Repositories)
        self._table = [row for kind in kinds for row in kind(state, access, shapes, clock).table()]
        self._table += actions.table()

    def app(self) -> Starlette:
        """The application."""
        routes = [Route(path, self._guarded(handler), methods=[verb]) for verb, path, handler in self._table]
        return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with what GitHub does around every one: user agent, rate limit, errors as JSON."""

        async def guarded(request: Request) -> Response:
            headers = self._limits(request)
            try:
                if not request.headers.get("user-agent"):
                    raise ApiError(403, "Request forbidden by administrative rules.")
                if int(headers["x-ratelimit-used"]) > RATE_LIMIT:
                    raise ApiError(403, "API rate limit exceeded.")
                response = await endpoint(request)
            except ApiError as error:
                response = JSONResponse(error.body, error.status, error.headers)
            response.headers.update(headers)
            return response

        return guarded

    def _limits(self, request: Request) -> dict[str, str]:
        hour = int(self._clock() // 3600)
        counted = (request.headers.get("authorization", ""), hour)
        used = self._state.used.get(counted, 0) + 1
        self._state.used[counted] = used
        return {
            "x-ratelimit-limit": str(RATE_LIMIT),
            "x-ratelimit-remaining": str(max(RATE_LIMIT - used, 0)),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str((hour + 1) * 3600),
            "x-ratelimit-resource": "core",
        }


async def _unknown(request: Request, error: Exception) -> Response:
    return JSONResponse(not_found().body, 404)
