import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from webhooks import connections


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(body)(scope, receive, send)


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where a server listens that waits 0.5 s for a head."""
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    config = uvicorn.Config(
        _echo,
        http=connections.Connection,
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def _said(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that is answered until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)
        async with asyncio.timeout(4):  # less than uvicorn keeps an idle connection
            return await reader.read()
    except ConnectionResetError:  # the rest of what was written found nobody
        return b""
    finally:
        writer.close()


async def test_connection_that_says_nothing_is_closed(port: int) -> None:
    assert await _said(port) == b""


async def test_head_that_never_ends_is_cut_off_by_time(port: int) -> None:
    assert await _said(port, b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"X: y", pause=0.05) == b""


async def test_head_that_never_ends_is_cut_off_by_size(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 60.0)
    assert await _said(port, b"GET / HTTP/1.1\r\nX: ", b"y" * 1_000_000) == b""


async def test_second_head_of_a_connection_has_its_time_too(port: int) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (await _said(port, whole, whole + b"GET", pause=0.05)).count(b"200 OK") == 2


async def test_head_in_pieces_and_a_slow_body_are_taken(port: int) -> None:
    head = [b"POST / HTTP/1.1\r\nHo", b"st: x\r\nConnection: close\r\n", b"Content-Length: 2\r\n\r\n"]
    said = await _said(port, *head, *([b""] * 8), b"a", b"b", pause=0.05)
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.endswith(b"ab")
