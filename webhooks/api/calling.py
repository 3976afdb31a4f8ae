"""The API's half that makes runs: start, run again, stop, and single commands. See docs/api.md."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalog.exec import Single
from bot.errors import AskerError, Elsewhere
from bot.handlers.calls import CallHandler, StartConditions
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest, StartResult
from bot.store import Session, Store, attempts
from bot.tables import Attempt, Run
from webhooks.access import Access, Visitor
from webhooks.api import requests
from webhooks.api.answers import json_answer, path_number
from webhooks.api.guard import guarded
from webhooks.api.problems import Problem, of_asker
from webhooks.api.reading import body
from webhooks.api.telling import Telling

_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Calling:
    """What this half is made of. `url` is the installation's public address."""

    calls: CallHandler
    store: Store
    access: Access
    clock: Callable[[], float]
    url: str


def routes(made: Calling) -> list[Route]:
    """What to mount."""
    rooms, access = _RunStartHandlers(made), made.access
    return [
        guarded(access, "/api/jobs/{name}/start", rooms.start, method="POST"),
        guarded(access, "/api/jobs/{name}/tag", rooms.follow, method="DELETE"),
        guarded(access, "/api/runs/{number}/cancel", rooms.cancel, method="POST"),
        guarded(access, "/api/runs/{number}/rerun", rooms.rerun, method="POST"),
        guarded(access, "/api/rerun", rooms.rerun, method="POST"),
        guarded(access, "/api/exec", rooms.execute, method="POST"),
    ]


class _RunStartHandlers:
    """The handlers; whoever gets here may do this to the job or the run that the path names."""

    def __init__(self, made: Calling) -> None:
        self._calls = made.calls
        self._showing = Showing(made.store, made.url, made.clock)

    async def start(self, request: Request, visitor: Visitor) -> Response:
        """Start a job."""
        name, terms = request.path_params["name"], StartConditions(key_of(request))
        given = await body(request, requests.Start)
        wanted = StartRequest(given.parameters, tuple(given.arguments), given.ref, given.image_tag)
        return await self._started(self._calls.start(visitor.caller, name, wanted, terms))

    async def rerun(self, request: Request, visitor: Visitor) -> Response:
        """Run again what the path names, or what the caller started last."""
        number = path_number(request) if "number" in request.path_params else None
        terms = StartConditions(key_of(request))
        given = await body(request, requests.Rerun)
        changes = RerunRequest(given.parameters, given.latest)
        return await self._started(self._calls.rerun(visitor.caller, number, changes, terms))

    async def execute(self, request: Request, visitor: Visitor) -> Response:
        """Run one command."""
        terms, given = StartConditions(key_of(request)), await body(request, requests.Exec)
        single = Single(given.image, given.command, given.workdir, given.timeout)
        return await self._started(self._calls.execute(visitor.caller, single, terms))

    async def cancel(self, request: Request, visitor: Visitor) -> Response:
        """Stop a run."""
        number = path_number(request)
        await body(request, requests.Empty)
        run = await answered(self._calls.cancel(visitor.caller, RunReference(number)))
        return json_answer(self._showing.told(run, await self._showing.ended(run)))

    async def follow(self, request: Request, visitor: Visitor) -> Response:
        """Let a job run again what its image says."""
        await answered(self._calls.follow(visitor.caller, request.path_params["name"]))
        return Response(status_code=204)

    async def _started(self, call: Awaitable[StartResult]) -> Response:
        called = await answered(call)
        # One that is new has no attempts that ended, which need not be asked for.
        ended = [] if called.new else await self._showing.ended(called.run)
        return self._showing.answer(called.run, ended, new=called.new)


class Showing:
    """How the run that a call gave is answered."""

    def __init__(self, store: Store, url: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._url = url.rstrip("/")
        self._telling = Telling(url, clock)

    async def ended(self, run: Run) -> list[Attempt]:
        """The attempts of a run that are over."""

        def read(session: Session) -> list[Attempt]:
            return attempts.of_runs(session, [run.identity])[run.identity]

        return await self._store.read(read)

    def told(self, run: Run, ended: list[Attempt]) -> dict[str, object]:
        """The document."""
        return {**self._telling.run(run, ended)}

    def answer(self, run: Run, ended: list[Attempt], *, new: bool) -> Response:
        """201 with the run and its address; 200 where the same call had made it before."""
        headers = {"Location": f"{self._url}/api/runs/{run.number}"}
        return json_answer(self.told(run, ended), 201 if new else 200, headers)


def key_of(request: Request) -> str | None:
    """The idempotency key, None without one; a `Problem` for what is none."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Problem(400, "Idempotency-Key: expected one key of 1 to 200 visible ASCII characters.")
    return given[0]


async def answered(call: Awaitable[T]) -> T:
    """What a call gives; what is said to who asked becomes a `Problem`."""
    try:
        return await call
    except Elsewhere as error:
        raise Problem(503, str(error), {"Retry-After": "5"}) from None
    except AskerError as error:
        raise of_asker(error) from None
