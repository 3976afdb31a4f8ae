"""Deploy hooks: `POST /hooks/{job}` for whoever has the token of one, `/api/hooks` to make and end them.

Whoever brings no token that is good for this very job learns nothing, not even whether there is such a job.
See docs/hooks.md.
"""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.access.callers import Caller, of_hook
from bot.errors import AskerError, ProblemType, RetryLater, Unfit
from bot.handlers.calls import CallHandler, StartConditions
from bot.handlers.start import StartRequest
from bot.registry import Registry
from bot.store import Session, Store, hooks
from bot.tables import Hook
from webhooks.access import Access, Visitor, token_hash
from webhooks.api import queries, requests, responses
from webhooks.api.answers import json_answer
from webhooks.api.calling import Showing, answered, key_of
from webhooks.api.guard import guarded
from webhooks.api.problems import Problem, missing_job, unavailable, wrong
from webhooks.api.reading import body
from webhooks.api.telling import chosen_tag
from webhooks.api.waiting import ended
from webhooks.streams import Streams
from webhooks.view import moment, rfc3339

PREFIX = "errand_hook_"

_TOKEN = re.compile(r"errand_hook_[A-Za-z0-9_-]{43}", re.ASCII)
_BEARER = re.compile(r"bearer +(\S{1,200}) *", re.ASCII | re.IGNORECASE)
_LONGEST_USER = 100
"""Characters that are kept of an address, and of a program's name for itself."""

T = TypeVar("T")

log = structlog.get_logger()


class Ended(AskerError):
    """The hook was deleted while it was being used."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What this part is made of. `url` is the installation's public address."""

    calls: CallHandler
    registry: Registry
    store: Store
    access: Access
    streams: Streams
    clock: Callable[[], float]
    url: str


def routes(made: Hooks) -> list[Route]:
    """What to mount."""
    delivery_handler, door = _HookHandlers(made), _HookCallHandlers(made)
    return [
        guarded(made.access, "/api/hooks", delivery_handler.list_hooks),
        guarded(made.access, "/api/hooks", delivery_handler.create, method="POST"),
        guarded(made.access, "/api/hooks/{name}/{hook}", delivery_handler.delete, method="DELETE"),
        Route("/hooks/{name}", door.answer, methods=["POST"], name="hooks"),
    ]


class _HookHandlers:
    """Makes, lists and ends hooks; whoever gets here is an admin."""

    def __init__(self, made: Hooks) -> None:
        self._made = made
        self._url = made.url.rstrip("/")

    async def list_hooks(self, request: Request, visitor: Visitor) -> Response:
        """All of them, with when and by what each was last used."""
        rows = await self._made.store.read(hooks.list)
        told: responses.Hooks = {"hooks": [self._told(row) for row in rows]}
        return json_answer({**told})

    async def create(self, request: Request, visitor: Visitor) -> Response:
        """A new one, with its token."""
        asked = await body(request, requests.HookRequest)
        if asked.job not in self._made.registry.catalog.jobs:
            raise missing_job()
        text = PREFIX + secrets.token_urlsafe(32)
        row = Hook(
            job=asked.job,
            name=asked.name,
            hash=token_hash(text),
            created_at=self._made.clock(),
            created_by=visitor.caller.name,
        )
        try:
            told = await self._made.store.write(lambda s: self._told(hooks.add(s, row.model_copy())))
        except ValueError as taken:
            raise Problem(409, str(taken), kind=ProblemType.NAME_TAKEN) from None
        log.info("hook.created", job=asked.job, hook=asked.name, by=visitor.caller.name)
        address = f"{self._url}/api/hooks/{asked.job}/{quote(asked.name, safe='')}"
        shown: responses.NewHook = {**told, "token": text}
        return json_answer({**shown}, 201, {"Location": address})

    async def delete(self, request: Request, visitor: Visitor) -> Response:
        """End one; nothing begins by it after this is answered."""
        job, name = request.path_params["name"], request.path_params["hook"]
        bad = "\0" in job or "\0" in name
        if bad or not await self._made.store.write(lambda s: hooks.remove(s, job=job, name=name)):
            raise Problem(404, "There is no such hook.", kind=ProblemType.NO_SUCH_HOOK)
        log.info("hook.deleted", job=job, hook=name, by=visitor.caller.name)
        return Response(status_code=204)

    def _told(self, row: Hook) -> responses.Hook:
        return {
            "job": row.job,
            "name": row.name,
            "created_at": rfc3339(row.created_at),
            "created_by": row.created_by,
            "last_used_at": moment(row.last_used_at),
            "last_used_by": row.last_used_by,
            "url": f"{self._url}/hooks/{row.job}",
        }


