"""What stands between a runner and Errand: a proxy that passes everything on, or answers itself, or cuts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PAGE = b"<!doctype html><title>Not now</title>" + b"<p class='x'>Have a look at <b>this</b>.</p>\n" * 6000
"""What a proxy says instead of Errand; large, as such pages are."""

Rule = Callable[[str, str], Awaitable[bytes | None]]
"""What is answered to this method and target without asking Errand; None asks it."""


def page(status: int, content: bytes = PAGE, media_type: str = "text/html") -> bytes:
    """A whole answer."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + content


async def pass_on(method: str, target: str) -> bytes | None:
    """The rule that there is at first."""
    return None


@dataclass
class Between:
    """One proxy. `cuts`: after so many bytes of its answers each next followed log breaks off."""

    host: str
    port: int
    url: str = ""
    rule: Rule = pass_on
    cuts: list[int] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which is for one request."""
        self.open.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.decode("latin-1").split(" ", 2)
            own = await self.rule(method, target)
            if own is None:
                await self._ask(head, reader, writer, self._limit(target))
            else:
                writer.write(own)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one of both has gone, as the other one learns now
        finally:
            self.open.discard(writer)
            writer.close()

    def drop(self) -> None:
        """Break off all that is under way."""
        for writer in self.open:
            writer.transport.abort()

    def _limit(self, target: str) -> int:
        return self.cuts.pop(0) if self.cuts and "follow=1" in target else 1 << 62

    async def _ask(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int
    ) -> None:
        from_errand, to_errand = await asyncio.open_connection(self.host, self.port)

        async def pass_body() -> None:
            to_errand.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            while data := await reader.read(65536):
                to_errand.write(data)

        passing = asyncio.create_task(pass_body())
        try:
            while left > 0 and (data := await from_errand.read(min(left, 65536))):
                left -= len(data)
                writer.write(data)
                await writer.drain()
        finally:
            passing.cancel()
            await asyncio.gather(passing, return_exceptions=True)
            to_errand.close()


@asynccontextmanager
async def between(url: str) -> AsyncIterator[Between]:
    """A proxy in front of `url` for as long as the block takes."""
    host, port = url.removeprefix("http://").split(":")
    made = Between(host, int(port))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
