"""GET /healthz: the process answers. GET /readyz: its database answers and its loops are alive.

What is wrong elsewhere is a remark of /readyz and makes nothing unready: GitHub's deliveries are taken while
Slack is away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import RetryLater

PING_TIMEOUT_S = 2.0
"""How long the database may take to answer, seconds."""


def routes(
    *,
    ping: Callable[[], Awaitable[object]],
    dead: Callable[[], Sequence[str]],
    remarks: Callable[[], Sequence[str]] = tuple,
) -> list[Route]:
    """Both pages. `ping` asks the database; `dead` names the loops that have ended, none if all is well."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        problems = [f"the {name} loop has ended" for name in dead()]
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await ping()
        except (TimeoutError, RetryLater):
            problems.append("the database does not answer")
        if problems:
            return PlainTextResponse("\n".join(problems) + "\n", 503)
        return PlainTextResponse("\n".join(["ready", *remarks()]) + "\n")

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
