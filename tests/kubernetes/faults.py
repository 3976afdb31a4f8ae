"""What can be made to go wrong, and what is counted, at a door of its own beside the API."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn.protocols.http.httptools_impl as http
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.kubernetes.problems import Object, Problem
from tests.kubernetes.store import Store

_ANSWERED = 0.05
"""Seconds in which a test is answered."""
_HTML = (
    "<html><head><title>504 Gateway Time-out</title></head><body><h1>504 Gateway Time-out</h1></body></html>"
)


@dataclass
class Fault:
    """An answer that is given instead of the right one, `times` times; empty words fit everything."""

    status: int
    verb: str = ""
    resource: str = ""
    times: int = 1
    retry_after: str = ""
    html: bool = False
    message: str = "this is a test"

    def answer(self) -> Response:
        """Give it."""
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        if self.html:
            return Response(_HTML, self.status, headers, "text/html")
        reasons = {
            429: "TooManyRequests",
            500: "InternalError",
            410: "Expired",
            409: "Conflict",
            403: "Forbidden",
            401: "Unauthorized",
        }
        said = Problem(self.status, reasons.get(self.status, "Unknown"), self.message)
        return JSONResponse(said.body(), self.status, headers)


@dataclass
class Faults:
    """All that is wrong now.

    `cuts` are the bytes after which the next logs' connections are cut, `held` what watches of these kinds
    wait for before they tell anything.
    """

    store: Store
    evict: Callable[[str, str], None]
    rotate: Callable[[str, str], None]
    pending: list[Fault] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    log_delay: float = 0.0
    gone_as_status: bool = False
    away: bool = False
    requests: Counter[str] = field(default_factory=Counter)
    connections: dict[tuple[str, int], asyncio.Transport] = field(default_factory=dict)
    watching: set[tuple[str, int]] = field(default_factory=set)
    following: set[tuple[str, int]] = field(default_factory=set)

    def take(self, verb: str, resource: str) -> Response | None:
        """Count a request, and give what it is answered instead of the right thing."""
        self.requests[f"{verb} {resource}"] += 1
        for fault in self.pending:
            if fault.verb in ("", verb) and fault.resource in ("", resource):
                fault.times -= 1
                if not fault.times:
                    self.pending.remove(fault)
                return fault.answer()
        return None

    def cut(self, client: tuple[str, int]) -> None:
        """Break a connection at once."""
        if client in self.connections:
            self.connections[client].abort()

    async def obey(self, request: Request) -> Response:
        """Do what a test says; GET gives the figures."""
        if request.method == "GET":
            return JSONResponse(
                {"requests": self.requests, "watches": len(self.watching), "logs": len(self.following)}
            )
        self._do(await request.json())
        return JSONResponse({})

    def _do(self, order: Object) -> None:
        what: str = order.pop("do")
        match what:
            case "answer":
                self.pending.append(Fault(**order))
            case "drop_watches":
                self._cut(self.watching)
            case "hold_watches":
                self.held[order["resource"]] = asyncio.Event()
            case "release_watches":
                self.held.pop(order["resource"]).set()
            case "drop_logs":
                self._cut(self.following)
            case "forget":
                self.store.forget()
                self.gone_as_status = bool(order.get("as_status"))
            case "cut_logs":
                self.cuts += order["after"]
            case "slow_logs":
                self.log_delay = float(order["seconds"])
            case "count":
                self.requests.clear()
            case "evict":
                self.evict(order["namespace"], order["name"])
            case "rotate":
                self.rotate(order["namespace"], order["name"])
            case "away":
                # After the answer to this: it goes over such a connection too.
                asyncio.get_running_loop().call_later(_ANSWERED, self._go_away, float(order["seconds"]))
            case _:
                raise ValueError(what)

    def cut_all(self) -> None:
        """Break all connections."""
        self._cut(set(self.connections))

    def _cut(self, clients: set[tuple[str, int]]) -> None:
        for client in list(clients):
            self.cut(client)

    def _go_away(self, seconds: float) -> None:
        self.away = True
        asyncio.get_running_loop().call_later(seconds, self._come_back)
        self.cut_all()

    def _come_back(self) -> None:
        self.away = False


def protocol(faults: Faults) -> Any:
    """Give the HTTP protocol whose connections can be broken."""

    class Protocol(http.HttpToolsProtocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if faults.away:
                transport.abort()
            elif self.client is not None:
                faults.connections[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                faults.connections.pop(self.client, None)
                faults.watching.discard(self.client)
                faults.following.discard(self.client)

    return Protocol
