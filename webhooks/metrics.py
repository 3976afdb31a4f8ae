"""GET /metrics: what `bot.telemetry.metrics` counts, and how much waits, in Prometheus' text format."""

import asyncio
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.store.stats import Depths
from bot.telemetry.metrics import QUEUE, REGISTRY

KEPT_S = 1.0
"""Seconds for which the page is kept: anybody may ask for it, as often as they like."""


def routes(depths: Callable[[], Awaitable[Depths]]) -> list[Route]:
    """The page at /metrics; `depths` asks the database, and 503 tells that it did not answer."""

    page = _Page(depths)

    async def metrics(_request: Request) -> Response:
        return Response(await page.text(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics, methods=["GET"])]


class _Page:
    """The text, made anew at most once in `KEPT_S` however many ask, also while it is being made."""

    def __init__(self, depths: Callable[[], Awaitable[Depths]]) -> None:
        self._depths = depths
        self._lock = asyncio.Lock()
        self._text = b""
        self._until = 0.0

    async def text(self) -> bytes:
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() >= self._until:
                show(await self._depths())
                self._text = generate_latest(REGISTRY)
                self._until = loop.time() + KEPT_S
            return self._text


def show(depths: Depths) -> None:
    """Sets the gauges to what waits now; states in which nothing is vanish."""
    QUEUE.clear()
    QUEUE.labels("deliveries", "stored").set(depths.deliveries)
    QUEUE.labels("posts", "unsent").set(depths.posts)
    for queue, states in (("runs", depths.runs), ("builds", depths.builds)):
        for state, count in states.items():
            QUEUE.labels(queue, state).set(count)