class _HookCallHandlers:
    """Answers calls of hooks."""

    def __init__(self, made: Hooks) -> None:
        self._made = made
        self._showing = Showing(made.store, made.url, made.clock)

    async def answer(self, request: Request) -> Response:
        """One call; who it is from is asked before anything of it is read."""
        try:
            hook = await self._hook(request)
            return await self._call(request, hook)
        except Problem as error:
            return error.response()
        except RetryLater:
            return unavailable().response()

    async def _hook(self, request: Request) -> Hook:
        text = _token(request)
        if text is None:
            raise _unauthorized()
        hashed = token_hash(text)
        hook = await self._made.store.read(lambda s: hooks.by_hash(s, hashed))
        if hook is None or not hmac.compare_digest(hook.hash, hashed):
            raise _unauthorized()
        if hook.job != request.path_params["name"]:
            raise _unauthorized()
        return hook

    async def _call(self, request: Request, hook: Hook) -> Response:
        query = queries.read(request, queries.HOOK)
        runs = query.get("run", "1") in ("1", "true")
        key, given = key_of(request), await body(request, requests.HookCall)
        caller, check = of_hook(hook.job, hook.name), self._check(request, hook)
        if not runs:
            return await self._move(caller, hook.job, given, check)
        wanted = StartRequest(given.parameters, image_tag=given.image_tag)
        terms = StartConditions(key, moves=given.image_tag is not None, check=check)
        called = await _told(self._made.calls.start(caller, hook.job, wanted, terms))
        run, wait = called.run, queries.number(query, "wait")
        if wait:
            run = await ended(self._made.store, self._made.streams, request, run, wait, f"hook:{hook.id}")
        attempts = [] if called.new and not wait else await self._showing.ended(run)
        return self._showing.answer(run, attempts, new=called.new)

    async def _move(
        self, caller: Caller, job: str, given: requests.HookCall, check: Callable[[Session], None]
    ) -> Response:
        if given.image_tag is None:
            raise wrong([("/imageTag", "required with ?run=false, which only chooses the tag")])
        if given.parameters:
            raise wrong([("/parameters", "nothing is run with ?run=false, so there is nothing to give")])
        chosen = await _told(self._made.calls.move(caller, job, given.image_tag, check))
        told: responses.Moved = {"job": job, "image_tag": chosen_tag(chosen)}
        return json_answer({**told})

    def _check(self, request: Request, hook: Hook) -> Callable[[Session], None]:
        """Notes the use in the transaction that does what is asked; a hook that is gone does nothing."""
        by, now, number = _user(request), self._made.clock(), hook.id or 0

        def check(session: Session) -> None:
            if not hooks.touch(session, number, by=by, now=now):
                raise Ended

        return check


async def _told(call: Awaitable[T]) -> T:
    """What a call gives; a mistake about the tag is told by the name that it has here."""
    return await answered(_renamed(call))


async def _renamed(call: Awaitable[T]) -> T:
    try:
        return await call
    except Ended:
        raise _unauthorized() from None
    except Unfit as error:
        mistakes = [
            (("imageTag",) if place == ("image_tag",) else place, what) for place, what in error.mistakes
        ]
        raise Unfit(str(error), mistakes) from None


def _token(request: Request) -> str | None:
    """The token that came with the request; None for none, for two that differ, and for what is none."""
    found = set(request.headers.getlist("x-deploy-hook-token"))
    for line in request.headers.getlist("authorization"):
        bearer = _BEARER.fullmatch(line)
        found.add(bearer[1] if bearer else "")
    text = next(iter(found)) if len(found) == 1 else ""
    return text if _TOKEN.fullmatch(text) else None


def _user(request: Request) -> str:
    """By what a hook is used: the address, and what the program calls itself.

    The address is what a proxy on this machine says it is, and so may be anything as well.
    """
    address = request.client.host if request.client else "unknown"
    said = f"{address[:_LONGEST_USER]} {request.headers.get('user-agent', '')[:_LONGEST_USER]}"
    return " ".join("".join(c if c.isprintable() else "?" for c in said).split())


def _unauthorized() -> Problem:
    """The same words for no token, a wrong one, one of another job and one that was deleted."""
    return Problem(
        401,
        "This needs the token of a deploy hook of this job: send it as X-Deploy-Hook-Token.",
        {"WWW-Authenticate": 'Bearer realm="errand hooks"'},
    )
