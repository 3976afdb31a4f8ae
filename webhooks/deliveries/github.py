"""POST /webhooks/github: verify over the raw bytes, store, answer. Nothing is parsed here.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import asyncio
import hmac
import re
from collections.abc import Callable, Iterable, Sequence

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.telemetry.metrics import count_delivery
from webhooks.deliveries.intake import SMALL, AddDelivery, Headers, Intake, Refusal, media_type_of, secrets_of
from webhooks.server.unverified import GaveWay, Unverified

PATH = "/webhooks/github"

PATIENCE_S = 8.0
"""How long a body or an unavailable database is waited for, seconds: GitHub gives up after ten, for good."""

_MEDIA_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded"})
_SIGNATURE = re.compile(rb"sha256=([0-9a-f]{64})")
_EVENT = re.compile(rb"[a-z][a-z0-9_]{0,63}")
_DELIVERY = re.compile(rb"[0-9A-Za-z-]{1,100}")

_STORED = Response(status_code=202)  # an empty body saves a second write to the socket
_PONG = PlainTextResponse("pong\n")


class GitHubDoor:
    """The ASGI application behind the route; `secrets` are all tried, for the time of their rotation."""

    def __init__(
        self,
        secrets: Iterable[str],
        *,
        add_delivery: AddDelivery,
        limit: int,
        clock: Callable[[], float],
        unverified: Unverified,
    ) -> None:
        self._secrets = secrets_of(secrets, PATH)
        self._intake = Intake("github", add_delivery, limit=limit, patience=PATIENCE_S, unverified=unverified)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; what is wrong with it is told with a status of its own, never 500."""
        try:
            response = await self._answer(scope, dict(scope["headers"]), receive)
        except Refusal as refusal:
            response = self._intake.refused(refusal)
        except GaveWay:
            response = self._intake.gave_way()
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, headers: Headers, receive: Receive) -> Response:
        if not self._secrets:
            raise Refusal(503, "No webhook secret is set here, so nothing is accepted.", "closed")
        signature = _SIGNATURE.fullmatch(headers.get(b"x-hub-signature-256", b""))
        if signature is None:
            raise Refusal(401, "The header X-Hub-Signature-256 is missing or malformed.", "unauthorized")
        media_type = media_type_of(headers)
        if media_type not in _MEDIA_TYPES:
            raise Refusal(
                415, "Expected application/json or application/x-www-form-urlencoded.", "media_type"
            )
        with self._intake.unverified(scope) as memory:
            body = await self._intake.read(headers, receive, memory)
            if not await self._is_signed(body, bytes.fromhex(signature[1].decode())):
                raise Refusal(401, "The signature does not fit.", "unauthorized")
            memory.verified()
        event = headers.get(b"x-github-event", b"")
        delivery = headers.get(b"x-github-delivery", b"")
        if not _EVENT.fullmatch(event) or not _DELIVERY.fullmatch(delivery):
            reason = "The header X-GitHub-Event or X-GitHub-Delivery is missing or malformed."
            raise Refusal(400, reason, "malformed")
        if event == b"ping":
            # Sent once, when the webhook is made: there is nothing to decide, so nothing to keep. That it
            # gets this answer shows that the address and the secret are right.
            count_delivery("github", "ping", "answered")
            return _PONG
        await self._intake.store(
            f"github:{delivery.decode()}", event.decode(), media_type, body, self._clock()
        )
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
    secrets: Iterable[str],
    *,
    add_delivery: AddDelivery,
    limit: int,
    clock: Callable[[], float],
    unverified: Unverified | None = None,
) -> list[Route]:
    """The door at `PATH`, closed (503) without a secret; `limit` is the largest body in bytes.

    `unverified` is shared with other doors, if there are any.
    """
    door = GitHubDoor(
        secrets, add_delivery=add_delivery, limit=limit, clock=clock, unverified=unverified or Unverified()
    )
    return [Route(PATH, door, methods=["POST"], name="github")]
