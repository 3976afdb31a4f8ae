"""What is known to be Slack's, over HTTP or Socket Mode: its kind and its key, stored before it is answered.

The key is Slack's own id of the thing, which its repeats carry too, so that whichever way they come they are
one delivery.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from bot.errors import RetryLater
from bot.telemetry.metrics import count_delivery
from webhooks.deliveries.intake import Intake, Refusal

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
FIELDS = 100
"""Of one form, at most."""

_ID = re.compile(r"[0-9A-Za-z._-]{1,200}", re.ASCII)
_ENVELOPES = {
    "events_api": ("event", "event_id"),
    "interactive": ("interactivity", "trigger_id"),
    "slash_commands": ("command", "trigger_id"),
}
"""By the type of an envelope: what deliveries call it, and where Slack's id is.

https://docs.slack.dev/apis/events-api/using-socket-mode#events
"""

Answer = Mapping[str, Any]
"""What Slack wants inside its own answer, as JSON."""
Instant = Callable[[Mapping[str, Any]], Answer | None]
"""`bot.handlers.slack.instant.InstantAnswers.of`: what is answered so and not stored; None for the rest."""


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """One request: its kind as deliveries call it, Slack's own id of it, what was sent, and that as it came.

    `fields` is the object that `bot.events.slack.payload` makes of it.
    """

    kind: str
    id: str | None
    fields: Mapping[str, Any]
    media_type: str
    body: bytes


def of_json(fields: Mapping[str, Any], body: bytes) -> SlackRequest:
    """An event that came over HTTP; `body` is the JSON of `fields`."""
    return SlackRequest("event", _id(fields.get("event_id")), fields, JSON, body)


def of_form(form: Mapping[str, str], body: bytes) -> SlackRequest:
    """A command, or something that was pressed or submitted, over HTTP; a `ValueError` if malformed."""
    if "payload" not in form:
        return SlackRequest("command", _id(form.get("trigger_id")), form, FORM, body)
    payload = json.loads(form["payload"])
    if not isinstance(payload, dict):
        raise ValueError("the payload is no object")
    return SlackRequest("interactivity", _id(payload.get("trigger_id")), payload, FORM, body)


def of_envelope(type: str, payload: Mapping[str, Any]) -> SlackRequest | None:
    """What came over Socket Mode; None for what is no request."""
    known = _ENVELOPES.get(type)
    if known is None:
        return None
    kind, field = known
    return SlackRequest(kind, _id(payload.get(field)), payload, JSON, json.dumps(payload).encode())


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form, of repeated ones the first; a `ValueError` if malformed."""
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=FIELDS)
    return {name: values[0] for name, values in fields.items()}


class SlackRequests:
    """Stores them, except what is answered at once; `clock` gives epoch seconds."""

    def __init__(
        self, intake: Intake, clock: Callable[[], float], instant: Instant = lambda fields: None
    ) -> None:
        self._intake = intake
        self._clock = clock
        self._instant = instant

    async def take(self, request: SlackRequest, unnamed: bytes = b"") -> Answer | None:
        """Store `request`; gives what its answer holds, None for an empty one. `Refusal` if it is not stored.

        What is answered at once (mistakes in a form, options of a menu) changes nothing, so it is not stored.

        `unnamed` tells apart what has no id of Slack's: a repeat has the same.
        """
        answer = self._instant(request.fields) if request.kind == "interactivity" else None
        if answer is not None:
            count_delivery("slack", request.kind, "answered")
            return answer
        key = request.id or hashlib.sha256(unnamed + request.body).hexdigest()
        await self._intake.store(
            f"slack:{key}", request.kind, request.media_type, request.body, self._clock()
        )
        return None

    async def take_envelope(self, type: str, payload: Mapping[str, Any]) -> Answer | None:
        """The same for what came over Socket Mode; `RetryLater` if it is to be sent again."""
        request = of_envelope(type, payload)
        if request is None:
            count_delivery("slack", "other", "malformed")
            return None
        try:
            return await self.take(request)
        except Refusal as refusal:
            raise RetryLater(str(refusal)) from None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
