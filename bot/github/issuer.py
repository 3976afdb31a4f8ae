"""The keys that an issuer of tokens publishes: kept, renewed, and asked for only so often.

While the issuer does not answer the keys that are known still count, for a day; without any the door stays
closed. https://www.rfc-editor.org/rfc/rfc7517
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.errors import RetryLater

FRESH = 3600.0
"""Seconds after which keys are asked for again, though all that is asked of them is there."""

BELIEVED = 86400.0
"""Seconds for which keys count while the issuer does not answer."""

PAUSE = 30.0
"""Seconds between two questions, whatever keys are asked for: strangers can name any."""

CALL_SECONDS = 5.0
ANSWER_BYTES = 256 * 1024
MOST_KEYS = 100
LEAST_BITS = 2048

_log = structlog.get_logger(__name__)


class Keys:
    """The keys of `issuer`, an address without a slash at its end; `clock` gives seconds that only grow."""

    def __init__(self, issuer: str, *, clock: Callable[[], float]) -> None:
        self.issuer = issuer
        self._clock = clock
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched: float | None = None
        self._asked_at: float | None = None
        self._flight: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None

    async def find(self, kid: str) -> RSAPublicKey | None:
        """The key called `kid`, None where the issuer has none; `RetryLater` where that cannot be known."""
        if kid not in self._known() or self._older_than(FRESH):
            await self._refresh()
        found = self._known().get(kid)
        if found is None and self._older_than(FRESH):
            raise RetryLater("the keys of GitHub Actions cannot be had now", delay=PAUSE)
        return found

    async def close(self) -> None:
        """End what goes on, and close the connections."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _known(self) -> Mapping[str, RSAPublicKey]:
        return {} if self._older_than(BELIEVED) else self._keys

    def _older_than(self, seconds: float) -> bool:
        return self._fetched is None or self._clock() - self._fetched > seconds

    async def _refresh(self) -> None:
        """Ask, unless that was done a moment ago; however many want it, one question is under way."""
        if self._flight is None:
            now = self._clock()
            if self._asked_at is not None and now - self._asked_at < PAUSE:
                return
            self._asked_at = now
            self._flight = asyncio.create_task(self._fetch())
            self._flight.add_done_callback(self._landed)
        await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flight = None
        if not flight.cancelled() and (error := flight.exception()) is not None:
            _log.error("oidc.failed", why=type(error).__name__)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                keys = _read(await self._get(f"{self.issuer}/.well-known/jwks"))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, RecursionError) as failed:
            _log.warning("oidc.unavailable", issuer=self.issuer, why=str(failed) or type(failed).__name__)
            return
        self._keys, self._fetched = keys, self._clock()

    async def _get(self, url: str) -> bytes:
        if self._client is None:
            # Reading the certificates takes a tenth of a second.
            tls = await asyncio.to_thread(httpx.create_ssl_context)
            self._client = httpx.AsyncClient(timeout=CALL_SECONDS, follow_redirects=False, verify=tls)
        body = bytearray()
        # As it is: a compressed answer of a few bytes could fill the memory before it is seen to be large.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._client.stream("GET", url, headers=headers) as answer:
            if answer.status_code != 200:
                raise ValueError(f"answered {answer.status_code}")
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    raise ValueError("the answer is too large")
        return bytes(body)


def _read(body: bytes) -> dict[str, RSAPublicKey]:
    """The keys that may sign, by `kid`; ValueError where the answer has none."""
    document = json.loads(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("the answer holds no keys")
    found: dict[str, RSAPublicKey] = {}
    for each in listed[:MOST_KEYS]:
        key = _key(each) if isinstance(each, dict) else None
        if key is not None:
            found[each["kid"]] = key
    if not found:
        raise ValueError("the answer holds no key that could be used")
    return found


def _key(described: Mapping[str, Any]) -> RSAPublicKey | None:
    """The key, if it is one of RSA for signatures and long enough."""
    is_candidate = described.get("kty") == "RSA" and isinstance(described.get("kid"), str)
    if not is_candidate or described.get("use", "sig") != "sig" or described.get("alg", "RS256") != "RS256":
        return None
    try:
        key = jwt.PyJWK.from_dict(dict(described), algorithm="RS256").key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= LEAST_BITS else None
