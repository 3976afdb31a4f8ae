"""Who may use the API: asked before anything else, by the table of routes, and answered with problems."""

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.access import scopes
from bot.errors import AskerError, RetryLater
from bot.handlers.journal import refused_by
from bot.handlers.refusals import RefusalJournal
from webhooks.access import Access, Visitor
from webhooks.api import queries, workflows
from webhooks.api.bodies import body
from webhooks.api.operation import JSON, ApiRequest, Needs, Operation, Reply, path_number
from webhooks.api.problems import Problem, away, forbidden, missing, of_asker, unauthorized
from webhooks.headers import SECURITY

AT_ONCE_S = 0.1
"""Seconds that a body may take to arrive before it is asked again who sends it."""

_BY_SCOPES: Mapping[Needs, Callable[[frozenset[str]], bool]] = {
    Needs.ANY: lambda allowed: True,
    Needs.READ: scopes.may_see_all,
    Needs.AUDIT: scopes.may_audit,
    Needs.EXEC: scopes.may_execute,
    Needs.ADMIN: scopes.may_change,
    Needs.LOGIN: lambda allowed: True,
}
"""What is said by a token's scopes alone, whatever the path names."""

V = TypeVar("V")


class Guard(Protocol[V]):
    """Knows who comes, and what they may use; raises a `Problem` for who may not."""

    async def identify(self, request: Request) -> V:
        """Who it is."""

    async def authorize(self, row: Operation, request: Request, visitor: V) -> None:
        """Lets them use this route with this path, or raises."""

    async def refused(self, row: Operation, request: Request, visitor: V, rule: str) -> None:
        """Notes that they were not allowed to, by which rule."""


def guarded(
    guard: Guard[V], row: Operation, handler: Callable[[ApiRequest[Any, V]], Awaitable[object]], url: str
) -> Route:
    """The route of a row for whom `guard` lets in; `url` is where this installation is.

    Only then query, key and body are read, in this order. What is said to who asked becomes a problem.
    """
    model, takes_key = row.parsed, queries.IDEMPOTENCY_KEY in row.headers

    async def answer(http: Request) -> Response:
        request = _GuardedRequest(http, guard)
        try:
            visitor = await guard.identify(request)
            try:
                await guard.authorize(row, request, visitor)
                query = queries.read(request, row.query)
                key = queries.idempotency_key(request) if takes_key else None
                content = None if model is None else await body(request, model)
                return _response(await handler(ApiRequest(request, visitor, content, query, key)), url)
            except (Problem, AskerError) as error:
                if (rule := _rule(row, error)) is not None:
                    await guard.refused(row, request, visitor, rule)
                raise
        except Problem as problem:
            return problem.response()
        except AskerError as error:
            return of_asker(error).response()
        except RetryLater:
            return away().response()

    return Route(row.route, answer, methods=[row.method])


def _rule(row: Operation, error: Problem | AskerError) -> str | None:
    """What refused; None where nothing did: what is not there, or was asked wrong."""
    if isinstance(error, AskerError):
        return refused_by(error)
    return f"needs {row.needs.value}".replace("`", "") if error.status == HTTPStatus.FORBIDDEN else None


def _response(answer: object, url: str) -> Response:
    """What a handler gave, as JSON that nobody caches; nothing is 204."""
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status_code=204)
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    document = reply.document
    if isinstance(document, BaseModel):
        document = document.model_dump(context=url)
    location = {} if reply.location is None else {"Location": url + reply.location}
    headers = {**SECURITY, **location, **reply.headers}
    return Response(json.dumps(document), reply.status, headers, JSON)


