"""The API's orders about more than one run: locks, builds, and the run to stop where no number is known."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.commands import parser
from bot.handlers.calls import CallHandler
from bot.handlers.questions import QueryHandler
from bot.handlers.selection import RunReference
from bot.store import Store
from webhooks.access import Access, Visitor
from webhooks.api import requests, responses
from webhooks.api.answers import json_answer
from webhooks.api.calling import Showing, answered
from webhooks.api.guard import guarded
from webhooks.api.reading import body
from webhooks.api.telling import Telling, closure

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Orders:
    """What this half is made of. `url` is the installation's public address."""

    questions: QueryHandler
    calls: CallHandler
    store: Store
    access: Access
    clock: Callable[[], float]
    url: str


def routes(orders: Orders) -> list[Route]:
    """What to mount."""
    handlers, access = _Handlers(orders), orders.access
    return [
        guarded(access, "/api/locks/{target}", handlers.lock, method="PUT"),
        guarded(access, "/api/locks/{target}", handlers.unlock, method="DELETE"),
        guarded(access, "/api/images/{image}/build", handlers.build, method="POST"),
        guarded(access, "/api/jobs/{name}/cancel", handlers.cancel, method="POST"),
        guarded(access, "/api/cancel", handlers.cancel, method="POST"),
    ]


class _Handlers:
    """Whoever gets here may do this to what the path names; with less in it, to what they started."""

    def __init__(self, orders: Orders) -> None:
        self._questions = orders.questions
        self._calls = orders.calls
        self._url = orders.url.rstrip("/")
        self._telling = Telling(orders.url, orders.clock)
        self._showing = Showing(orders.store, orders.url, orders.clock)

    async def lock(self, request: Request, visitor: Visitor) -> Response:
        """Close a target."""
        target, asked = request.path_params["target"], await body(request, requests.LockRequest)
        command = parser.Lock(target, asked.reason, asked.duration)
        lock, text = await answered(self._questions.lock(visitor.caller, command))
        log.info("lock.closed", target=target, by=visitor.caller.name)
        answer: responses.LockAnswer = {"target": target, "closed": closure(lock), "text": text}
        return json_answer(answer)

    async def unlock(self, request: Request, visitor: Visitor) -> Response:
        """Open a target."""
        target = request.path_params["target"]
        text = await answered(self._questions.unlock(visitor.caller, target))
        log.info("lock.opened", target=target, by=visitor.caller.name)
        answer: responses.UnlockAnswer = {"target": target, "text": text or ""}
        return json_answer(answer)

    async def build(self, request: Request, visitor: Visitor) -> Response:
        """Build an image; 201 with the build and its address, 200 where there was one already."""
        image, asked = request.path_params["image"], await body(request, requests.BuildRequest)
        order = await answered(self._questions.build(visitor.caller, parser.Build(image, asked.ref)))
        answer: responses.BuildAnswer = {**self._telling.build(order.build), "text": order.answer}
        headers = {"Location": f"{self._url}/api/builds/{order.build.number}"}
        return json_answer(answer, 201 if order.new else 200, headers)

    async def cancel(self, request: Request, visitor: Visitor) -> Response:
        """Stop the run of a job that is under way, or (without a name) the one that the caller started."""
        await body(request, requests.Empty)
        reference = RunReference(name=request.path_params.get("name"))
        run = await answered(self._calls.cancel(visitor.caller, reference))
        return json_answer(self._showing.told(run, await self._showing.ended(run)))
