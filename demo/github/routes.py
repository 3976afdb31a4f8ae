"""All endpoints together, with what GitHub does around every one."""

import hashlib
import re
from collections.abc import Callable
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.github.access import DOCS, Access, ApiError, not_found
from demo.github.actions import Actions
from demo.github.authorizing import Authorizing
from demo.github.deployments import Deployments
from demo.github.discussion import Discussion
from demo.github.endpoints import Endpoint
from demo.github.graphql import GraphQL
from demo.github.history import History
from demo.github.identity import Identity
from demo.github.organizations import Organizations
from demo.github.published import Misfit, misfit
from demo.github.recorded import RecordedDeliveries
from demo.github.registering import Registering
from demo.github.repositories import Repositories
from demo.github.results import Results
from demo.github.reviews import Reviews
from demo.github.shapes import Shapes
from demo.github.state import State
from demo.github.trees import Trees
from demo.watched import SLASH

_NUMBERED = re.compile(r"/repositories/([0-9]{1,18})(/.*)?", re.DOTALL)
RATE_LIMIT = 5000  # requests of one token in an hour


class Routes:
    """The API. What an endpoint took and `check` refuses (GitHub's description) is put into `misfits`."""

    def __init__(
        self, state: State, access: Access, shapes: Shapes, clock: Callable[[], float], actions: Actions
    ) -> None:
        self.check: Misfit | None = None
        self.misfits: list[str] = []
        self._state = state
        self._access = access
        self._shapes = shapes
        self._clock = clock
        # Check runs of a commit come before commits, whose names may contain slashes.
        kinds = (
            GraphQL,
            Identity,
            Authorizing,
            Organizations,
            Registering,
            RecordedDeliveries,
            Discussion,
            Reviews,
            Results,
            Deployments,
            History,
            Trees,
            Repositories,
        )
        self._table = [row for kind in kinds for row in kind(state, access, shapes, clock).table()]
        self._table += actions.table()
        browsed = (Registering, Authorizing)
        self._pages = [page for kind in browsed for page in kind(state, access, shapes, clock).pages()]

    def app(self) -> ASGIApp:
        """The application. What is below `/repositories/NUMBER` is what is below the name of today."""
        routes = [Route(path, self._guarded(handler), methods=[verb]) for verb, path, handler in self._table]
        named = Starlette(routes=[*routes, *self._pages], exception_handlers={404: _unknown, 405: _unknown})

        async def numbered(scope: Scope, receive: Receive, send: Send) -> None:
            scope = {**scope, "path": self._inside(scope["path"])}
            found = _NUMBERED.fullmatch(scope["path"])
            known = self._state.numbered(int(found[1])) if found else None
            if found and known is not None:
                scope = {**scope, "path": f"/repos/{known.name}{found[2] or ''}"}
            await named(scope, receive, send)

        return numbered

    def _inside(self, path: str) -> str:
        """The path as on github.com; Enterprise Server has all below `/api/v3`, GraphQL at `/api/graphql`.

        Where people log in is below neither.
        """
        prefix = self._shapes.prefix
        if not prefix or path.startswith(("/_services/", "/login/")):
            return path
        if path == "/api/graphql":
            return "/graphql"
        return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else "/nothing"

    def _moved(self, request: Request) -> Response | None:
        """Where a repository that was called so is now: 301, and 307 for what is not a GET.

        https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
        """
        owner, name = request.path_params.get("owner"), request.path_params.get("repo")
        known = self._state.moved(f"{owner}/{name}") if owner and name else None
        if known is None or not self._access.sees(request, known):
            return None
        rest = request.url.path.removeprefix(f"/repos/{owner}/{name}").replace(SLASH, "%2F")
        rest = rest.replace(quote(SLASH), "%2F")
        url = f"{self._shapes.api}/repositories/{known.id}{rest}"
        query = f"?{request.url.query}" if request.url.query else ""
        status, message = (
            (301, "Moved Permanently") if request.method == "GET" else (307, "Temporary Redirect")
        )
        body = {"message": message, "url": url, "documentation_url": DOCS}
        return JSONResponse(body, status, {"location": url + query})

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with what GitHub does around every one: user agent, rate limit, errors as JSON."""

        async def guarded(request: Request) -> Response:
            counted = self._counted(request)
            used = self._state.used.get(counted, 0) + 1
            try:
                if not request.headers.get("user-agent"):
                    raise ApiError(403, "Request forbidden by administrative rules.")
                if used > RATE_LIMIT:
                    raise ApiError(403, "API rate limit exceeded.")
                response = self._moved(request) or await self._checked(request, endpoint)
            except ApiError as error:
                response = JSONResponse(error.body, error.status, error.headers)
            response = _unchanged(request, response)
            self._state.used[counted] = used - (response.status_code == 304)
            response.headers.update(self._limits(counted))
            return response

        return guarded

    async def _checked(self, request: Request, endpoint: Endpoint) -> Response:
        """The endpoint's answer, but a refusal of what it took and GitHub would not.

        Endpoints refuse most of that themselves and in GitHub's words.
        """
        found = await misfit(request, self.check)
        response = await endpoint(request)
        if found is not None and response.status_code < 400:
            self.misfits.append(found)
            raise ApiError(422, f"Not as GitHub describes it: {found}")
        return response

    def _counted(self, request: Request) -> tuple[str, str, int]:
        resource = "graphql" if request.scope["path"] == "/graphql" else "core"
        return request.headers.get("authorization", ""), resource, int(self._clock() // 3600)

    def _limits(self, counted: tuple[str, str, int]) -> dict[str, str]:
        _, resource, hour = counted
        used = self._state.used[counted]
        return {
            "x-ratelimit-limit": str(RATE_LIMIT),
            "x-ratelimit-remaining": str(max(RATE_LIMIT - used, 0)),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str((hour + 1) * 3600),
            "x-ratelimit-resource": resource,
        }


def _unchanged(request: Request, response: Response) -> Response:
    """304 where who asks has the answer already.

    https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
    """
    if request.method != "GET" or response.status_code != 200:
        return response
    etag = f'W/"{hashlib.sha256(response.body).hexdigest()}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag})
    response.headers["etag"] = etag
    return response


async def _unknown(request: Request, error: Exception) -> Response:
    return JSONResponse(not_found().body, 404)
