"""POST /webhooks/github: verify over the raw bytes, store, answer. Nothing is parsed here.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import asyncio
import hmac
import re
from collections.abc import Callable, Iterable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.metrics import count_delivery
from webhooks.intake import SMALL, AddDelivery, Bodies, Refusal, Shelf, media_type_of, secrets_of

PATH = "/webhooks/github"

PATIENCE_S = 8.0
"""How long an unavailable database is waited for, seconds: GitHub gives up after ten, for good."""

_MEDIA_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,100}", re.ASCII)

_STORED = PlainTextResponse("Stored.\n", 202)
_PONG = PlainTextResponse("pong\n")


class GitHubDoor:
    """The ASGI application behind the route; `secrets` are all tried, for the time of their rotation."""

    def __init__(
        self, secrets: Iterable[str], *, add_delivery: AddDelivery, limit: int, clock: Callable[[], float]
    ) -> None:
        self._secrets = secrets_of(secrets, PATH)
        self._bodies = Bodies(limit)
        self._shelf = Shelf(add_delivery, "github", patience=PATIENCE_S)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is wrong with it is told with a status of its own, never 500."""
        try:
            response = await self._answer(Request(scope, receive))
        except Refusal as refusal:
            response = self._shelf.refused(refusal)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if not self._secrets:
            raise Refusal(503, "No webhook secret is set here, so nothing is accepted.", "closed")
        signature = _SIGNATURE.fullmatch(request.headers.get("x-hub-signature-256", ""))
        if signature is None:
            raise Refusal(401, "The header X-Hub-Signature-256 is missing or malformed.", "unauthorized")
        media_type = media_type_of(request)
        if media_type not in _MEDIA_TYPES:
            raise Refusal(
                415, "Expected application/json or application/x-www-form-urlencoded.", "media_type"
            )
        body = await self._bodies.read(request)
        if not await self._is_signed(body, bytes.fromhex(signature[1])):
            raise Refusal(401, "The signature does not fit.", "unauthorized")
        event = request.headers.get("x-github-event", "")
        delivery = request.headers.get("x-github-delivery", "")
        if not _EVENT.fullmatch(event) or not _DELIVERY.fullmatch(delivery):
            reason = "The header X-GitHub-Event or X-GitHub-Delivery is missing or malformed."
            raise Refusal(400, reason, "malformed")
        if event == "ping":
            # Sent once, when the webhook is made: there is nothing to decide, so nothing to keep. That it
            # gets this answer shows that the address and the secret are right.
            count_delivery("github", event, "answered")
            return _PONG
        await self._shelf.put(f"github:{delivery}", event, media_type, body, self._clock())
        return _STORED

    async def _is_signed(self, body: bytes, signature: bytes) -> bool:
        if len(body) <= SMALL:
            return _fits(self._secrets, body, signature)
        return await asyncio.to_thread(_fits, self._secrets, body, signature)


def _fits(secrets: Sequence[bytes], body: bytes, signature: bytes) -> bool:
    """Whether one of the secrets signed `body`; how long it takes does not tell which."""
    fits = False
    for secret in secrets:
        fits |= hmac.compare_digest(hmac.digest(secret, body, "sha256"), signature)
    return fits


def routes(
    secrets: Iterable[str], *, add_delivery: AddDelivery, limit: int, clock: Callable[[], float]
) -> list[Route]:
    """The door at `PATH`, closed (503) without a secret; `limit` is the largest body in bytes."""
    door = GitHubDoor(secrets, add_delivery=add_delivery, limit=limit, clock=clock)
    return [Route(PATH, door, methods=["POST"], name="github")]
