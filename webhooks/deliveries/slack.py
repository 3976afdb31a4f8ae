"""POST /webhooks/slack: commands, interactivity and events. Verify, store, acknowledge; no work here.

Signatures are checked by slack_sdk's `SignatureVerifier`, not by Bolt's middleware: Bolt parses the body
before it verifies it and raises on what anybody may send (malformed JSON, a timestamp that is no number,
a signature that is not ASCII), and its listeners would have nothing to do, since what came in is stored
and answered later.

https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from slack_sdk.signature import Clock, SignatureVerifier
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.telemetry.metrics import count_delivery
from webhooks.deliveries.intake import AddDelivery, Headers, Intake, Refusal, media_type_of, secrets_of
from webhooks.server.unverified import GaveWay, Unverified

PATH = "/webhooks/slack"

LIMIT = 1 << 20
"""Largest body, bytes; Slack's own are far smaller."""

PATIENCE_S = 2.0
"""How long a body or an unavailable database is waited for, seconds: Slack gives up after three."""

_TIMESTAMP = re.compile(rb"[0-9]{1,12}")
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
_ID = re.compile(r"[0-9A-Za-z._-]{1,200}", re.ASCII)

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_ACKNOWLEDGED = Response()


@dataclass(frozen=True, slots=True)
class _Event:
    """What a verified body is: its kind as deliveries call it, and Slack's own id of it, if any."""

    kind: str
    id: str | None


class _Clock(Clock):
    """The door's clock in the shape that slack_sdk asks for."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


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
    ) -> None:
        now = _Clock(clock)
        secrets = secrets_of(signing_secrets, PATH)
        self._verifiers = [SignatureVerifier(secret.decode(), now) for secret in secrets]
        self._intake = Intake(
            "slack", add_delivery, limit=min(limit, LIMIT), patience=PATIENCE_S, unverified=unverified
        )
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
        if not self._verifiers:
            raise Refusal(503, "No signing secret is set here, so nothing is accepted.", "closed")
        timestamp = headers.get(b"x-slack-request-timestamp", b"")
        signature = headers.get(b"x-slack-signature", b"")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise Refusal(401, "Slack's signature headers are missing or malformed.", "unauthorized")
        media_type = media_type_of(headers)
        if media_type not in (_JSON, _FORM):
            raise Refusal(415, f"Expected {_JSON} or {_FORM}.", "media_type")
        with self._intake.unverified(scope) as memory:
            body = await self._intake.read(headers, receive, memory)
            if not _is_signed(self._verifiers, body, timestamp, signature):
                reason = "The signature does not fit, or is older than five minutes."
                raise Refusal(401, reason, "unauthorized")
            memory.verified()
        return await self._take(body, media_type, timestamp)

    async def _take(self, body: bytes, media_type: str, timestamp: bytes) -> Response:
        """Answers Slack's questions about the address itself; stores everything else."""
        try:
            fields = json.loads(body) if media_type == _JSON else _form(body)
            if not isinstance(fields, dict):
                raise ValueError("not an object")
            if media_type == _JSON and fields.get("type") == "url_verification":
                count_delivery("slack", "event", "answered")
                return JSONResponse({"challenge": str(fields.get("challenge", ""))})
            if media_type == _FORM and fields.get("ssl_check") == "1":
                return _ACKNOWLEDGED
            event = _event(fields, media_type)
        except (ValueError, RecursionError):
            raise Refusal(400, "The body is malformed.", "malformed") from None
        key = event.id or hashlib.sha256(timestamp + b":" + body).hexdigest()
        await self._intake.store(f"slack:{key}", event.kind, media_type, body, self._clock())
        return _ACKNOWLEDGED


def _is_signed(
    verifiers: Sequence[SignatureVerifier], body: bytes, timestamp: bytes, signature: bytes
) -> bool:
    """Whether one of the secrets signed `body`; how long it takes does not tell which."""
    try:
        valid = [each.is_valid(body, timestamp.decode(), signature.decode()) for each in verifiers]
        return any(valid)
    except UnicodeDecodeError:
        return False  # Slack sends UTF-8, so this is not from Slack


def _form(body: bytes) -> dict[str, str]:
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100)
    return {name: values[0] for name, values in fields.items()}


def _event(fields: dict[str, Any], media_type: str) -> _Event:
    """Which of the three kinds it is. Slack's retries carry the id of the first attempt."""
    if media_type == _JSON:
        return _Event("event", _id(fields.get("event_id")))
    if "payload" in fields:
        payload = json.loads(fields["payload"])
        if not isinstance(payload, dict):
            raise ValueError("the payload is no object")
        return _Event("interactivity", _id(payload.get("trigger_id")))
    return _Event("command", _id(fields.get("trigger_id")))


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def routes(
    signing_secrets: Iterable[str],
    *,
    add_delivery: AddDelivery,
    limit: int,
    clock: Callable[[], float],
    unverified: Unverified | None = None,
) -> list[Route]:
    """The door at `PATH`, closed (503) without a secret; bodies up to the smaller of `limit` and `LIMIT`.

    `unverified` is shared with other doors, if there are any.
    """
    shared = unverified or Unverified()
    door = SlackDoor(signing_secrets, add_delivery=add_delivery, limit=limit, clock=clock, unverified=shared)
    return [Route(PATH, door, methods=["POST"], name="slack")]
