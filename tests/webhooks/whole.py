"""Pages, API and hooks of a house on a loopback port, with all that changes something."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette

from bot.github import Logins
from bot.store import tokens
from tests.bot.house import House
from tests.webhooks.sites import composed
from webhooks.access import new_token, token_hash
from webhooks.streams import Streams


@asynccontextmanager
async def served(
    home: House,
    *scopes: str,
    streams: Streams | None = None,
    logins: Logins | None = None,
    name: str = "ci",
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token of these scopes, `read` if none is said; `logins`: people log in with GitHub."""
    text = new_token()
    held = scopes or ("read",)
    await home.write(
        lambda session: tokens.add(session, name=name, hash=token_hash(text), now=home.now, scopes=held)
    )
    site = composed(home.bot, url="http://127.0.0.1", streams=streams, logins=logins)
    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=site.routes())
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.ensure_future(server.serve([listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    headers = {"authorization": f"Bearer {text}"}
    try:
        async with httpx.AsyncClient(
            base_url=address, headers=headers, timeout=30, trust_env=False
        ) as client:
            yield client
    finally:
        site.streams.close()
        server.should_exit = True
        await serving
