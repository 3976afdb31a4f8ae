"""Who may use the API: asked before anything else, by the table of routes, and answered with problems."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.access import scopes
from bot.errors import RetryLater
from webhooks.access import Access, Visitor
from webhooks.api import queries, workflows
from webhooks.api.answers import path_number
from webhooks.api.operation import Needs, Operation
from webhooks.api.operations import operation
from webhooks.api.problems import Problem, forbidden, missing, unauthorized, unavailable

AT_ONCE_S = 0.1
"""Seconds that a body may take to arrive before it is asked again who sends it."""

Handler = Callable[[Request, Visitor], Awaitable[Response]]


def guarded(access: Access, path: str, handler: Handler, *, method: str = "GET") -> Route:
    """The route at `path` for whom `surface` lets in; LookupError for one that is not in that table.

    A signed link opens pages, not the API. A login in a browser changes nothing: others' pages could use it.
    """
    row = operation(method, path.replace(":path}", "}"))

    async def answer(asked: Request) -> Response:
        request = _Asked(asked, access)
        try:
            visitor = await access.caller(request)
            if visitor is None or visitor.how == "link":
                raise unauthorized()
            if method != "GET" and visitor.how == "session":
                raise forbidden("a token; a login only reads")
            await (workflows.admit if visitor.how == "actions" else _admit)(access, row, request, visitor)
            queries.read(request, row.query)
            return await handler(request, visitor)
        except Problem as error:
            return error.response()
        except RetryLater:
            return unavailable().response()

    return Route(path, answer, methods=[method])


class _Asked(Request):
    """A request of somebody who may be nobody any more when its body has come.

    Whoever knows that a token will be ended could keep requests under way that want their last byte only, and
    with one of them make another token later.
    """

    def __init__(self, asked: Request, access: Access) -> None:
        super().__init__(asked.scope, asked.receive)
        self._access = access

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body; a `Problem` at its end where the token that came with it has ended meanwhile."""
        began = time.monotonic()
        async for chunk in super().stream():
            yield chunk
        if time.monotonic() - began > AT_ONCE_S and await self._access.caller(self) is None:
            raise unauthorized()


async def _admit(access: Access, row: Operation, request: Request, visitor: Visitor) -> None:
    """Raise a `Problem` unless the visitor may use this route with this path."""
    held = visitor.scopes
    match row.needs:
        case Needs.ANY:
            return
        case Needs.READ:
            allowed = scopes.may_see_all(held)
        case Needs.EXEC:
            allowed = scopes.may_execute(held)
        case Needs.ADMIN:
            allowed = scopes.may_change(held)
        case Needs.CONCERNED:
            allowed = _may_run_what(access, request, held)
        case Needs.SEE | Needs.RUN:
            allowed = await _concerns(access, row, request, visitor)
        case _:
            allowed = False
    if not allowed:
        raise forbidden(row.needs.value)


async def _concerns(access: Access, row: Operation, request: Request, visitor: Visitor) -> bool:
    """Whether the job that the path is about is one of the visitor's; what is not seen, is not there.

    A job is named by who asks, so refusing it tells nothing of whether there is one.
    """
    name, may_start = request.path_params.get("name"), row.needs is Needs.RUN
    if name is not None:
        return scopes.may_run(visitor.scopes, name) if may_start else _sees(visitor, [name])
    if "number" not in request.path_params:
        return not may_start  # a list, of which only what may be seen is shown
    if visitor.jobs is None and not may_start:
        return True
    kind, number = row.path.split("/")[2], path_number(request)
    jobs = await access.jobs_of(kind, number)
    if not jobs or not _sees(visitor, jobs):
        raise missing(kind, number)
    return not may_start or all(scopes.may_run(visitor.scopes, job) for job in jobs)


def _may_run_what(access: Access, request: Request, held: frozenset[str]) -> bool:
    """Whether one of the jobs that the path concerns may be run; the same no where there is none."""
    target, image = (request.path_params.get(name) for name in ("target", "image"))
    if target is not None:
        return scopes.may_run_any(held, access.jobs_of_target(target))
    if image is not None:
        return scopes.may_run_any(held, access.jobs_of_image(image))
    return scopes.may_run_some(held)  # the handler looks only at what the caller has started


def _sees(visitor: Visitor, jobs: Iterable[str]) -> bool:
    return visitor.jobs is None or not visitor.jobs.isdisjoint(jobs)
