"""The logs of runs and builds as text, whole or as they grow. See docs/api.md."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic

from starlette.requests import Request
from starlette.responses import Response

from bot.errors import ProblemType, RetryLater
from bot.states import State, attempt_name
from bot.store import Store, builds, runs
from bot.tables import Run
from executor.logs.store import LogStore
from webhooks import text
from webhooks.access import Access, Visitor
from webhooks.api import queries
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem, away, missing, required
from webhooks.api.waiting import Row, Watch
from webhooks.headers import SECURITY
from webhooks.streams import Stream, Streams, Write

LOOK_S = 15.0
"""Seconds after which it is looked at whether the token of who follows a log is still good."""

OFFSET = "Log-Offset"
"""The header that says where in the log an answer to `offset` begins."""

_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Log(Generic[Row]):
    """A log to be read: of which row, where it is, and when it grows no more."""

    watch: Watch[Row]
    logs: LogStore
    key: str
    over: Callable[[Row], bool]


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
        run = required(await self._store.read(lambda s: runs.get(s, number)), missing("runs", number))
        attempt = queries.number(request.query, "attempt") or run.attempt
        if attempt > run.attempt:
            detail = f"Run #{run.number} has {run.attempt} attempts so far."
            raise Problem(404, detail, kind=ProblemType.NO_SUCH_LOG)

        def over(row: Run) -> bool:
            return row.attempt != attempt or row.state == State.FINISHED

        logs, key = self._logs, attempt_name(run.name, attempt)
        if (container := request.query.get("container")) is not None:
            logs, key = logs.beside(key), await self._sidecar(logs.beside(key), container)
        return await self._stream(request, _Log(Watch(self._store, run, runs.get), logs, key, over))

    async def get_build_log(self, request: ApiRequest) -> Response:
        """The log of a build as text."""
        number = request.number
        build = required(await self._store.read(lambda s: builds.get(s, number)), missing("builds", number))
        watch = Watch(self._store, build, builds.get)
        return await self._stream(
            request, _Log(watch, self._logs, build.name, lambda row: row.state == State.FINISHED)
        )

    async def _sidecar(self, logs: LogStore, name: str) -> str:
        """The name of a sidecar of which there is a log."""
        names = await logs.names()
        if name not in names:
            others = f"There are those of {', '.join(names)}." if names else "There is none of any."
            detail = f"There is no log of a sidecar {name[:63]!r}, or none any more. {others}"
            raise Problem(404, detail, kind=ProblemType.NO_SUCH_LOG)
        return name

    async def _stream(self, request: ApiRequest, log: _Log[Row]) -> Response:
        visitor = request.visitor
        follow = request.query.get("follow") == "1" and not log.over(log.watch.row)
        offset, begin = await _from(request, log)
        stamped = request.query.get("timestamps") == "1"
        place = {} if begin is None else {OFFSET: str(begin)}
        if "tail" in request.query:
            begin = None  # a line says what is left out further on
        if not self._streams.has_room(visitor.key):
            raise away("Too many streams are open; try again soon.")

        async def body(write: Write) -> None:
            copying = asyncio.ensure_future(
                text.copy(log.logs, log.key, write, text.Extent(offset, follow, begin, stamped))
            )
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

        return Stream(self._streams, visitor.key, body, _TEXT | place)

    async def _revoked(self, request: Request, visitor: Visitor) -> None:
        """Returns when the API token that follows a log has ended; what proved itself otherwise stays."""
        valid = True
        while valid or not visitor.key.startswith("token:"):
            await asyncio.sleep(LOOK_S)
            with suppress(RetryLater):
                valid = await self._access.visitor(request) is not None

    async def _completed(self, log: _Log[Row]) -> None:
        """Completes the log at its end: what ends before the engine knew of it has no writer."""
        await log.watch.until(log.over)
        await log.logs.finish(log.key)


async def _from(request: ApiRequest, log: _Log[Row]) -> tuple[int, int | None]:
    """The offset to read from; with `tail` or `offset`, also where what there is begins."""
    lines, offset = queries.number(request.query, "tail"), queries.number(request.query, "offset")
    if lines is not None:
        offset = max(offset or 0, await text.tail_offset(log.logs, log.key, lines))
    return (0, None) if offset is None else (offset, await text.place(log.logs, log.key, offset))
