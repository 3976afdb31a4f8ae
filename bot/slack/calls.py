"""One call of Slack's Web API: its turn, its time, and whether it may be tried again if it fails.

What it may not do: send a call twice. The SDK's own retries, which repeat posts, stay off.
"""

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import Refused, RetryLater
from bot.slack.faults import Call, Faults
from bot.slack.holds import Holds
from executor.spec import Secret

CALL_SECONDS = 15.0
CONCURRENT_CALLS = 8
"""Messages at the same time, and beside them as many other calls: a form does not wait behind messages."""
LONGEST_DELAY = 300.0  # seconds
LIMITED_DELAY = 30.0  # seconds, where Slack names no time
SCOPES = "x-oauth-scopes"
"""The header of every answer that names what the token may do."""

_AGAIN = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "accesslimited",
    }
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as Slack knows it; `sent_at` is Slack's own time then, in seconds, if it said so."""

    about: Mapping[str, Any]
    scopes: frozenset[str]
    sent_at: float | None


class Calls:
    """The connections of one token; `clock` gives seconds."""

    def __init__(self, *, api_url: str, token: Secret, faults: Faults, clock: Callable[[], float]) -> None:
        url = urlsplit(api_url)
        self.client = AsyncWebClient(token=token.reveal(), base_url=api_url, retry_handlers=[])
        self.client.proxy = proxy_for(url.scheme, url.hostname or "")
        self._faults = faults
        self._holds = Holds(clock)
        self._messages = asyncio.Semaphore(CONCURRENT_CALLS)
        self._others = asyncio.Semaphore(CONCURRENT_CALLS)

    async def close(self) -> None:
        """Close all connections."""
        if self.client.session is not None:
            await self.client.session.close()

    async def read(self, call: Call, **fields: Any) -> dict[str, Any]:
        """Ask a method that only answers; fields that are None are left out."""
        params = {name: value for name, value in fields.items() if value is not None}
        return _data(await self._send(call, lambda: self._api(call, http_verb="GET", params=params)))

    async def write(self, call: Call, **fields: Any) -> dict[str, Any]:
        """Call a method that changes something; fields that are None are left out."""
        body = {name: value for name, value in fields.items() if value is not None}
        return _data(await self._send(call, lambda: self._api(call, json=body)))

    async def token(self) -> Token:
        """What Slack says of the token: https://docs.slack.dev/reference/methods/auth.test."""
        answer = await self._send(Call("auth.test"), lambda: self._api(Call("auth.test")))
        headers = {name.lower(): str(value) for name, value in answer.headers.items()}
        listed = headers.get(SCOPES, "").split(",")
        return Token(
            about=_data(answer),
            scopes=frozenset(each.strip() for each in listed if each.strip()),
            sent_at=_moment(headers.get("date", "")),
        )

    async def _api(self, call: Call, **how: Any) -> AsyncSlackResponse:
        answer = await self.client.api_call(call.method, **how)
        if not isinstance(answer, AsyncSlackResponse):
            raise TypeError("no answer of Slack's")
        return answer

    async def _send(
        self, call: Call, send: Callable[[], Awaitable[AsyncSlackResponse]]
    ) -> AsyncSlackResponse:
        """Send once; while Slack limits this method in this channel nothing is sent."""
        place = call.method, call.channel
        delay = self._holds.left(place)
        if delay > 0:
            raise RetryLater("Slack's rate limit is used up", delay=delay)
        turns = self._messages if call.method.startswith("chat.") else self._others
        try:
            async with asyncio.timeout(CALL_SECONDS), turns:
                self._ensure_session()
                answer = await send()
        except SlackApiError as failed:
            raise self._judged(call, failed) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as failed:
            raise RetryLater(f"Slack: {type(failed).__name__}") from None
        except (ValueError, AttributeError, TypeError) as failed:
            # What is no JSON object is nothing that Slack said; the SDK stumbles over it.
            raise RetryLater(f"Slack's answer is unreadable ({type(failed).__name__})") from None
        self._faults.clear(call)
        return answer

    def _ensure_session(self) -> None:
        """One pool of connections for all calls; without it the SDK opens one for each."""
        if self.client.session is None:
            self.client.session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS), cookie_jar=aiohttp.DummyCookieJar()
            )

    def _judged(self, call: Call, failed: SlackApiError) -> RetryLater | Refused:
        response = failed.response
        status = getattr(response, "status_code", getattr(response, "status", None))
        data = getattr(response, "data", None)
        error = data.get("error") if isinstance(data, dict) else None
        name = error if isinstance(error, str) else f"http_{status}"
        if status == 429 or name in ("ratelimited", "rate_limited"):
            delay = delay_of(response.headers.get("Retry-After")) or LIMITED_DELAY
            self._holds.add((call.method, call.channel), delay)
            return RetryLater("Slack limits our calls", delay=delay)
        if name in _AGAIN or not isinstance(status, int) or status >= 500:
            return RetryLater(f"Slack answered {name}")
        needed = data.get("needed", "?") if isinstance(data, dict) else "?"
        known = self._faults.note(name, call, needed=str(needed))
        return known or Refused(f"Slack refused {call.method} ({name})", status=name)


def _data(answer: AsyncSlackResponse) -> dict[str, Any]:
    return answer.data if isinstance(answer.data, dict) else {}


def _moment(date: str) -> float | None:
    """The time of a header `Date`."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def delay_of(text: str | None) -> float | None:
    """The seconds of a Retry-After header, capped; None where it holds none."""
    if text is None or not text.isdecimal() or len(text) > 12:
        return None
    return min(max(float(text), 1.0), LONGEST_DELAY)


def proxy_for(scheme: str, host: str) -> str | None:
    """The proxy of the environment for `host`; the SDK would use it for loopback and NO_PROXY hosts too."""
    if urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(scheme)
