"""The web application: all doors and pages put together."""

from collections.abc import Callable, Sequence, Set
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.errors import RetryLater
from bot.store import Store, stats
from webhooks import health, metrics
from webhooks.api.problems import Problem
from webhooks.deliveries import github, slack
from webhooks.deliveries.slack_requests import Instant
from webhooks.server.unverified import Unverified


@dataclass(frozen=True, slots=True)
class Doors:
    """What the doors need: the secrets, of which none keeps a door closed, and the largest body in bytes.

    `instant` is what Slack is answered at once.
    """

    github_secrets: Sequence[str]
    slack_signing_secrets: Sequence[str]
    body_limit: int
    clock: Callable[[], float]
    instant: Instant = lambda fields: None

    def __repr__(self) -> str:
        return f"Doors(body_limit={self.body_limit})"


def create_app(
    store: Store,
    doors: Doors,
    *,
    dead: Callable[[], Sequence[str]],
    extra: Sequence[BaseRoute] = (),
    missing: Callable[[], Response] | None = None,
    remarks: Callable[[], Sequence[str]] = tuple,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
) -> Starlette:
    """The application, to be called while the event loop runs.

    `dead` names background loops that have ended (for /readyz), `extra` are the routes of pages and API.
    `missing` is the page that tells a browser that there is none, `remarks` are lines that /readyz has too.
    """
    add, limit, clock = store.add_delivery, doors.body_limit, doors.clock
    memory = Unverified()
    routes: list[BaseRoute] = [
        *github.routes(doors.github_secrets, add_delivery=add, limit=limit, clock=clock, unverified=memory),
        *slack.routes(
            doors.slack_signing_secrets,
            add_delivery=add,
            limit=limit,
            clock=clock,
            unverified=memory,
            instant=doors.instant,
        ),
        *health.routes(ping=store.ping, dead=dead, remarks=remarks),
        *metrics.routes(lambda: store.read(stats.depths)),
        *extra,
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={RetryLater: _unavailable, HTTPException: _refused},
    )
    app.state.missing = missing
    app.router.redirect_slashes = False  # to an address that is made of whatever `Host` said
    return app


async def _refused(request: Request, error: Exception) -> Response:
    """No such path, or not with this method; the API says so in its own form."""
    if not isinstance(error, HTTPException):
        raise error
    headers = error.headers
    if error.status_code == 405:
        headers = {"Allow": ", ".join(sorted(_methods(request)))}
    if request.url.path.startswith(("/api/", "/hooks/")):
        return Problem(error.status_code, error.detail, headers or {}).response()
    missing = request.app.state.missing
    if missing is not None and error.status_code == 404 and "text/html" in request.headers.get("accept", ""):
        return cast(Response, missing())
    return PlainTextResponse(f"{error.detail}\n", error.status_code, headers)


def _methods(request: Request) -> Set[str]:
    """What may be done at this path: each method has a route of its own, which knows of no other."""
    routes = [each for each in request.app.routes if isinstance(each, Route)]
    here = [each for each in routes if each.path_regex.match(request.url.path)]
    return {method for each in here for method in each.methods or ()}


async def _unavailable(_request: Request, _error: Exception) -> Response:
    """What any page says while the database is away."""
    return PlainTextResponse("The database does not answer.\n", 503, {"retry-after": "5"})
