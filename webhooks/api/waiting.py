"""Runs and builds that are watched: without a poll, and never longer than somebody listens."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from starlette.requests import Request

from bot.errors import RetryLater
from bot.states import State
from bot.store import Session, Store, runs
from bot.tables import Build, Run
from webhooks.streams import Streams

LOOK_S = 15.0
"""Seconds after which a row is looked at, though no change of it was heard of."""

Row = TypeVar("Row", Run, Build)


class Watch(Generic[Row]):
    """A run or a build: `row` is what was read of it last."""

    def __init__(self, store: Store, row: Row, read: Callable[[Session, int], Row | None]) -> None:
        self.row: Row = row
        self._store = store
        self._read: Callable[[Session, int], Row | None] = read

    async def until(self, over: Callable[[Row], bool]) -> None:
        """Returns when `over` holds of the row, which it may do already; not while the database is away."""
        number = self.row.identity
        with self._store.changes.listen((self.row.kind, number)) as wakeup:
            while not over(self.row):
                with suppress(RetryLater):
                    latest = await self._store.read(lambda s: self._read(s, number))
                    self.row = self.row if latest is None else latest
                    if over(self.row):
                        return
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await wakeup.wait()


async def run_at_end(
    store: Store, streams: Streams, request: Request, run: Run, seconds: float, visitor: str
) -> Run:
    """The run as it is once it has ended, or after so many seconds, or when nobody waits any more.

    It takes one of the places that streams have: where none is free, and when the service shuts down, the run
    is given as it is. So it is while the database is away.
    """
    watch = Watch(store, run, runs.get)
    if run.state != State.FINISHED and streams.has_room(visitor):
        with streams.counted(visitor):
            end = watch.until(lambda row: row.state == State.FINISHED)
            await streams.while_heard(end, request.receive, most=seconds)
    return watch.row
