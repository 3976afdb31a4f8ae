"""The page of a job over real HTTP: the tag that a deploy hook chose for it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette

from bot.callers import of_hook
from bot.calls import Calls
from bot.pruning import Pruning
from bot.store import tokens
from tests.bot.house import House, house
from tests.bot.test_ready_images import contained
from webhooks.access import new_token, token_hash
from webhooks.site import Site

CHOSEN = "ghcr.io/acme/tools:2.0"


@asynccontextmanager
async def served(home: House) -> AsyncIterator[httpx.AsyncClient]:
    """Pages and API of a house, for somebody with a token."""
    text, tools = new_token(), home.tools
    await home.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=home.now))
    site = Site(
        tools.store,
        tools.logs,
        tools.keys,
        "http://127.0.0.1",
        tools.clock,
        {"plain": ""},
        changing=(tools.book, Pruning(tools)),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=site.routes())
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.ensure_future(server.serve([listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    headers = {"authorization": f"Bearer {text}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30, trust_env=False) as client:
        yield client
    site.streams.close()
    server.should_exit = True
    await serving


async def test_tag_of_a_hook_is_shown_until_it_counts_no_more(tmp_path: Path) -> None:
    async with house(tmp_path, change=contained) as home, served(home) as client:
        calls, hook = Calls(home.tools), of_hook("plain", "ci")
        assert CHOSEN not in (await client.get("/jobs/plain")).text
        await calls.move(hook, "plain", "2.0")
        page = (await client.get("/jobs/plain")).text
        assert (CHOSEN in page, "hook:plain/ci" in page) == (True, True)
        told = (await client.get("/api/jobs/plain")).json()["image_tag"]
        assert (told["reference"], told["chosen_by"]) == (CHOSEN, "hook:plain/ci")
        assert CHOSEN not in (await client.get("/jobs/often")).text
        await calls.follow(hook, "plain")
        assert CHOSEN not in (await client.get("/jobs/plain")).text
        assert (await client.get("/api/jobs/plain")).json()["image_tag"] is None
