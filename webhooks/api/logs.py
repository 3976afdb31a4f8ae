"""The logs of runs and builds as text, whole or as they grow. See docs/api.md."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from bot.errors import ProblemType, RetryLater
from bot.states import State, attempt_name
from bot.store import Store, builds, runs
from bot.tables import Build, Run
from executor.logs.store import LogStore
from webhooks import text
from webhooks.access import Access, Visitor
from webhooks.api import queries
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem, busy, missing
from webhooks.headers import SECURITY
from webhooks.streams import Stream, Streams, Write

LOOK_S = 15.0
"""Seconds after which a followed run is looked at, though no change of it was heard of."""

Row = TypeVar("Row", Run, Build)

_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Log(Generic[Row]):
    """A log to be read: of which row, where it is, how the row is read again, whether it may grow."""

    row: Row
    logs: LogStore
    key: str
    reread: Callable[[], Awaitable[Row]]
    goes_on: Callable[[Row], bool]


class LogHandlers:
    """Whoever gets here may see the log."""

    def __init__(self, store: Store, logs: LogStore, streams: Streams, access: Access) -> None:
        self._store = store
        self._logs = logs
        self._streams = streams
        self._access = access

    async def get_run_log(self, request: ApiRequest) -> Response:
        """The log of a run as text."""
        number = request.number
        run = await self._run(number)
        attempt = queries.number(request.query, "attempt") or run.attempt
        if attempt > run.attempt:
            detail = f"Run #{run.number} has {run.attempt} attempts so far."
            raise Problem(404, detail, kind=ProblemType.NO_SUCH_LOG)

        def goes_on(row: Run) -> bool:
            return row.attempt == attempt and row.state != State.FINISHED

        logs, key = self._logs, attempt_name(run.name, attempt)
        if (container := request.query.get("container")) is not None:
            logs, key = logs.beside(key), await self._sidecar(logs.beside(key), container)
        return self._stream(request, _Log(run, logs, key, lambda: self._run(number), goes_on))

    async def get_build_log(self, request: ApiRequest) -> Response:
        """The log of a build as text."""
        number = request.number
        build = await self._build(number)
        log = _Log(
            build,
            self._logs,
            build.name,
            lambda: self._build(number),
            lambda row: row.state != State.FINISHED,
        )
        return self._stream(request, log)

    async def _sidecar(self, logs: LogStore, name: str) -> str:
        """The name of a sidecar of which there is a log."""
        names = await logs.names()
        if name not in names:
            known = f"There are those of {', '.join(names)}." if names else "There is none of any."
            detail = f"There is no log of a sidecar {name[:63]!r}, or none any more. {known}"
            raise Problem(404, detail, kind=ProblemType.NO_SUCH_LOG)
        return name

    def _stream(self, request: ApiRequest, log: _Log[Row]) -> Response:
        lines, visitor = queries.number(request.query, "tail"), request.visitor
        follow = request.query.get("follow") == "1" and log.goes_on(log.row)
        if not self._streams.has_room(visitor.key):
            raise busy()

        async def body(write: Write) -> None:
            offset = 0 if lines is None else await text.tail_offset(log.logs, log.key, lines)
            copying = asyncio.ensure_future(text.copy(log.logs, log.key, write, offset=offset, follow=follow))
            beside = [self._completed(log), self._revoked(request.http, visitor)] if follow else []
            ending, *revoked = [asyncio.ensure_future(each) for each in beside] or [copying]
            try:
                await asyncio.wait([copying, *revoked], return_when=asyncio.FIRST_COMPLETED)
                if copying.done():
                    copying.result()
            finally:
                for task in (copying, ending, *revoked):
                    task.cancel()
                await asyncio.gather(copying, ending, *revoked, return_exceptions=True)

        return Stream(self._streams, visitor.key, body, _TEXT)

    async def _revoked(self, request: Request, visitor: Visitor) -> None:
        """Returns when the API token that follows a log has ended; what proved itself otherwise stays."""
        known = True
        while known or not visitor.key.startswith("token:"):
            await asyncio.sleep(LOOK_S)
            with suppress(RetryLater):
                known = await self._access.visitor(request) is not None

    async def _completed(self, log: _Log[Row]) -> None:
        """Completes the log at its end: what ends before the engine knew of it has no writer."""
        row = log.row
        with self._store.changes.listen((row.kind, row.identity)) as wakeup:
            while log.goes_on(row):
                with suppress(TimeoutError, RetryLater):
                    row = await log.reread()
                    if log.goes_on(row):
                        async with asyncio.timeout(LOOK_S):
                            await wakeup.wait()
        await log.logs.finish(log.key)

    async def _run(self, number: int) -> Run:
        run = await self._store.read(lambda session: runs.get(session, number))
        if run is None:
            raise missing("runs", number)
        return run

    async def _build(self, number: int) -> Build:
        build = await self._store.read(lambda session: builds.get(session, number))
        if build is None:
            raise missing("builds", number)
        return build
