"""Slack's side of Socket Mode, for the tests of ours: it does what a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from demo.watched import PATIENCE


@dataclass
class Link:
    """One connection as Slack sees it; what was acknowledged over it, by the envelope's id."""

    socket: web.WebSocketResponse
    acknowledged: dict[str, Any] = field(default_factory=dict)
    closed: bool = False

    async def send(self, id: str, type: str = "slash_commands", **more: Any) -> None:
        """An envelope, whose payload tells of its id."""
        payload = {"trigger_id": id}
        envelope = {"envelope_id": id, "type": type, "payload": payload, "accepts_response_payload": False}
        await self.socket.send_str(json.dumps(envelope | more))

    async def disconnect(self, reason: str) -> None:
        """Slack's warning that it is going to end the connection."""
        await self.socket.send_str(json.dumps({"type": "disconnect", "reason": reason}))

    def kill(self) -> None:
        """The connection is gone without a word."""
        transport = self.socket._req.transport if self.socket._req is not None else None
        if transport is not None:
            transport.abort()


class Sockets:
    """The server; `life` is what it says of connections, `refusals` and `greetings` what it says instead."""

    def __init__(self) -> None:
        self.url = ""
        self.links: list[Link] = []
        self.opened = 0
        self.life: float = 3600.0
        self.refusals: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        self.greetings: list[dict[str, Any]] = []
        self.changed = asyncio.Condition()

    async def until(self, condition: Any) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(condition)

    async def link(self, number: int) -> Link:
        """The connection with this number, from 0, once it is there."""
        await self.until(lambda: len(self.links) > number)
        return self.links[number]

    async def _note(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _open(self, request: web.Request) -> web.Response:
        self.opened += 1
        await self._note()
        assert request.headers["Authorization"] == "Bearer xapp-1"
        if self.refusals:
            status, body, headers = self.refusals.pop(0)
            return web.json_response(body, status=status, headers=headers)
        return web.json_response({"ok": True, "url": self.url.replace("http", "ws") + "/link?ticket=secret"})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.greetings:
            await socket.send_str(json.dumps(self.greetings.pop(0)))
            await socket.close()
            return socket
        hello = {"type": "hello", "debug_info": {"approximate_connection_time": self.life}}
        await socket.send_str(json.dumps(hello))
        link = Link(socket)
        self.links.append(link)
        await self._note()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    reply = json.loads(message.data)
                    link.acknowledged[reply["envelope_id"]] = reply.get("payload")
                    await self._note()
        finally:
            link.closed = True
            await self._note()
        return socket


@asynccontextmanager
async def serving_sockets() -> AsyncIterator[Sockets]:
    """Slack's side on a free loopback port."""
    slack, app = Sockets(), web.Application()
    app.router.add_post("/api/apps.connections.open", slack._open)
    app.router.add_get("/link", slack._link)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    slack.url = f"http://127.0.0.1:{port}"
    try:
        yield slack
    finally:
        await runner.cleanup()
