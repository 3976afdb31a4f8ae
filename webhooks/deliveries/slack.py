"""POST /webhooks/slack: commands, interactivity and events. Verify, store, acknowledge; no work here.

What was sent over Socket Mode is taken by the same `SlackRequests`, and is not verified: its connection is.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.telemetry.metrics import count_delivery
from webhooks.deliveries.intake import AddDelivery, Headers, Intake, Refusal, media_type_of, secrets_of
from webhooks.deliveries.slack_requests import FORM, JSON, Instant, SlackRequests, form_of, of_form, of_json
from webhooks.server.unverified import GaveWay, Unverified

if TYPE_CHECKING:
    from webhooks.deliveries.slack_signatures import Signatures

PATH = "/webhooks/slack"

LIMIT = 1 << 20
"""Largest body, bytes; Slack's own are far smaller."""

PATIENCE_S = 2.0
"""How long a body or an unavailable database is waited for, seconds: Slack gives up after three."""

_TIMESTAMP = re.compile(rb"[0-9]{1,12}")
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
_ACKNOWLEDGED = Response()


class SlackDoor:
    """The ASGI application behind the route; all secrets are tried, for the time of their rotation."""

    def __init__(
        self,
        signing_secrets: Iterable[str],
        *,
        add_delivery: AddDelivery,
        limit: int,
        clock: Callable[[], float],
        unverified: Unverified,
        instant: Instant,
    ) -> None:
        self._signatures = _signatures(secrets_of(signing_secrets, PATH), clock)
        self._intake = Intake(
            "slack", add_delivery, limit=min(limit, LIMIT), patience=PATIENCE_S, unverified=unverified
        )
        self._requests = SlackRequests(self._intake, clock, instant)

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
        signatures = self._signatures
        if signatures is None:
            raise Refusal(503, "No signing secret is set here, so nothing is accepted.", "closed")
        timestamp = headers.get(b"x-slack-request-timestamp", b"")
        signature = headers.get(b"x-slack-signature", b"")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise Refusal(401, "Slack's signature headers are missing or malformed.", "unauthorized")
        media_type = media_type_of(headers)
        if media_type not in (JSON, FORM):
            raise Refusal(415, f"Expected {JSON} or {FORM}.", "media_type")
        with self._intake.unverified(scope) as memory:
            body = await self._intake.read(headers, receive, memory)
            if not signatures.fit(body, timestamp, signature):
                reason = "The signature does not fit, or is older than five minutes."
                raise Refusal(401, reason, "unauthorized")
            memory.verified()
        return await self._take(body, media_type, timestamp)

    async def _take(self, body: bytes, media_type: str, timestamp: bytes) -> Response:
        """Answer Slack's questions about the address itself; hand on everything else."""
        try:
            fields = json.loads(body) if media_type == JSON else form_of(body)
            if not isinstance(fields, dict):
                raise ValueError("not an object")
            if media_type == JSON and fields.get("type") == "url_verification":
                count_delivery("slack", "event", "answered")
                return JSONResponse({"challenge": str(fields.get("challenge", ""))})
            if media_type == FORM and fields.get("ssl_check") == "1":
                return _ACKNOWLEDGED
            request = of_json(fields, body) if media_type == JSON else of_form(fields, body)
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is malformed.", "malformed") from None
        answer = await self._requests.take(request, timestamp + b":")
        return _ACKNOWLEDGED if answer is None else JSONResponse(answer)


def _signatures(secrets: Sequence[bytes], clock: Callable[[], float]) -> "Signatures | None":
    """None without a secret: whoever has no Slack does not import its SDK."""
    if not secrets:
        return None
    from webhooks.deliveries.slack_signatures import Signatures

    return Signatures(secrets, clock)


def routes(
    signing_secrets: Iterable[str],
    *,
    add_delivery: AddDelivery,
    limit: int,
    clock: Callable[[], float],
    unverified: Unverified | None = None,
    instant: Instant = lambda fields: None,
) -> list[Route]:
    """The door at `PATH`, closed (503) without a secret; bodies up to the smaller of `limit` and `LIMIT`.

    `unverified` is shared with other doors, if there are any. `instant` answers what is not stored.
    """
    shared = unverified or Unverified()
    door = SlackDoor(
        signing_secrets,
        add_delivery=add_delivery,
        limit=limit,
        clock=clock,
        unverified=shared,
        instant=instant,
    )
    return [Route(PATH, door, methods=["POST"], name="slack")]
