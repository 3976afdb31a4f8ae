"""Ways to the app: signed requests, each with Slack's own headers."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

import httpx

from demo.deliveries import Delivery, sign_slack
from demo.slack.workspace import Json


@dataclass(frozen=True, slots=True)
class Sending:
    """Something that Slack sends: a `slash_commands`, `interactive` or `events_api` payload."""

    kind: str
    payload: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    reason: str = ""


class Door(Protocol):
    """How what is sent reaches the app; gives its answer, over a socket as if it were HTTP."""

    async def __call__(self, sending: Sending) -> httpx.Response:
        """Send it and wait for the answer."""
        ...


def signed(sending: Sending, secret: str, at: float) -> Delivery:
    """The request. https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    payload = sending.payload
    if sending.kind == "events_api":
        media, body = "application/json", json.dumps(payload, ensure_ascii=False).encode()
    else:
        media = "application/x-www-form-urlencoded"
        fields = payload if sending.kind == "slash_commands" else {"payload": json.dumps(payload)}
        body = urlencode(fields).encode()
    headers = {
        "Accept": "application/json,*/*",
        "Content-Type": media,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        **sign_slack(secret, body, at),
        **sending.headers,
    }
    if sending.attempt:
        headers |= {"X-Slack-Retry-Num": str(sending.attempt), "X-Slack-Retry-Reason": sending.reason}
    return Delivery(headers, body)


class HttpDoor:
    """The app's request URL. `deliver` posts a request there; `clock` is Slack's time."""

    def __init__(
        self,
        deliver: Callable[[Delivery], Awaitable[httpx.Response]],
        secret: str,
        clock: Callable[[], float],
    ) -> None:
        self._deliver = deliver
        self.secret = secret
        self._clock = clock

    async def __call__(self, sending: Sending) -> httpx.Response:
        """Send it, signed now."""
        return await self._deliver(signed(sending, self.secret, self._clock()))
