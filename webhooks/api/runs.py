"""The API's reading half: runs, builds and their logs, as JSON and text. See docs/api.md."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import ProblemType, RetryLater
from bot.states import State, attempt_name
from bot.store import Session, Store, attempts, builds, locks, results, runs
from bot.tables import Attempt, Build, Run
from executor.logs.store import LogStore
from webhooks import text
from webhooks.access import Access, Visitor
from webhooks.api import queries
from webhooks.api.answers import json_answer, path_number
from webhooks.api.guard import guarded
from webhooks.api.problems import Problem, busy, missing
from webhooks.api.telling import Telling
from webhooks.headers import SECURITY
from webhooks.streams import Stream, Streams, Write

LOOK_S = 15.0
"""Seconds after which a followed run is looked at, though no change of it was heard of."""

_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Api:
    """What the API is made of. `url` is the installation's public address."""

    store: Store
    logs: LogStore
    streams: Streams
    access: Access
    clock: Callable[[], float]
    url: str


Row = TypeVar("Row", Run, Build)


@dataclass(frozen=True, slots=True)
class _Log(Generic[Row]):
    """A log to be read: of which row, where it is, how the row is found again, whether it may grow."""

    row: Row
    logs: LogStore
    key: str
    find: Callable[[Request], Awaitable[Row]]
    goes_on: Callable[[Row], bool]


def routes(api: Api) -> list[Route]:
    """What to mount."""
    rooms, access = _RunHandlers(api), api.access
    return [
        guarded(access, "/api/runs", rooms.list_runs),
        guarded(access, "/api/runs/{number}", rooms.run),
        guarded(access, "/api/runs/{number}/logs", rooms.run_log),
        guarded(access, "/api/builds/{number}", rooms.build),
        guarded(access, "/api/builds/{number}/logs", rooms.build_log),
        guarded(access, "/api/locks", rooms.list_locks),
    ]