class _GuardedRequest(Request, Generic[V]):
    """A request of somebody who may be nobody any more when its body has come.

    Whoever knows that a token will be ended could keep requests under way that want their last byte only, and
    with one of them make another token later.
    """

    def __init__(self, http: Request, guard: Guard[V]) -> None:
        super().__init__(http.scope, http.receive)
        self._guard = guard

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body; a `Problem` at its end where the token that came with it has ended meanwhile."""
        began = time.monotonic()
        async for chunk in super().stream():
            yield chunk
        if time.monotonic() - began > AT_ONCE_S:
            await self._guard.identify(self)


class TokenGuard:
    """Lets in by API tokens, and by logins and workflows for what those may do.

    A signed link opens pages, not the API. A login in a browser changes nothing: others' pages could use it.
    `is_admin` asks anew whether a person is one.
    """

    def __init__(
        self, access: Access, is_admin: Callable[[str], Awaitable[bool]], refusals: RefusalJournal
    ) -> None:
        self._access = access
        self._is_admin = is_admin
        self._refusals = refusals

    async def identify(self, request: Request) -> Visitor:
        """Whose token or login it is."""
        visitor = await self._access.caller(request)
        if visitor is None or visitor.how == "link":
            raise unauthorized()
        return visitor

    async def authorize(self, row: Operation, request: Request, visitor: Visitor) -> None:
        """Lets in whom the row lets in."""
        if row.method != "GET" and visitor.how == "session":
            raise forbidden("a token; a login only reads")
        if visitor.how == "actions":
            await workflows.authorize(self._access, row, request, visitor)
        elif not (await self._may(row, request, visitor) and await self._may_today(row, visitor.login)):
            raise forbidden(row.needs.value, visitor.login)

    async def refused(self, row: Operation, request: Request, visitor: Visitor, rule: str) -> None:
        """Notes it under the visitor's name."""
        caller, job = visitor.caller, request.path_params.get("name")
        subject = f"{row.method} {row.path}"
        entry = self._refusals.entry(caller.name, subject, rule, cause=caller.cause, job=job)
        await self._refusals.tell(entry)

    async def _may_today(self, row: Operation, login: str | None) -> bool:
        """Whether a person may as it is now; of jobs that is asked where they are started.

        Single commands are for tokens: people have none in comments and on pages either.
        """
        if login is None:
            return True
        if row.needs is Needs.EXEC:
            return False
        return row.needs is not Needs.ADMIN or await self._is_admin(login)

    async def _may(self, row: Operation, request: Request, visitor: Visitor) -> bool:
        if row.needs in (Needs.SEE, Needs.RUN, Needs.ANSWER):
            return await self._concerns(row, request, visitor)
        if row.needs is Needs.CONCERNED:
            return self._may_run_any(request, visitor)
        if row.needs is Needs.EVERY:  # which people may, settings say that the handler asks
            return visitor.login is not None or scopes.may_change(visitor.scopes)
        return row.needs in _BY_SCOPES and _BY_SCOPES[row.needs](visitor.scopes)

    async def _concerns(self, row: Operation, request: Request, visitor: Visitor) -> bool:
        """Whether the job that the path is about is one of the visitor's; what is not seen, is not there.

        A job is named by who asks, so refusing it tells nothing of whether there is one.
        """
        name, may_start = request.path_params.get("name"), row.needs is Needs.RUN
        if row.needs is Needs.ANSWER:  # whose yes counts, the rule of the job says of people
            may_start = visitor.login is None
        if name is not None:
            return scopes.may_run(visitor.scopes, name) if may_start else _sees(visitor, [name])
        if "number" not in request.path_params:
            return not may_start  # a list, of which only what may be seen is shown
        if visitor.jobs is None and not may_start:
            return True
        kind, number = row.path.split("/")[2], path_number(request)
        jobs = await self._access.jobs_of(kind, number)
        to_answer = row.needs is Needs.ANSWER and not visitor.approves.isdisjoint(jobs)
        if not jobs or not (to_answer or _sees(visitor, jobs)):
            raise missing(kind, number)
        return not may_start or all(scopes.may_run(visitor.scopes, job) for job in jobs)

    def _may_run_any(self, request: Request, visitor: Visitor) -> bool:
        """Whether one of the jobs that the path concerns may be run; the same no where there is none."""
        allowed = visitor.scopes
        target, image = (request.path_params.get(name) for name in ("target", "image"))
        if target is not None:
            return scopes.may_run_any(allowed, self._access.jobs_of_target(target))
        if image is not None:
            return scopes.may_run_any(allowed, self._access.jobs_of_image(image))
        # The handler looks only at what the caller has started, or asks who may stop everything.
        return visitor.login is not None or scopes.may_run_some(allowed)


def _sees(visitor: Visitor, jobs: Iterable[str]) -> bool:
    return visitor.jobs is None or not visitor.jobs.isdisjoint(jobs)
