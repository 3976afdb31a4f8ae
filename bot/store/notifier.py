"""Notices: what a bot commits on PostgreSQL wakes the others, too (LISTEN and NOTIFY).

They go out with the commit or not at all. They only ever wake: what counts is in the tables, and queues
look by themselves once in a while, so one that is lost costs seconds. A connection that broke is made
anew, and then everything is rung, because nobody knows what was missed.
https://www.postgresql.org/docs/current/sql-notify.html
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import structlog

from bot.store.clocks import CLOCK, Skew
from bot.store.payloads import CHANNEL, heard
from bot.store.wakeups import Queue
from bot.store.watchers import Subject

log = structlog.get_logger()

HEARTBEAT = 30.0
"""Seconds between two looks at the database's clock, which also show that the connection lives."""
ANSWER = 10.0
"""Seconds that the database may take to answer."""
AGAIN = (0.5, 10.0)
"""Seconds until a broken connection is made anew: the first time, and at most."""


class Notifier:
    """Hears what other bots commit; `run` until it is cancelled.

    `arguments` are those of a connection. `some` and `everything` ring: called on the event loop's thread.
    """

    def __init__(
        self,
        arguments: Mapping[str, Any],
        owner: str,
        *,
        some: Callable[[set[Queue], Sequence[Subject]], None],
        everything: Callable[[], None],
    ) -> None:
        self._arguments = arguments
        self._owner = owner
        self._some = some
        self._everything = everything
        self._lost = False
        self.skew: Skew | None = None
        """Brought up to date with every heartbeat, where it is set."""
        self.tried = asyncio.Event()
        """Set once the first connection listens, or has failed."""

    async def run(self) -> None:
        """Listen for ever, over one connection after the other."""
        delay = AGAIN[0]
        while True:
            try:
                async with asyncio.timeout(ANSWER):
                    connection = await psycopg.AsyncConnection.connect(**self._arguments, autocommit=True)
                async with connection:
                    async with asyncio.timeout(ANSWER):
                        await connection.execute(f"LISTEN {CHANNEL}")
                    delay = AGAIN[0]
                    if self.tried.is_set():
                        self._everything()
                    if self._lost:
                        log.info("notices.back")
                    self._lost = False
                    self.tried.set()
                    await self._listen(connection)
            except (psycopg.Error, OSError) as error:  # TimeoutError is one
                if not self._lost:
                    log.warning("notices.lost", error=str(error).strip().partition("\n")[0])
                self._lost = True
            except Exception:
                log.exception("notices.failed")
            self.tried.set()
            await asyncio.sleep(delay)
            delay = min(2 * delay, AGAIN[1])

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            async for notice in connection.notifies(timeout=HEARTBEAT):
                news = heard(notice.payload)
                if news is not None and news[0] != self._owner:
                    self._some(news[1], news[2])
            async with asyncio.timeout(ANSWER):
                await self._look_at_clock(connection)

    async def _look_at_clock(self, connection: psycopg.AsyncConnection[Any]) -> None:
        before = self.skew.ask() if self.skew else 0.0
        row = await (await connection.execute(CLOCK)).fetchone()
        if self.skew is not None and row is not None:
            self.skew.measure(before, float(row[0]), self.skew.ask())