class _RunHandlers:
    """The handlers; whoever gets here may see what they show. Lists have only what the visitor may see."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._url = api.url.rstrip("/")
        self._tell = Telling(api.url, api.clock)

    async def list_runs(self, request: Request, visitor: Visitor) -> Response:
        """Runs, newest first, with the address of the next page."""
        query = queries.read(request, queries.RUNS)
        limit = queries.number(query, "limit") or 50
        before = queries.number(query, "before")
        state, job, ends = query.get("state"), query.get("job"), queries.words(query, "result")
        if ends and state not in (None, State.FINISHED):
            raise Problem(400, "result: only finished runs have one; leave `state` out.")
        seen = visitor.jobs

        def read(session: Session) -> tuple[list[Run], dict[int, list[Attempt]]]:
            if ends:
                rows = results.page(session, ends, job=job, jobs=seen, limit=limit + 1, before=before)
            else:
                rows = runs.page(session, job=job, jobs=seen, state=state, limit=limit + 1, before=before)
            return rows, attempts.of_runs(session, [run.identity for run in rows])

        found, ended = await self._api.store.read(read)
        shown, next_page = found[:limit], None
        if len(found) > limit:
            query["before"] = str(shown[-1].number)
            next_page = f"{self._url}/api/runs?{urlencode(query)}"
        return json_answer(
            {"runs": [self._tell.run(run, ended[run.identity]) for run in shown], "next": next_page}
        )

    async def run(self, request: Request, visitor: Visitor) -> Response:
        """One run."""
        number = path_number(request)

        def read(session: Session) -> tuple[Run | None, list[Attempt]]:
            return runs.get(session, number), attempts.of_runs(session, [number])[number]

        run, ended = await self._api.store.read(read)
        if run is None:
            raise missing("runs", number)
        return json_answer(self._tell.run(run, ended))

    async def build(self, request: Request, visitor: Visitor) -> Response:
        """One build."""
        return json_answer(self._tell.build(await self._build_row(request)))

    async def list_locks(self, request: Request, visitor: Visitor) -> Response:
        """Every target that a person closed or a run holds."""
        queries.read(request)
        now = self._api.clock()
        found = await self._api.store.read(lambda session: locks.standing(session, now=now))
        return json_answer({"locks": [self._tell.lock(each) for each in found]})

    async def run_log(self, request: Request, visitor: Visitor) -> Response:
        """A run's log."""
        run = await self._run_row(request)
        query = queries.read(request, queries.RUN_LOG)
        wanted = queries.number(query, "attempt") or run.attempt
        if wanted > run.attempt:
            told = f"Run #{run.number} has {run.attempt} attempts so far."
            raise Problem(404, told, kind=ProblemType.NO_SUCH_LOG)

        def goes_on(row: Run) -> bool:
            return row.attempt == wanted and row.state != State.FINISHED

        logs, key = self._api.logs, attempt_name(run.name, wanted)
        if (container := query.get("container")) is not None:
            logs, key = logs.beside(key), await self._sidecar(logs.beside(key), container)
        log = _Log(run, logs, key, self._run_row, goes_on)
        return await self._log(request, visitor, log)

    async def _sidecar(self, logs: LogStore, name: str) -> str:
        """The name of a sidecar of which there is a log."""
        names = await logs.names()
        if name not in names:
            known = f"There are those of {', '.join(names)}." if names else "There is none of any."
            told = f"There is no log of a sidecar {name[:63]!r}, or none any more. {known}"
            raise Problem(404, told, kind=ProblemType.NO_SUCH_LOG)
        return name

    async def build_log(self, request: Request, visitor: Visitor) -> Response:
        """A build's log."""
        build = await self._build_row(request)
        queries.read(request, queries.LOG)
        log = _Log(
            build, self._api.logs, build.name, self._build_row, lambda row: row.state != State.FINISHED
        )
        return await self._log(request, visitor, log)

    async def _log(self, request: Request, visitor: Visitor, log: _Log[Row]) -> Response:
        query = queries.read(request, queries.RUN_LOG)
        lines = queries.number(query, "tail")
        follow = query.get("follow") == "1" and log.goes_on(log.row)
        if not self._api.streams.has_room(visitor.key):
            raise busy()

        async def body(write: Write) -> None:
            offset = 0 if lines is None else await text.tail_offset(log.logs, log.key, lines)
            copying = asyncio.ensure_future(text.copy(log.logs, log.key, write, offset=offset, follow=follow))
            beside = [self._completed(request, log), self._revoked(request, visitor)] if follow else []
            ending, *revoked = [asyncio.ensure_future(each) for each in beside] or [copying]
            try:
                await asyncio.wait([copying, *revoked], return_when=asyncio.FIRST_COMPLETED)
                if copying.done():
                    copying.result()
            finally:
                for task in (copying, ending, *revoked):
                    task.cancel()
                await asyncio.gather(copying, ending, *revoked, return_exceptions=True)

        return Stream(self._api.streams, visitor.key, body, _TEXT)

    async def _revoked(self, request: Request, visitor: Visitor) -> None:
        """Return when the API token that follows a log has ended; what proved itself otherwise stays."""
        known = True
        while known or not visitor.key.startswith("token:"):
            await asyncio.sleep(LOOK_S)
            with suppress(RetryLater):
                known = await self._api.access.visitor(request) is not None

    async def _completed(self, request: Request, log: _Log[Row]) -> None:
        """Complete the log at its end: what ends before the engine knew of it has no writer."""
        row = log.row
        with self._api.store.changes.listen((row.kind, row.identity)) as wakeup:
            while log.goes_on(row):
                with suppress(TimeoutError, RetryLater):
                    row = await log.find(request)
                    if log.goes_on(row):
                        async with asyncio.timeout(LOOK_S):
                            await wakeup.wait()
        await log.logs.finish(log.key)

    async def _run_row(self, request: Request) -> Run:
        number = path_number(request)
        run = await self._api.store.read(lambda session: runs.get(session, number))
        if run is None:
            raise missing("runs", number)
        return run

    async def _build_row(self, request: Request) -> Build:
        number = path_number(request)
        build = await self._api.store.read(lambda session: builds.get(session, number))
        if build is None:
            raise missing("builds", number)
        return build
