"""What both doors do alike: read a body within bounds, store it with some patience, refuse in plain words."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from bot.errors import RetryLater
from bot.metrics import UNVERIFIED, count_delivery

SMALL = 1 << 20
"""Bodies up to this many bytes are taken as they come; larger ones wait for one of `LARGE_AT_ONCE` places."""

LARGE_AT_ONCE = 6
"""Larger bodies that are read at the same time: this times the limit is the most memory they take."""

BODY_TIMEOUT_S = 30.0
"""How long a body may take to arrive, seconds."""

RETRY_S = 0.25
"""Pause before a delivery is given to an unavailable database again, seconds."""

log = structlog.get_logger("webhooks")


class AddDelivery(Protocol):
    """`Store.add_delivery`: returns once it is durable; a known `key` changes nothing."""

    def __call__(
        self, *, key: str, source: str, event: str, media_type: str, body: bytes, now: float
    ) -> Awaitable[None]:
        """Store one delivery; raises `RetryLater` while the database does not answer."""
        ...


class Refusal(Exception):
    """The request is not taken: `status` and a short reason for the sender, `outcome` for the metrics."""

    def __init__(
        self, status: int, reason: str, outcome: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.outcome = outcome
        self.headers = headers

    def response(self) -> Response:
        """The answer: one line of plain text that repeats nothing of the request."""
        return PlainTextResponse(f"{self}\n", self.status, self.headers)


class Bodies:
    """Reads request bodies of up to `limit` bytes, declared or not."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def read(self, request: Request) -> bytes:
        """The whole body; raises `Refusal` when it is too large, too slow or breaks off."""
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._limit:
            raise self._too_large()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                return await self._collect(request)
        except TimeoutError:
            raise Refusal(408, "The body took too long.", "slow", headers={"connection": "close"}) from None
        except ClientDisconnect:
            raise Refusal(400, "The body broke off.", "broken_off") from None

    async def _collect(self, request: Request) -> bytes:
        chunks: list[bytes] = []
        size = 0
        waited = False
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > self._limit:
                    raise self._too_large()
                if size > SMALL and not waited:
                    await self._large.acquire()
                    waited = True
                chunks.append(chunk)
        finally:
            if waited:
                self._large.release()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _too_large(self) -> Refusal:
        # What is left of the body is not read, so the connection cannot go on.
        reason = f"The body is larger than {self._limit} bytes."
        return Refusal(413, reason, "too_large", headers={"connection": "close"})


class Shelf:
    """Puts deliveries of one `source` into the database, trying for `patience` seconds while it is away."""

    def __init__(self, add: AddDelivery, source: str, *, patience: float) -> None:
        self._add = add
        self.source = source
        self._patience = patience

    async def put(self, key: str, event: str, media_type: str, body: bytes, now: float) -> None:
        """Store it durably and count it; raises `Refusal` (503) when that did not work in time."""
        try:
            async with asyncio.timeout(self._patience):
                await self._put(key, event, media_type, body, now)
        except TimeoutError:
            log.error("delivery_not_stored", source=self.source, event_name=event)
            reason = "The database does not answer; please send it again."
            raise Refusal(503, reason, "unavailable", headers={"retry-after": "10"}) from None
        count_delivery(self.source, event, "stored")

    async def _put(self, key: str, event: str, media_type: str, body: bytes, now: float) -> None:
        while True:
            try:
                return await self._add(
                    key=key, source=self.source, event=event, media_type=media_type, body=body, now=now
                )
            except RetryLater as error:
                log.warning("delivery_waits", source=self.source, why=str(error))
                await asyncio.sleep(RETRY_S)  # the sender waits; it would not send again

    def refused(self, refusal: Refusal) -> Response:
        """Count a refusal and give its answer."""
        count_delivery(self.source, UNVERIFIED, refusal.outcome)
        return refusal.response()


def secrets_of(values: Iterable[str], door: str) -> tuple[bytes, ...]:
    """The secrets that are not blank, as bytes; a log line when the door stays closed for want of one."""
    secrets = tuple(value.encode() for value in values if value.strip())
    if not secrets:
        log.warning("door_closed", door=door, why="no secret is set, so nothing can be verified")
    return secrets


def media_type_of(request: Request) -> str:
    """The media type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
