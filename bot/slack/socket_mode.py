"""Socket Mode: Slack sends through a connection that Errand opens, so Errand needs no public address.

There is always one connection, and two while one takes the other's place: Slack says some seconds before that
it ends one, and at its greeting how long that lasts. The next is opened first; then the old one is read until
Slack closes it, or for `LINGER_S`. What is sent over either is the same delivery by its key.

Neither Bolt's handler nor the SDK's client carries it, for what
docs/decisions/2026-11-29-socket-mode.md says of them.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import structlog

from bot.errors import KnownFault, Refused, RetryLater
from bot.slack.calls import Calls, proxy_for
from bot.slack.faults import Call, Faults
from bot.slack.socket_connection import Connection, Connector, Ended, Take
from bot.telemetry.metrics import SLACK_CONNECTIONS
from executor.spec import Secret

LINGER_S = 30.0
"""For which a connection is still read after the next was greeted; Slack closes it before that."""
EARLY_S = 60.0
"""Before the end of its life that a connection is renewed."""
STABLE_S = 10.0
"""A connection that lasts as long, or brings something, is a good one; after another the next has to wait."""
LONGEST_S = 60.0
"""Seconds between two attempts, and between all where an operator has to mend something first."""

_OPEN = Call("apps.connections.open")
_CONNECTION = Call("Socket Mode")

log = structlog.get_logger(__name__)


class SocketMode:
    """Keeps the connection; `take` stores what comes, `jitter` gives numbers from 0 to 1."""

    def __init__(
        self,
        *,
        api_url: str,
        app_token: Secret,
        take: Take,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._api_url = api_url
        self._token = app_token
        self._take = take
        self._clock = clock
        self._jitter = jitter
        self._faults = Faults("slack.app_token")
        self._failures = 0
        self._least = 0.0
        self._is_away = False
        self._connections = 0

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection that Slack has greeted."""
        return self._connections > 0

    def remarks(self) -> Sequence[str]:
        """What /readyz says of it."""
        return () if self.is_connected else ("Slack's Socket Mode is not connected",)

    async def run(self) -> None:
        """Stay connected until cancelled; then what was sent until then is stored and acknowledged."""
        calls = Calls(api_url=self._api_url, token=self._token, faults=self._faults, clock=self._clock)
        url = urlsplit(self._api_url)
        connector = Connector(proxy_for(url.scheme, url.hostname or ""))
        try:
            async with asyncio.TaskGroup() as group:
                await self._renew(group, calls, connector)
        finally:
            await connector.close()
            await calls.close()

    async def _renew(self, group: asyncio.TaskGroup, calls: Calls, connector: Connector) -> None:
        before: asyncio.Task[None] | None = None
        while True:
            connection = await self._connected(calls, connector)
            current = group.create_task(self._carry(connection))
            if before is not None:
                asyncio.get_running_loop().call_later(LINGER_S, before.cancel)
            await self._until_it_leaves(connection)
            before = current

    async def _carry(self, connection: Connection) -> None:
        self._count(1)
        try:
            await connection.carry()
        finally:
            self._count(-1)
            log.info("slack.disconnected", reason=connection.reason)

    def _count(self, change: int) -> None:
        self._connections += change
        SLACK_CONNECTIONS.set(self._connections)

    async def _until_it_leaves(self, connection: Connection) -> None:
        """Wait until it is time for the next one."""
        try:
            async with asyncio.timeout(STABLE_S):
                await connection.leaving.wait()
            self._failures = 0 if connection.is_of_use else self._failures + 1
        except TimeoutError:
            self._failures = 0
            self._faults.clear(_CONNECTION)
            with suppress(TimeoutError):
                early = min(EARLY_S, connection.life / 4)
                async with asyncio.timeout(max(connection.life - early - STABLE_S, 0.0)):
                    await connection.leaving.wait()
        self._faults.note(connection.reason, _CONNECTION)

    async def _connected(self, calls: Calls, connector: Connector) -> Connection:
        """The next connection, however long it takes."""
        while True:
            await asyncio.sleep(self._pause())
            try:
                connection = await self._open(calls, connector)
            except (RetryLater, Refused, Ended) as error:
                self._fail(error)
            else:
                self._is_away = False
                log.info("slack.connected", life=round(connection.life))
                return connection

    async def _open(self, calls: Calls, connector: Connector) -> Connection:
        url = (await calls.write(_OPEN)).get("url")
        if not isinstance(url, str) or not self._is_safe(url):
            raise RetryLater("Slack's answer lacks the address of a connection")
        return await connector.open(url, self._take)

    def _is_safe(self, url: str) -> bool:
        """Encrypted, unless Slack is a stand-in that is reached unencrypted as well."""
        return url.startswith("wss://") or (url.startswith("ws://") and self._api_url.startswith("http://"))

    def _fail(self, error: RetryLater | Refused | Ended) -> None:
        """Say why, once until there is a connection again; where Slack says how long to wait, that counts."""
        fault = self._faults.note(str(error), _CONNECTION) if isinstance(error, Ended) else error
        if not self._is_away and not isinstance(fault, KnownFault):
            log.warning("slack.unreachable", error=str(error))
            self._is_away = True
        self._failures += 1
        self._least = (error.delay or 0.0) if isinstance(error, RetryLater) else LONGEST_S

    def _pause(self) -> float:
        """Seconds before the next attempt: none after a good connection, then twice as many each time."""
        least, self._least = self._least, 0.0
        if self._failures == 0:
            return least
        return max(min(2.0 ** min(self._failures - 1, 10), LONGEST_S) * (0.5 + self._jitter() / 2), least)
