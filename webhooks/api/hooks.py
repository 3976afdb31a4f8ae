"""Deploy hooks: `POST /hooks/{job}` for whoever has the token of one.

Whoever brings no token that is good for this very job learns nothing, not even whether there is such a job.
See docs/hooks.md.
"""

import hmac
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from starlette.requests import Request

from bot.access.callers import of_hook
from bot.errors import AskerError, Unfit
from bot.handlers.calls import CallHandler, StartConditions
from bot.handlers.refusals import RefusalJournal
from bot.handlers.start import StartRequest, StartResult
from bot.store import Session, Store, hooks
from bot.tables import Hook
from webhooks.access import token_hash
from webhooks.api import queries, requests, responses
from webhooks.api.operation import ApiRequest, Operation, Reply
from webhooks.api.problems import Problem, required, wrong
from webhooks.api.runs import started
from webhooks.api.waiting import run_at_end
from webhooks.streams import Streams

PREFIX = "errand_hook_"

_TOKEN = re.compile(r"errand_hook_[A-Za-z0-9_-]{43}", re.ASCII)
_BEARER = re.compile(r"bearer +(\S{1,200}) *", re.ASCII | re.IGNORECASE)
_LONGEST_USER = 100
"""Characters that are kept of an address, and of a program's name for itself."""

T = TypeVar("T")

log = structlog.get_logger()


class HookDeleted(AskerError):
    """The hook was deleted while it was being used."""


class HookGuard:
    """Lets in whoever has the token of a hook of the job that the path names."""

    def __init__(self, store: Store, refusals: RefusalJournal) -> None:
        self._store = store
        self._refusals = refusals

    async def identify(self, request: Request) -> Hook:
        """The hook whose token came with the request."""
        text = _token(request)
        if text is None:
            raise _unauthorized()
        hashed = token_hash(text)
        hook = required(await self._store.read(lambda s: hooks.by_hash(s, hashed)), _unauthorized())
        if not hmac.compare_digest(hook.hash, hashed) or hook.job != request.path_params["name"]:
            raise _unauthorized()
        return hook

    async def authorize(self, row: Operation, request: Request, visitor: Hook) -> None:
        """A hook opens nothing but itself, and that to whoever has its token."""

    async def refused(self, row: Operation, request: Request, visitor: Hook, rule: str) -> None:
        """Notes it under the hook's name."""
        caller = of_hook(visitor.job, visitor.name)
        entry = self._refusals.entry(
            caller.name, f"job:{visitor.job}", rule, cause=caller.cause, job=visitor.job
        )
        await self._refusals.tell(entry)


HookCallRequest = ApiRequest[requests.HookCall, Hook]


class HookCallHandlers:
    """Answers calls of hooks."""

    def __init__(
        self, calls: CallHandler, store: Store, streams: Streams, clock: Callable[[], float]
    ) -> None:
        self._calls = calls
        self._store = store
        self._streams = streams
        self._clock = clock

    async def call_hook(self, request: HookCallRequest) -> Reply[responses.Run | responses.Moved]:
        """Calls a deploy hook: starts its job, with `imageTag` after choosing that tag for it."""
        hook, body = request.visitor, request.body
        if request.query.get("run", "1") not in ("1", "true"):
            return Reply(await self._move(request))
        start = StartRequest(body.parameters, image_tag=body.image_tag)
        conditions = StartConditions(
            request.key, moves=body.image_tag is not None, check=self._check(request)
        )
        caller = of_hook(hook.job, hook.name)
        result = await _as_written(self._calls.start(caller, hook.job, start, conditions))
        wait = queries.number(request.query, "wait")
        if wait:
            run = await run_at_end(
                self._store, self._streams, request.http, result.run, wait, f"hook:{hook.id}"
            )
            result = StartResult(run, result.new)
        return await started(self._store, result, self._clock(), waited=bool(wait))

    async def _move(self, request: HookCallRequest) -> responses.Moved:
        hook, tag = request.visitor, request.body.image_tag
        if tag is None:
            raise wrong([("/imageTag", "required with ?run=false, which only chooses the tag")])
        if request.body.parameters:
            raise wrong([("/parameters", "nothing is run with ?run=false, so there is nothing to give")])
        caller = of_hook(hook.job, hook.name)
        chosen = await _as_written(self._calls.move(caller, hook.job, tag, self._check(request)))
        return responses.Moved(job=hook.job, image_tag=responses.ChosenTag.of_tag(chosen))

    def _check(self, request: HookCallRequest) -> Callable[[Session], None]:
        """Notes the use in the transaction that does what is asked; a hook that is gone does nothing."""
        by, now, number = _user(request.http), self._clock(), request.visitor.id or 0

        def check(session: Session) -> None:
            if not hooks.touch(session, number, by=by, now=now):
                raise HookDeleted

        return check


async def _as_written(call: Awaitable[T]) -> T:
    """What a call gives; a mistake about the tag is told by the name that it has here."""
    try:
        return await call
    except HookDeleted:
        raise _unauthorized() from None
    except Unfit as error:
        mistakes = [
            (("imageTag",) if place == ("image_tag",) else place, what) for place, what in error.mistakes
        ]
        raise Unfit(str(error), mistakes) from None


def _token(request: Request) -> str | None:
    """The token that came with the request; None for none, for two that differ, and for what is none."""
    texts = set(request.headers.getlist("x-deploy-hook-token"))
    for line in request.headers.getlist("authorization"):
        bearer = _BEARER.fullmatch(line)
        texts.add(bearer[1] if bearer else "")
    text = next(iter(texts)) if len(texts) == 1 else ""
    return text if _TOKEN.fullmatch(text) else None


def _user(request: Request) -> str:
    """By what a hook is used: the address, and what the program calls itself.

    The address is what a proxy on this machine says it is, and so may be anything as well.
    """
    address = request.client.host if request.client else "unknown"
    user = f"{address[:_LONGEST_USER]} {request.headers.get('user-agent', '')[:_LONGEST_USER]}"
    return " ".join("".join(c if c.isprintable() else "?" for c in user).split())


def _unauthorized() -> Problem:
    """The same words for no token, a wrong one, one of another job and one that was deleted."""
    return Problem(
        401,
        "This needs the token of a deploy hook of this job: send it as X-Deploy-Hook-Token.",
        {"WWW-Authenticate": 'Bearer realm="errand hooks"'},
    )
