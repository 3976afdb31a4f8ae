"""The pages on a loopback port, hands to make things happen there, and a reader of event streams."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.access import links
from bot.errors import RetryLater
from bot.states import State
from bot.store import Session, Store, runs, tokens
from bot.tables import Build, Run
from demo.watched import PATIENCE
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from tests.webhooks import sites
from webhooks.access import new_token, token_hash

KEYS = links.derive([Secret("s3cret")])
NOW = 1_700_000_000.0
LIMIT = 64 * 2**20


class Installation:
    """The pages on a loopback port, and hands to make things happen."""

    def __init__(self, store: Store, logs: LogStore) -> None:
        self.store = store
        self.logs = logs
        self.now = NOW
        jobs = {"migrate": "Apply the database migrations", "report": ""}
        self.site = sites.site(store, logs, KEYS, "http://127.0.0.1", lambda: self.now, jobs)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        app = Starlette(routes=self.site.routes())
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        self.serving: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start_run(self, **values: object) -> Run:
        run = Run(
            key=f"k{values}", name="", job="migrate", cause="comment", actor="github:octocat", created_at=0.0
        )
        for name, value in values.items():
            setattr(run, name, value)
        stored, _ = await self.store.write(
            lambda session: runs.enqueue(session, run, [], now=self.now, nonce="abc")
        )
        await self.store.write(
            lambda session: runs.claim(session, owner="one", now=self.now, lease=60.0, limit=10)
        )
        await self.move(stored, State.STARTING)
        return await self.move(stored, State.RUNNING)

    async def move(self, run: Run, to: State, **facts: object) -> Run:
        moved = await self.store.write(
            lambda session: runs.move(session, run.identity, to, owner="one", now=self.now, **facts)  # type: ignore[arg-type]
        )
        assert moved is not None
        return moved

    async def finish(self, run: Run, **facts: object) -> Run:
        return await self.move(run, State.FINISHED, **{"result": "succeeded", "exit_code": 0, **facts})

    def writer(self, run: Run | Build) -> LogWriter:
        return LogWriter(self.logs.path(run.name), LIMIT)

    async def log(self, run: Run | Build, data: bytes) -> None:
        writer = self.writer(run)
        writer.write(data)
        writer.finish()
        self.logs.wake(run.name)

    def link(self, run: Run, beneath: str = "") -> str:
        path = f"/runs/{run.number}"
        return f"{path}{beneath}?{links.sign(path, expires=int(self.now) + 600, keys=KEYS)}"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    async with await Store.open(databases.sqlite(tmp_path / "errand.db"), owner="one") as store:
        installation = Installation(store, LogStore(tmp_path / "logs", LIMIT))
        installation.serving = asyncio.ensure_future(installation.server.serve([installation.socket]))
        yield installation
        installation.site.streams.close()
        installation.server.should_exit = True
        await installation.serving


@pytest.fixture
async def client(here: Installation) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=here.address, timeout=10) as client:
        yield client


@pytest.fixture
async def member(here: Installation, client: httpx.AsyncClient) -> httpx.AsyncClient:
    text = new_token()
    await here.store.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=NOW))
    client.headers["authorization"] = f"Bearer {text}"
    return client


class Events:
    """A reader of server-sent events that keeps the last id, as browsers do."""

    def __init__(self, response: httpx.Response) -> None:
        self._blocks = self._read(response.aiter_text())
        self.last_id = ""

    async def _read(self, texts: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
        left = ""
        async for text in texts:
            left += text
            while "\n\n" in left:
                block, _, left = left.partition("\n\n")
                yield dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))

    async def next(self, name: str) -> Any:
        """The data of the next event of this name; `end` is an event as well."""
        async with asyncio.timeout(PATIENCE):
            async for block in self._blocks:
                self.last_id = block.get("id", self.last_id)
                if block.get("event") == name:
                    return json.loads(block["data"])
        raise AssertionError(f"the stream ended without {name}")

    async def shown(self) -> str:
        """All lines until the end, with what was open last."""
        done, rest = "", ""
        async with asyncio.timeout(PATIENCE):
            async for block in self._blocks:
                self.last_id = block.get("id", self.last_id)
                if block.get("event") == "log":
                    data = json.loads(block["data"])
                    done, rest = done + data["done"], data["open"]
        return done + rest


def lines(html: str) -> list[str]:
    """The text of the log's lines, without its markup."""
    found = re.findall(r'<div id="L(\d+)" data-n="\1">(.*?)\n</div>', html, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", text) for _, text in found]


class Away:
    """Takes the place of a store's `read` for some calls, as a database that is away for a moment."""

    def __init__(self, here: Installation, *, after: int = 0, calls: int = 10**6) -> None:
        self._read = here.store.read
        self._away = range(after, after + calls)
        self._calls = 0

    async def __call__(self, work: Callable[[Session], object]) -> object:
        self._calls += 1
        if self._calls - 1 in self._away:
            raise RetryLater("The database does not take it now")
        return await self._read(work)
