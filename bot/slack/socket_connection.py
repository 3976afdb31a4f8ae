"""One WebSocket of Socket Mode, from its greeting to its end.

What Slack sends is an envelope; it is given to whoever takes it and acknowledged over the same connection
once that has returned, so what is not stored is sent again. Nothing of an envelope reaches the log.
https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import structlog

from bot.errors import RetryLater

HEARTBEAT_S = 20.0
"""Seconds between two pings; a connection that answers none for half of that has ended."""
HELLO_S = 10.0
"""Within which Slack greets."""
FINISH_S = 3.0
"""For what is being stored when a connection ends; Slack waits no longer for its acknowledgement."""
CLOSE_S = 1.0
"""For Slack to say goodbye as well."""
LIFE_S = 3600.0
"""Of a connection of which Slack does not say how long it lasts."""
ENVELOPES = 64
"""Of one connection that are stored at the same time; no more are read meanwhile."""
LARGEST = 4 << 20
"""Bytes of an envelope; one that is larger ends the connection."""

Take = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""Takes the type and the payload of an envelope, and gives what its answer holds.

Raises `RetryLater` for one that is to be sent again.
"""

log = structlog.get_logger(__name__)


class Ended(Exception):
    """Slack ends a connection before it has greeted; the message is its reason."""


class Connector:
    """Opens connections; `proxy` is the address of the proxy that leads there, if any."""

    def __init__(self, proxy: str | None) -> None:
        timeout = aiohttp.ClientTimeout(total=None, connect=HELLO_S)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        self._proxy = proxy

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def open(self, url: str, take: Take) -> "Connection":
        """A connection that Slack has greeted; raises `RetryLater` and `Ended`."""
        try:
            async with asyncio.timeout(HELLO_S):
                socket = await self._session.ws_connect(
                    url,
                    heartbeat=HEARTBEAT_S,
                    proxy=self._proxy,
                    max_msg_size=LARGEST,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                )
                try:
                    return Connection(socket, take, await _greeting(socket))
                except BaseException:
                    await socket.close()
                    raise
        except (aiohttp.ClientError, TimeoutError, OSError) as error:  # whose words hold the address, a key
            raise RetryLater(f"Slack's Socket Mode: {type(error).__name__}") from None


class Connection:
    """A connection that is greeted; `life` is for how many seconds Slack keeps it, about."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, take: Take, hello: Mapping[str, Any]) -> None:
        self.leaving = asyncio.Event()
        """Slack is going to end it, or it has ended: time for another one."""
        self.reason = "closed"
        self.is_of_use = False
        """Something has come over it."""
        self.life = _life(hello)
        self._socket = socket
        self._take = take
        self._free = asyncio.Semaphore(ENVELOPES)
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self) -> None:
        """Take what Slack sends until the connection ends; then what is being stored is acknowledged."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._receive(message.data)
        finally:
            self.leaving.set()
            await self._finish()

    async def _receive(self, text: str) -> None:
        message = _object(text)
        if message.get("type") == "disconnect":
            self.reason = str(message.get("reason"))[:60]
            self.leaving.set()
        elif isinstance(message.get("envelope_id"), str):
            self.is_of_use = True
            await self._free.acquire()
            task = asyncio.create_task(self._carry_out(message))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()

    async def _carry_out(self, envelope: Mapping[str, Any]) -> None:
        """Have it stored, then acknowledge it where it came from: of another connection it says nothing."""
        payload = envelope.get("payload")
        try:
            answer = await self._take(
                str(envelope.get("type")), payload if isinstance(payload, Mapping) else {}
            )
        except RetryLater:
            return  # and Slack sends it again
        except Exception as error:  # whose words may hold what was sent
            log.error("slack.envelope_failed", error=type(error).__name__)
            return
        reply: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
        if answer is not None and envelope.get("accepts_response_payload") is True:
            reply["payload"] = dict(answer)
        with suppress(
            aiohttp.ClientError, OSError, RuntimeError
        ):  # a repeat of what is stored changes nothing
            await self._socket.send_str(json.dumps(reply))

    async def _finish(self) -> None:
        tasks = list(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=FINISH_S)
            for task in late:
                task.cancel()
        await self._socket.close()


async def _greeting(socket: aiohttp.ClientWebSocketResponse) -> Mapping[str, Any]:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            greeting = _object(message.data)
            if greeting.get("type") == "hello":
                return greeting
            if greeting.get("type") == "disconnect":
                raise Ended(str(greeting.get("reason"))[:60])
    raise RetryLater("Slack's Socket Mode closed the connection before it greeted")


def _object(text: str) -> Mapping[str, Any]:
    """What Slack sent, nothing for what is no JSON object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _life(hello: Mapping[str, Any]) -> float:
    about = hello.get("debug_info")
    seconds = about.get("approximate_connection_time") if isinstance(about, Mapping) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else LIFE_S
