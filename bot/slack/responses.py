"""The response URLs of commands and buttons, at Slack's host alone: each takes five answers in half an hour.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from bot.errors import Refused, RetryLater

SECONDS = 15.0
"""For one answer."""
ANSWERS = 5
"""That one address takes."""
LIFE = 1800.0
"""Seconds for which it takes them."""
MOST = 1000
"""Addresses that are remembered."""
CONCURRENT = 8
RESPONSE_HOST = "hooks.slack.com"
_HOOKS = {"slack.com": RESPONSE_HOST, "slack-gov.com": "hooks.slack-gov.com"}
"""Where the response URLs of an API lead."""
_PORTS = {"https": 443, "http": 80}

_Delay = Callable[[str | None], float | None]


class ResponseUrls:
    """Answers by them; `api_url` says which host is Slack's, `delay` reads a Retry-After header."""

    def __init__(self, api_url: str, delay: _Delay, clock: Callable[[], float]) -> None:
        api = urlsplit(api_url)
        own = _HOOKS.get(api.hostname or "")
        self._places = {("https", own or RESPONSE_HOST, 443)}
        if own is None:  # a proxy, or a stand-in, which answers for itself
            self._places.add(_place(api))
        self._delay = delay
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        self._turns = asyncio.Semaphore(CONCURRENT)
        self._answers: dict[str, tuple[int, float]] = {}

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    async def answer(
        self, address: str, text: str, blocks: Sequence[Mapping[str, Any]] | None, how: Mapping[str, Any]
    ) -> None:
        """Send one answer; `how` is what else Slack takes, such as `replace_original`."""
        if not self.is_slacks(address):
            raise Refused("the response URL is not Slack's", status="invalid_url")
        key = hashlib.sha256(address.encode()).hexdigest()
        self._ensure_left(key)
        body: dict[str, Any] = {"response_type": "ephemeral", "text": text, **how}
        if blocks is not None:
            body["blocks"] = list(blocks)
        try:
            async with asyncio.timeout(SECONDS), self._turns:
                answer = await (await self._connected()).post(
                    address, content=json.dumps(body), headers={"Content-Type": "application/json"}
                )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failed:
            raise RetryLater(f"Slack's response URL: {type(failed).__name__}") from None
        self._judge(answer)
        self._count(key)

    def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status == 429 or status >= 500:
            delay = self._delay(answer.headers.get("retry-after"))
            raise RetryLater(f"Slack's response URL answered {status}", delay=delay)
        if status != 200:
            reason = f"Slack's response URL answered {status} ({answer.text[:60]})"
            raise Refused(reason, status=status)

    def is_slacks(self, address: str) -> bool:
        """Whether an address that came with a command leads to Slack, compared exactly."""
        if not address.isascii() or not address.isprintable() or "\\" in address or " " in address:
            return False
        try:
            url = urlsplit(address)
            place = _place(url)
        except ValueError:
            return False
        return "@" not in url.netloc and place in self._places

    def _ensure_left(self, key: str) -> None:
        """Slack is not asked where it has taken all that it takes."""
        number, since = self._answers.get(key, (0, 0.0))
        if number >= ANSWERS and self._clock() - since < LIFE:
            raise Refused("the response URL takes no more answers (used_url)", status="used_url")

    def _count(self, key: str) -> None:
        number, since = self._answers.pop(key, (0, self._clock()))
        if len(self._answers) >= MOST:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = number + 1, since

    async def _connected(self) -> httpx.AsyncClient:
        """The client; a thread reads the certificates, for a tenth of a second."""
        if self._client is None:
            tls = await asyncio.to_thread(httpx.create_ssl_context)
            if self._client is None:
                self._client = httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, verify=tls)
        return self._client


def _place(url: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port; a port that is the scheme's own may be named or not."""
    port = url.port
    return url.scheme, url.hostname or "", _PORTS.get(url.scheme, 0) if port is None else port
