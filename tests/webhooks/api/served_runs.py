"""A served store with runs in it, for tests of runs and of their logs."""

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.access import links
from bot.states import State
from bot.store import Store, runs, tokens
from bot.tables import Build, Run
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from tests.webhooks import sites
from webhooks.access import new_token, token_hash

KEYS = links.derive([Secret("s3cret")])
NOW = 1_700_000_000.0
LIMIT = 64 * 2**20


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(databases.sqlite(tmp_path / "errand.db"), owner="one") as store:
        yield store


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path / "logs", LIMIT)


@pytest.fixture
async def client(opened: Store, logs: LogStore) -> AsyncIterator[httpx.AsyncClient]:
    text = new_token()
    await opened.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=NOW))
    site = sites.site(opened, logs, KEYS, "https://errand.example.com/", lambda: NOW + 90)
    app = Starlette(routes=site.routes())
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.ensure_future(server.serve([listening]))
    headers = {"authorization": f"token {text}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
        yield client
    site.streams.close()
    server.should_exit = True
    await serving


async def enqueue(store: Store, job: str = "migrate", **about: Any) -> Run:
    run = Run(
        key=uuid4().hex, name="", job=job, cause="comment", actor="github:octocat", created_at=0.0,
        parameters={"SINCE": "2024-01-01"}, commit="f" * 40, image="shop", **about,
    )  # fmt: skip
    stored, _ = await store.write(lambda session: runs.enqueue(session, run, [], now=NOW, nonce="abc"))
    return stored


async def move(store: Store, run: Run, *states: State) -> None:
    await store.write(lambda session: runs.claim(session, owner="one", now=NOW, lease=60.0, limit=10))
    for state in states:
        change = partial(runs.move, number=run.identity, to=state, owner="one", now=NOW + 1)
        assert await store.write(change) is not None


def write(logs: LogStore, row: Run | Build, data: bytes) -> None:
    writer = LogWriter(logs.path(row.name), LIMIT)
    writer.write(data)
    writer.close()
    logs.wake(row.name)
