"""A log that is followed ends with the token of who follows it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.states import State, attempt_name
from bot.store import Store, tokens
from demo.watched import PATIENCE
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from tests.webhooks import sites
from tests.webhooks.api.served_runs import KEYS, LIMIT, NOW, enqueue, move, opened
from webhooks.access import new_token, token_hash
from webhooks.api import logs as api

__all__ = ["opened"]


@dataclass
class Clock:
    """What time it is for the service."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


def test_access_is_looked_at_as_often_as_is_promised() -> None:
    assert api.LOOK_S <= 15


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def url(
    opened: Store, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[str]:
    """Where it is served; followed logs are looked at all the time."""
    monkeypatch.setattr(api, "LOOK_S", 0.05)
    site = sites.site(opened, LogStore(tmp_path / "logs", LIMIT), KEYS, "https://errand.example.com/", clock)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        Starlette(routes=site.routes()), lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    site.streams.close()
    server.should_exit = True
    await serving


@pytest.mark.parametrize("how", ["deleted", "expired"])
@pytest.mark.parametrize("loud", [True, False], ids=["loud", "silent"])
async def test_followed_log_ends_when_its_token_does(
    opened: Store, clock: Clock, url: str, tmp_path: Path, how: str, loud: bool
) -> None:
    text = new_token()
    await opened.write(
        lambda s: tokens.add(s, name="ci", hash=token_hash(text), now=NOW, expires_at=NOW + 60)
    )
    run = await enqueue(opened)
    await move(opened, run, State.STARTING, State.RUNNING)
    writer = LogWriter(LogStore(tmp_path / "logs", LIMIT).path(attempt_name(run.name, 1)), LIMIT)
    writer.write(b"one\n")

    async def talk() -> None:
        while True:
            await asyncio.to_thread(writer.write, b"more\n")
            await asyncio.sleep(0.01)

    talking = asyncio.create_task(talk()) if loud else None
    headers = {"authorization": f"Bearer {text}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        async with client.stream("GET", f"/api/runs/{run.number}/logs?follow=1") as answer:
            pieces = answer.aiter_bytes()
            assert (await anext(pieces)).startswith(b"one\n")
            if how == "deleted":
                await opened.write(lambda session: tokens.remove(session, name="ci"))
            else:
                clock.now += 61
            async with asyncio.timeout(PATIENCE):
                async for _ in pieces:
                    pass
        assert (await client.get(f"/api/runs/{run.number}")).status_code == 401
    if talking is not None:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    writer.finish()
