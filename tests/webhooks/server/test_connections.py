import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from webhooks.server import connections
from webhooks.server.connection_limits import ConnectionLimit

_LARGE = 4 * 2**20
"""Bytes at `/large`, more than systems keep for a client that does not read."""

_served: list[str] = []
"""The paths that were asked for."""


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    _served.append(scope["path"])
    body = await Request(scope, receive).body()
    if scope["path"] == "/large":
        body = b"x" * _LARGE
    await PlainTextResponse(body or scope["path"])(scope, receive, send)


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where a server listens that waits 0.5 s for a head."""
    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    monkeypatch.setattr(connections, "UNREAD_S", 0.5)
    _served.clear()
    config = uvicorn.Config(
        _echo,
        http=connections.limited(ConnectionLimit()),
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
    except (ConnectionResetError, BrokenPipeError):  # the rest of what was written found nobody
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


async def test_head_of_more_headers_than_anybody_sends_is_not_answered(port: int) -> None:
    most = b"GET / HTTP/1.1\r\nConnection: close\r\n" + b"a:b\r\n" * (connections.HEADERS - 1)
    assert b"200 OK" in await _said(port, most + b"\r\n")
    _served.clear()
    assert await _said(port, most + b"a:b\r\n\r\n") == b""
    assert await _said(port, b"POST" + most[3:] + b"Content-Length: 3\r\n\r\nabc") == b""
    assert not _served


async def test_second_head_of_a_connection_has_its_time_too(port: int) -> None:
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert (await _said(port, whole, whole + b"GET", pause=0.05)).count(b"200 OK") == 2


async def test_head_in_pieces_and_a_slow_body_are_taken(port: int) -> None:
    head = [b"POST / HTTP/1.1\r\nHo", b"st: x\r\nConnection: close\r\n", b"Content-Length: 2\r\n\r\n"]
    said = await _said(port, *head, *([b""] * 8), b"a", b"b", pause=0.05)
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.endswith(b"ab")


def _head(path: str, *more: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *more, "", ""]).encode()


async def test_pipelined_requests_are_answered_in_turn(port: int) -> None:
    requests = [_head(f"/{number}", "Content-Length: 2") + b"ab" for number in range(20)]
    chunked = _head("/chunked", "Transfer-Encoding: chunked") + b"3\r\nxyz\r\n0\r\n\r\n"
    last = _head("/last", "Content-Length: 0", "Connection: close")
    said = await _said(port, b"".join(requests), chunked + last)
    assert said.count(b"200 OK") == 22
    assert b"xyz" in said
    assert _served == [*(f"/{number}" for number in range(20)), "/chunked", "/last"]


async def test_client_that_sends_far_ahead_gets_one_answer_and_no_more(port: int) -> None:
    said = await _said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000)
    assert said.count(b"200 OK") <= 1  # the reset may be quicker than the answer
    assert _served == ["/"]


async def _unread(port: int, request: bytes) -> None:
    """Ask, read nothing, and return when the server has ended the connection."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, request)
        async with asyncio.timeout(10):
            while not client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_client_that_reads_nothing_is_cut_off(port: int) -> None:
    large = _head("/large", "Content-Length: 0")
    await _unread(port, large * 5)
    assert _served == ["/large"] * len(_served)
    assert len(_served) <= 2  # the one that is written, and the next that waits to write


async def test_client_that_reads_nothing_is_cut_off_behind_the_last_answer_too(port: int) -> None:
    await _unread(port, _head("/large", "Content-Length: 0", "Connection: close"))


async def test_body_in_pieces_that_only_cost_time_is_refused(port: int) -> None:
    chunked = _head("/", "Transfer-Encoding: chunked")
    assert await _said(port, chunked + b"1\r\nx\r\n" * 20_000) == b""
    fair = b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in [1] * 1000 + [4096] * 100)
    said = await _said(port, chunked + fair + b"0\r\n\r\n" + _head("/", "Connection: close"))
    assert said.count(b"200 OK") == 2


async def test_nothing_is_taken_after_a_request_to_upgrade(port: int) -> None:
    upgrade = _head("/", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 0")
    said = await _said(port, upgrade + _head("/smuggled", "Content-Length: 0"))
    assert (said.count(b"200 OK"), _served) == (1, ["/"])


async def test_rest_of_a_body_that_nobody_needs_has_its_time(port: int) -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("no", 413)(scope, receive, send)

    config = uvicorn.Config(
        refuse, http=connections.limited(ConnectionLimit()), lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    body = [_head("/", "Content-Length: 1000"), *([b"x"] * 30)]
    try:
        said = await _said(listener.getsockname()[1], *body, pause=0.05)
    finally:
        server.should_exit = True
        await serving
    assert said == b"" or said.startswith(b"HTTP/1.1 413")
