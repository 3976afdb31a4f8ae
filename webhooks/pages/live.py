"""What happens to one run or build, as server-sent events: its log and its state, from any point on.

Event ids are absolute positions in the log, so a browser that lost the connection goes on where it
was, without a lost or doubled byte: `<byte offset>:<line>:<style>`, always the beginning of a line
(with the style that colour codes before it left), as the line that is still open is sent again.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Self

from bot.errors import RetryLater
from bot.store.watchers import ChangeFeed, Listener, Subject
from executor.logs.moments import Moments
from executor.logs.store import LogChunk, LogStore
from webhooks import stamps
from webhooks.pages.ansi import PLAIN, AnsiRenderer, restyled
from webhooks.streams import Write
from webhooks.text import reading

HEARTBEAT_S = 15.0
"""Seconds between comments that keep proxies from closing a quiet stream; access is checked as often."""

LOG_END_S = 5.0
"""Seconds that the log may go on after the end was stored."""

BREATH_S = 0.05
"""Seconds between two events of a log that comes in small pieces, so that they are fewer."""

_LITTLE = 16 * 1024
_INLINE = 4 * 1024
"""Bytes that are rendered without a thread: the worst of them take some 30 ms."""

_PIECE = 32 * 1024
"""Bytes rendered at once. Lines of a byte or two become twenty times as long in HTML, for every stream."""

_CURSOR = re.compile(r"(\d{1,15})(?::([1-9]\d{0,14})(?::([0-9;]{0,64}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A point in a log: the offset in bytes of the beginning of line `line`, and the style there."""

    offset: int = 0
    line: int = 1
    style: str = ""

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """From an event id; None for anything else."""
        match = _CURSOR.fullmatch(text)
        return cls(int(match[1]), int(match[2] or 1), match[3] or "") if match else None

    def __str__(self) -> str:
        return f"{self.offset}:{self.line}:{self.style}"


class LogRenderer:
    """Renders a log from a cursor on, and knows the cursor of its open line."""

    def __init__(self, cursor: Cursor) -> None:
        self._ansi = AnsiRenderer(
            line=cursor.line, style=restyled(PLAIN, cursor.style) if cursor.style else PLAIN
        )
        self._line_offset = cursor.offset
        self._moments: Moments | None = None
        self.offset = cursor.offset

    def feed(self, data: bytes, end: int, moments: Moments | None = None) -> str:
        """The HTML of the lines that `data`, which ends at the offset `end`, completes.

        With `moments`, those from the beginning of the open line to `end`, lines say when they were kept.
        """
        begins = {self._ansi.line: self._line_offset}
        at = data.find(b"\n")
        if at >= 0 and moments:
            start = end - len(data)
            for line in range(self._ansi.line + 1, self._ansi.line + data.count(b"\n") + 1):
                begins[line] = start + at + 1
                at = data.find(b"\n", at + 1)
        if (newline := data.rfind(b"\n")) >= 0:
            self._line_offset = end - (len(data) - newline - 1)
        self.offset = end
        self._moments = moments
        done = self._ansi.feed(data)
        return stamps.marked(done, begins, moments) if moments else done

    def open_line(self) -> str:
        """The HTML of the line that has not ended."""
        line = self._ansi.open_line()
        if not self._moments:
            return line
        return stamps.marked(line, {self._ansi.line: self._line_offset}, self._moments)

    @property
    def cursor(self) -> Cursor:
        """Where the open line begins."""
        return Cursor(self._line_offset, self._ansi.line, self._ansi.line_style.sgr())


@dataclass(frozen=True, slots=True)
class State:
    """What the page's head shows now. `data` goes to the browser when it differs from before."""

    data: dict[str, object]
    finished: bool


