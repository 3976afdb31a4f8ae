"""Responses that go on: each ends when the client is gone or too slow, or when the service shuts down.

Starlette's own streaming response learns of a client that left only by writing to it, and uvicorn
waits for open responses before it tells the application to stop: both are settled here.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SLOW_CLIENT_S = 30.0
"""Seconds that a client may leave what was sent to it unread."""

MOST_STREAMS = 256
"""Streams at the same time, in one process."""

MOST_PER_VISITOR = 32
"""Streams at the same time of one token, login or link."""

Write = Callable[[bytes], Awaitable[None]]


class Streams:
    """Counts the open streams, and ends them all on `close()`.

    Call `close()` when the server begins to shut down, not when the application does: uvicorn ends
    the application only after the last response.
    """

    def __init__(self, *, most: int = MOST_STREAMS, most_per_visitor: int = MOST_PER_VISITOR) -> None:
        self._most = most
        self._most_per_visitor = most_per_visitor
        self._open: Counter[str] = Counter()
        self.closing = asyncio.Event()
        self._none = asyncio.Event()
        self._none.set()

    def close(self) -> None:
        """Ends all streams, and accepts no more."""
        self.closing.set()

    @property
    def open(self) -> int:
        """How many there are now."""
        return self._open.total()

    async def drained(self) -> None:
        """Returns when none is open."""
        await self._none.wait()

    def has_room(self, visitor: str) -> bool:
        """Whether `visitor` may open one more."""
        return (
            not self.closing.is_set()
            and self.open < self._most
            and self._open[visitor] < self._most_per_visitor
        )

    @contextmanager
    def counted(self, visitor: str) -> Iterator[None]:
        """Holds one place."""
        self._open[visitor] += 1
        self._none.clear()
        try:
            yield
        finally:
            self._open[visitor] -= 1
            if not self._open[visitor]:
                del self._open[visitor]
            if not self._open:
                self._none.set()

    async def while_heard(
        self, work: Awaitable[None], receive: Receive, *, most: float | None = None
    ) -> None:
        """Carries `work`, at most for so many seconds, while the client is there and the service goes on."""
        ends = [
            asyncio.ensure_future(work),
            asyncio.ensure_future(_gone(receive)),
            asyncio.ensure_future(self.closing.wait()),
        ]
        try:
            await asyncio.wait(ends, timeout=most, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            error, *_ = await asyncio.gather(*ends, return_exceptions=True)
        if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
            raise error


class Stream(Response):
    """A response whose body is written by `body(write)`, for as long as that takes.

    `write` raises `TimeoutError` for a client that does not read. Whoever makes a `Stream` asks
    `has_room` first.
    """

    def __init__(
        self,
        streams: Streams,
        visitor: str,
        body: Callable[[Write], Awaitable[None]],
        headers: Mapping[str, str],
    ) -> None:
        self.status_code = 200
        self.background = None
        self._streams = streams
        self._visitor = visitor
        self._body = body
        self._slow = False
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and return when the body is written or nobody is there to read it."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            with self._streams.counted(self._visitor):
                if not await self._write_body(receive, send):
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write_body(self, receive: Receive, send: Send) -> bool:
        """Gives False when the client takes nothing more."""

        async def write(data: bytes) -> None:
            try:
                async with asyncio.timeout(SLOW_CLIENT_S):
                    await send({"type": "http.response.body", "body": data, "more_body": True})
            except TimeoutError:
                self._slow = True
                raise

        try:
            await self._streams.while_heard(self._body(write), receive)
        except Exception:
            if not self._slow:
                raise
        return not self._slow


async def _gone(receive: Receive) -> None:
    """Returns when the client has left; its body was read before."""
    while (await receive())["type"] != "http.disconnect":
        pass
