"""What both doors do alike: read a body within bounds, store it with some patience, refuse in plain words.

Both doors are plain ASGI applications: at thousands of requests a second, Starlette's conveniences for
headers and bodies cost as much as verifying a signature.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Protocol

import structlog
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope

from bot.errors import DatabaseAway, RetryLater
from bot.telemetry.metrics import UNVERIFIED, count_delivery
from webhooks.server.deadlines import Deadlines
from webhooks.server.unverified import Body, Unverified

SMALL = 1 << 20
"""Bodies up to this many bytes are verified at once; larger ones in a thread."""

RETRY_S = 0.25
"""Pause before a delivery is given to an unavailable database again, seconds."""

Headers = dict[bytes, bytes]
"""As ASGI gives them, names in lower case; of a repeated one the last."""

log = structlog.get_logger("webhooks")


class AddDelivery(Protocol):
    """`Store.add_delivery`: returns once it is durable; a known `key` changes nothing."""

    def __call__(
        self, *, key: str, source: str, event: str, media_type: str, body: bytes, now: float
    ) -> Awaitable[None]:
        """Stores one delivery; raises `RetryLater` while the database does not answer."""
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


class Intake:
    """Reads requests for deliveries of `source` and stores them; each has `patience` seconds for either.

    `unverified` is the memory of all doors' bodies until their signature is found good.
    """

    def __init__(
        self, source: str, add: AddDelivery, *, limit: int, patience: float, unverified: Unverified
    ) -> None:
        self._source = source
        self._add = add
        self._limit = limit
        self._deadlines = Deadlines(patience)
        self._unverified = unverified

    def unverified(self, scope: Scope) -> Body:
        """To be held with `with` while the body is read and verified; raises `GaveWay` there."""
        client = scope.get("client")
        return self._unverified.body(client[0] if client else "")

    async def read(self, headers: Headers, receive: Receive, memory: Body) -> bytes:
        """The whole body; a `Refusal` when it is too large (declared or not), too slow or breaks off."""
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > self._limit):
            raise self._too_large()
        try:
            with self._deadlines:
                return await self._collect(receive, memory)
        except TimeoutError:
            raise Refusal(408, "The body took too long.", "slow", headers={"connection": "close"}) from None

    async def _collect(self, receive: Receive, memory: Body) -> bytes:
        chunks: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise Refusal(400, "The body broke off.", "broken_off")
            chunks.append(message.get("body", b""))
            if memory.size + len(chunks[-1]) > self._limit:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(chunks)
            memory.grow(len(chunks[-1]))

    def gave_way(self) -> Response:
        """The answer where the memory of a body was needed for another one."""
        reason = "Too much is being sent at the moment; please send it again."
        headers = {"retry-after": "10", "connection": "close"}
        return self.refused(Refusal(503, reason, "crowded", headers=headers))

    def _too_large(self) -> Refusal:
        # What is left of the body is not read, so the connection cannot go on.
        reason = f"The body is larger than {self._limit} bytes."
        return Refusal(413, reason, "too_large", headers={"connection": "close"})

    async def store(self, key: str, event: str, media_type: str, body: bytes, now: float) -> None:
        """Stores it durably and counts it; a `Refusal` (503) when that did not work in time."""
        try:
            with self._deadlines:
                while True:
                    try:
                        await self._add(
                            key=key,
                            source=self._source,
                            event=event,
                            media_type=media_type,
                            body=body,
                            now=now,
                        )
                        break
                    except RetryLater as error:
                        await self._pause(error)
        except TimeoutError:
            log.error("delivery_not_stored", source=self._source, delivery=key)
            reason = "The database does not answer; please send it again."
            raise Refusal(503, reason, "unavailable", headers={"retry-after": "10"}) from None
        count_delivery(self._source, event, "stored")

    async def _pause(self, error: RetryLater) -> None:
        # The sender waits as long: told of this, it would not come again.
        if not isinstance(error, DatabaseAway):
            log.warning("delivery_waits", source=self._source, why=str(error))
        await asyncio.sleep(RETRY_S)

    def refused(self, refusal: Refusal) -> Response:
        """Counts a refusal and gives its answer."""
        count_delivery(self._source, UNVERIFIED, refusal.outcome)
        return refusal.response()


def secrets_of(values: Iterable[str], door: str) -> tuple[bytes, ...]:
    """The secrets that are not blank, as bytes; a log line when the door stays closed for want of one."""
    secrets = tuple(value.encode() for value in values if value.strip())
    if not secrets:
        log.info("door_closed", door=door, why="no secret is set, so nothing can be verified")
    return secrets


def media_type_of(headers: Headers) -> str:
    """The media type without its parameters, in lower case."""
    declared = headers.get(b"content-type", b"")
    return declared.partition(b";")[0].strip().lower().decode("latin-1")
