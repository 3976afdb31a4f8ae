"""What both stand-ins share: every request is written down, can be waited for, and can be made to fail."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 4 * 1024 * 1024
SLASH = "\x1f"
"""Stands for `%2F` in a decoded path, so that an escaped slash separates no segments."""

PATIENCE = 120.0
"""Seconds for anything to happen, on a machine that is busy."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came, and the status it was answered with (0: the answer was dropped)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int
    client: tuple[str, int] | None = None  # the other end of the connection


@dataclass(slots=True)
class _Fault:
    method: str | None
    path: re.Pattern[str]
    left: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    drop: bool = False
    delay: float = 0.0

    def takes(self, method: str, path: str) -> bool:
        if self.left < 1 or (self.method is not None and self.method != method):
            return False
        return self.path.search(path) is not None


class Watched:
    """An ASGI application around another; `path` arguments are regular expressions to search for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._changed = asyncio.Condition()
        self._faults: list[_Fault] = []
        self.requests: list[Received] = []

    def fail(
        self,
        path: str,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int = 1,
        method: str | None = None,
    ) -> None:
        """Answer the next `times` requests with `status` and do nothing else."""
        self._faults.append(_Fault(method, re.compile(path), times, status, headers or {}, body))

    def mend(self) -> None:
        """Answer everything as it should be from now on."""
        self._faults.clear()

    def drop_answer(self, path: str, *, times: int = 1, method: str | None = None) -> None:
        """Handle the next `times` requests, then close the connection instead of answering."""
        self._faults.append(_Fault(method, re.compile(path), times, drop=True))

    def slow(self, path: str, seconds: float, *, times: int = 1, method: str | None = None) -> None:
        """Answer the next `times` requests only after `seconds`."""
        self._faults.append(_Fault(method, re.compile(path), times, delay=seconds))

    def count(self, path: str, method: str | None = None) -> int:
        """How many requests have come so far."""
        return sum(
            1
            for request in self.requests
            if re.search(path, request.path) and method in (None, request.method)
        )

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = PATIENCE) -> T:
        """What `predicate` gives once it is true; looked at after all that comes. `TimeoutError` if never."""
        async with asyncio.timeout(timeout), self._changed:
            while not (value := predicate()):
                await self._changed.wait()
            return value

    async def notify(self) -> None:
        """Let those who wait look again."""
        async with self._changed:
            self._changed.notify_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        body = await _read(receive)
        fault = next((fault for fault in self._faults if fault.takes(method, path)), None)
        if fault is not None:
            fault.left -= 1
            await asyncio.sleep(fault.delay)
        answer = _Answer()
        if fault is not None and fault.status is not None:
            answer.fill(fault.status, fault.headers, fault.body)
        else:
            await self._app(_inner(scope), _receive(body), answer)
        dropped = fault is not None and fault.drop
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        status = 0 if dropped else answer.status
        client = scope.get("client")
        self.requests.append(
            Received(method, path, query, headers, _parsed(headers, body), status, client and tuple(client))
        )
        await self.notify()
        if dropped:
            await _hang_up(receive, send)
        else:
            for message in answer.messages:
                await send(message)


class _Answer:
    """Keeps what the application sends until it is known whether it goes out."""

    def __init__(self) -> None:
        self.messages: list[MutableMapping[str, Any]] = []
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.messages.append(message)

    def fill(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        self.status = status
        content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        every = {
            "content-type": "application/json; charset=utf-8",
            **{k.lower(): v for k, v in headers.items()},
        }
        every["content-length"] = str(len(content))
        raw = [(key.encode(), value.encode("latin-1")) for key, value in every.items()]
        self.messages = [
            {"type": "http.response.start", "status": status, "headers": raw},
            {"type": "http.response.body", "body": content},
        ]


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > BODY_BYTES or not message.get("more_body"):
            return bytes(body)


def _receive(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _inner(scope: Scope) -> Scope:
    """The scope with a path in which an escaped slash is no separator."""
    raw = scope.get("raw_path") or scope["path"].encode()
    path = unquote_to_bytes(re.sub(b"(?i)%2f", SLASH.encode(), raw)).decode("utf-8", "replace")
    return {**scope, "path": path}


def _parsed(headers: Mapping[str, str], body: bytes) -> Any:
    """The body as JSON or as a form, else as bytes."""
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


async def _hang_up(receive: Receive, send: Send) -> None:
    """Close the connection without a byte; ASGI has no word for it, so uvicorn's own cycle is asked."""
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)  # asyncio's or uvloop's, which are no relatives
    if transport is None:
        raise RuntimeError("answers can be dropped under uvicorn only")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
