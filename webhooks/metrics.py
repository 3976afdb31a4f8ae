"""GET /metrics: what `bot.metrics` counts, and how much waits, in Prometheus' text format."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.metrics import QUEUE, REGISTRY
from bot.store.stats import Depths


def routes(depths: Callable[[], Awaitable[Depths]]) -> list[Route]:
    """The page at /metrics; `depths` asks the database, and 503 tells that it did not answer."""

    async def metrics(_request: Request) -> Response:
        show(await depths())
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics, methods=["GET"])]


def show(depths: Depths) -> None:
    """Set the gauges to what waits now; states in which nothing is vanish."""
    QUEUE.clear()
    QUEUE.labels("deliveries", "stored").set(depths.deliveries)
    QUEUE.labels("posts", "unsent").set(depths.posts)
    for queue, states in (("runs", depths.runs), ("builds", depths.builds)):
        for state, count in states.items():
            QUEUE.labels(queue, state).set(count)
