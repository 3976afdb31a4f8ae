"""Socket Mode: what would be sent to the app's address comes through WebSockets that the app has opened.

Slack chooses one of the connections for each envelope, wants an acknowledgement within three seconds, and
ends connections when it likes. https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import itertools
import json
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from aiohttp import WSMsgType, web

from demo.slack.calls import Method
from demo.slack.doors import Sending
from demo.slack.workspace import Json

ACKNOWLEDGED_SECONDS = 3.0
CONNECTIONS = 10
CONNECTION_SECONDS = 3600
ATTEMPTS = 4  # the first, and three more

_ANSWERED = ("view_submission", "block_suggestion")


@dataclass(eq=False, slots=True)
class Connection:
    """One WebSocket of the app, to the host `host`; `leaving`: it gets no more envelopes."""

    socket: web.WebSocketResponse
    host: str
    transport: Any = None
    leaving: bool = False
    silent: bool = False
    """It answers no ping, as one does that only seems to be there."""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def disconnect(self, reason: str) -> None:
        """Announce the end: `warning` ten seconds ahead, `refresh_requested`, or `link_disabled`."""
        self.leaving = reason != "warning"
        message = {"type": "disconnect", "reason": reason, "debug_info": {"host": self.host}}
        await self.socket.send_json(message)

    async def end(self) -> None:
        """Close it as the protocol wants it."""
        self.leaving = True
        await self.socket.close()

    def drop(self) -> None:
        """Break it off, without a word."""
        self.leaving = True
        self.transport.abort()


class SocketMode:
    """The endpoint of `apps.connections.open`; a `Door` once the app has asked for it.

    `changed` is awaited whenever a connection came or went, or an acknowledgement came.
    """

    def __init__(self, app_id: str, changed: Callable[[], Awaitable[None]]) -> None:
        self.app_id = app_id
        self.enabled = False
        self.connections: list[Connection] = []
        self.envelopes: list[Json] = []
        """All that were sent, in order."""
        self.strays: list[Any] = []
        """What the app sent that acknowledges nothing."""
        self.acknowledged_seconds = ACKNOWLEDGED_SECONDS
        self.methods = {"apps.connections.open": Method(self._open, ("connections:write",), app=True)}
        self._changed = changed
        self._tickets: set[str] = set()
        self._turns = itertools.count()
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._arrival = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._address = ""

    # The endpoint ---------------------------------------------------------------------------------

    async def _open(self, arguments: Json) -> Json:
        self.enabled = True
        if self._runner is None:
            await self._start()
        ticket = str(uuid.uuid4())
        self._tickets.add(ticket)
        return {"url": f"{self._address}/link/?ticket={ticket}&app_id={self.app_id}"}

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/link/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        _, port = self._runner.addresses[0]
        self._address = f"ws://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Break all connections off and listen no longer."""
        for connection in list(self.connections):
            connection.drop()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False, timeout=1.0)
        await socket.prepare(request)
        connection = Connection(socket, f"applink-{secrets.token_hex(4)}", request.transport)
        if len(self.connections) >= CONNECTIONS:
            await connection.disconnect("too_many_websockets")
            await connection.end()
            return socket
        self.connections.append(connection)
        try:
            await socket.send_json(self._hello(connection))
            self._arrival.set()
            await self._changed()
            await self._listen(connection)
        finally:
            self.connections.remove(connection)
            connection.leaving = True
            connection.closed.set()
            await self._changed()
        return socket

    def _hello(self, connection: Connection) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": connection.host,
                "build_number": 1,
                "approximate_connection_time": CONNECTION_SECONDS,
            },
            "connection_info": {"app_id": self.app_id},
        }

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type == WSMsgType.PING:
                if not connection.silent:
                    await connection.socket.pong(message.data)
            elif message.type == WSMsgType.TEXT:
                self._acknowledge(message.data)
                await self._changed()

    def _acknowledge(self, text: str) -> None:
        try:
            answer = json.loads(text)
            waiting = self._waiting.get(answer["envelope_id"])
        except (ValueError, TypeError, KeyError):
            waiting, answer = None, text
        if waiting is None or waiting.done():
            self.strays.append(answer)
        else:
            waiting.set_result(answer)

    # The door -------------------------------------------------------------------------------------

    async def __call__(self, sending: Sending) -> httpx.Response:
        """Send an envelope; the acknowledgement as if it were an answer over HTTP, 504 where none came.

        Where a connection breaks before its acknowledgement, another one gets the same in a new envelope.
        Events also come again after three seconds; commands and what was pressed only fail.
        """
        for attempt in range(sending.attempt, ATTEMPTS):
            connection = await self._connection()
            if connection is None:
                break
            envelope = _envelope(replace(sending, attempt=attempt))
            answer = await self._exchange(connection, envelope)
            if answer is not None:
                return _response(answer, envelope)
            if sending.kind != "events_api" and not connection.closed.is_set():
                break
            sending = replace(sending, reason="timeout")
        return httpx.Response(504)

    async def send_again(self, connection: Connection | None = None) -> None:
        """Send the last envelope once more as it is, over any connection or a certain one."""
        over = connection or await self._connection()
        if over is None:
            raise LookupError("the app has no connection")
        await self._exchange(over, self.envelopes[-1])

    async def _exchange(self, connection: Connection, envelope: Json) -> Json | None:
        """The acknowledgement of an envelope; None where the connection ended or the time was up."""
        acknowledged = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = acknowledged
        ended = asyncio.create_task(connection.closed.wait())
        self.envelopes.append(envelope)
        try:
            await connection.socket.send_json(envelope)
            await self._changed()
            either = {acknowledged, ended}
            await asyncio.wait(either, timeout=self.acknowledged_seconds, return_when=asyncio.FIRST_COMPLETED)
        except ConnectionError:
            connection.leaving = True
            connection.closed.set()
        finally:
            ended.cancel()
            del self._waiting[envelope["envelope_id"]]
        return acknowledged.result() if acknowledged.done() else None

    async def _connection(self) -> Connection | None:
        """One after the other of those that stay; where there is none, one is waited for."""
        try:
            async with asyncio.timeout(self.acknowledged_seconds):
                while True:
                    there = [each for each in self.connections if not each.leaving]
                    if there:
                        return there[next(self._turns) % len(there)]
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            return None


def _envelope(sending: Sending) -> Json:
    """https://docs.slack.dev/apis/events-api/using-socket-mode#events"""
    answers = sending.kind == "slash_commands" or sending.payload.get("type") in _ANSWERED
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "payload": sending.payload,
        "type": sending.kind,
        "accepts_response_payload": answers,
    }
    if sending.kind == "events_api":
        envelope |= {"retry_attempt": sending.attempt, "retry_reason": sending.reason}
    return envelope


def _response(answer: Json, envelope: Json) -> httpx.Response:
    payload = answer.get("payload")
    if not payload:
        return httpx.Response(200)
    if not envelope["accepts_response_payload"]:
        raise ValueError(f"an answer to what takes none: {answer}")
    return httpx.Response(200, json=payload)