class Live:
    """One stream. `read_state` reads the state anew; `may_see` says whether the visitor still may."""

    def __init__(
        self,
        logs: LogStore,
        key: str,
        *,
        read_state: Callable[[], Awaitable[State | None]],
        may_see: Callable[[], Awaitable[bool]],
        from_: Cursor,
        times: bool = False,
    ) -> None:
        self._logs = logs
        self._key = key
        self._read_state = read_state
        self._may_see = may_see
        self._renderer = LogRenderer(from_)
        self._times = times  # lines say when they were kept
        self._sent = from_
        self._moved = asyncio.Event()
        self._finished = False

    async def run(self, changes: ChangeFeed, subjects: tuple[Subject, ...], write: Write) -> None:
        """Writes events until the end of the run or build, or until the visitor may see it no more."""
        with changes.listen(*subjects) as listener:
            await write(b"retry: 2000\n\n")
            log = asyncio.ensure_future(self._log(write))
            try:
                if await self._states(listener, write, log):
                    await asyncio.wait([log], timeout=LOG_END_S)
                    if not log.done():  # it was never ended: take what there is
                        log.cancel()
                        await asyncio.gather(log, return_exceptions=True)
                        self._renderer = LogRenderer(self._sent)
                        log = asyncio.ensure_future(self._read(write, follow=False))
                    await log
                    await write(_event("end", {}))
            finally:
                log.cancel()
                await asyncio.gather(log, return_exceptions=True)

    async def _states(self, listener: Listener, write: Write, log: "asyncio.Future[None]") -> bool:
        """Tells every state that is seen; True once it is the last, False when there is nothing to see."""
        sent: dict[str, object] | None = None
        while True:
            try:
                state = await self._read_state()
            except RetryLater:  # the database rests; the next heartbeat looks again
                state = None if sent is None else State(sent, finished=False)
            if state is None:
                return False
            if state.data != sent:
                await write(_event("state", state.data))
                sent = state.data
            self._finished = state.finished
            self._moved.set()
            if state.finished:
                return True
            if not await self._next(listener, write):
                return False
            if log.done() and log.exception():
                log.result()

    async def _next(self, listener: Listener, write: Write) -> bool:
        """Waits for a change, at most until the next heartbeat; False when the visitor may no longer see."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await listener.wait()
        except TimeoutError:
            await write(b": still here\n\n")
            try:
                return await self._may_see()
            except RetryLater:
                return True
        return True

    async def _log(self, write: Write) -> None:
        """Follows the log; one that is not there yet, or ends early, is looked at again at every change."""
        while True:
            self._moved.clear()
            finished = self._finished
            await self._read(write, follow=not finished)
            if finished:
                return
            await self._moved.wait()

    async def _read(self, write: Write, *, follow: bool) -> None:
        renderer = self._renderer
        async with reading(self._logs, self._key, offset=renderer.offset, follow=follow) as chunks:
            async for chunk in chunks:
                for piece in _pieces(chunk):
                    moments = None
                    if self._times:
                        moments = await self._logs.moments(self._key, renderer.cursor.offset, piece.end)
                    if len(piece.data) > _INLINE:
                        event = await asyncio.to_thread(_log_event, renderer, piece, moments)
                    else:
                        event = _log_event(renderer, piece, moments)
                    await write(event)
                    self._sent = renderer.cursor
                if len(chunk.data) < _LITTLE:
                    await asyncio.sleep(BREATH_S)


def _pieces(chunk: LogChunk) -> Iterator[LogChunk]:
    for at in range(0, len(chunk.data), _PIECE):
        yield LogChunk(chunk.start + at, chunk.data[at : at + _PIECE])


def _log_event(renderer: LogRenderer, chunk: LogChunk, moments: Moments | None) -> bytes:
    """Renders the chunk and gives the event that tells it."""
    done = renderer.feed(chunk.data, chunk.end, moments)
    data = {"done": done, "open": renderer.open_line(), "size": renderer.offset}
    return _event("log", data, str(renderer.cursor))


def _event(name: str, data: dict[str, object], id: str | None = None) -> bytes:
    """One event; JSON in ASCII has no line breaks, so it is one `data` line."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()
