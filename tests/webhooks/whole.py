"""Pages, API and hooks of a house on a loopback port, with all that changes something."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette

from bot.github import Keys, Oidc
from bot.store import tokens
from tests.bot.house import House
from webhooks.access import new_token, token_hash
from webhooks.site import Controls, Site
from webhooks.streams import Streams


@asynccontextmanager
async def served(
    home: House, *scopes: str, streams: Streams | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token of these scopes, `read` if none is said."""
    text, tools = new_token(), home.tools
    held = scopes or ("read",)
    await home.write(
        lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=home.now, scopes=held)
    )
    bot = home.bot
    keys = Keys("https://issuer.example.com", clock=tools.clock)
    oidc = Oidc(keys, audience="http://127.0.0.1", clock=tools.clock)
    site = Site(
        tools.store,
        tools.logs,
        tools.keys,
        "http://127.0.0.1",
        tools.clock,
        {"plain": ""},
        streams=streams or Streams(),
        controls=Controls(tools.registry, bot.pruning, bot.calls, bot.queries, oidc, tools.repositories),
    )
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
