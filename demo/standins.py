"""Starts the stand-ins for GitHub and Slack on loopback ports of their own."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from demo.github import GitHubStandIn
from demo.slack import SlackStandIn


@dataclass(frozen=True, slots=True)
class StandIns:
    """Both services and where their APIs are; `slack_url` ends in `/api/`."""

    github: GitHubStandIn
    github_url: str
    slack: SlackStandIn
    slack_url: str


class _Server(uvicorn.Server):
    """A server beside others in one process: says when it listens and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(3):  # turns of the loop, in which idle connections end
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)  # waits a tenth of a second or more
            return
        for server in self.servers:
            server.close()
            await server.wait_closed()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_socket() -> socket.socket:
    """A loopback port; asyncio turns off Nagle's delay (40 ms an answer) only where the protocol is named."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The application under uvicorn on a free loopback port; gives `http://127.0.0.1:PORT`."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # uvicorn's would stay that of the start, since nothing ticks here
        timeout_graceful_shutdown=1,
    )
    with listening_socket() as listener:
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        listening = asyncio.create_task(server.listening.wait())
        await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.leaving.set()
            await task


@asynccontextmanager
async def standins(
    *, clock: Callable[[], float] = time.time, enterprise: bool = False
) -> AsyncIterator[StandIns]:
    """Both stand-ins, listening; `enterprise`: GitHub is an Enterprise Server."""
    github, slack = GitHubStandIn(clock=clock, enterprise=enterprise), SlackStandIn(clock=clock)
    async with serving(github) as github_url, serving(slack) as slack_url:
        github.url = github_url
        slack.url = slack_url
        try:
            yield StandIns(github, github.api_url, slack, f"{slack_url}/api/")
        finally:
            await slack.socket_mode.stop()
