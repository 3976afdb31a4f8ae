"""Answers that wait for the end of a run: without a poll, and never longer than somebody listens."""

import asyncio
from contextlib import suppress

from starlette.requests import Request

from bot.errors import RetryLater
from bot.states import State
from bot.store import Store, runs
from bot.tables import Run
from webhooks.streams import Streams, gone

LOOK_S = 15.0
"""Seconds after which the run is looked at, though no change of it was heard of."""


async def run_at_end(
    store: Store, streams: Streams, request: Request, run: Run, seconds: float, visitor: str
) -> Run:
    """The run as it is once it has ended, or after so many seconds, or when nobody waits any more.

    It takes one of the places that streams have: where none is free, and when the service shuts down, the run
    is given as it is. So it is while the database is away.
    """
    if run.state == State.FINISHED or not streams.has_room(visitor):
        return run
    with streams.counted(visitor):
        latest = _LatestRun(run)
        waits = [
            asyncio.ensure_future(_watch(store, latest)),
            asyncio.ensure_future(gone(request.receive)),
            asyncio.ensure_future(streams.closing.wait()),
        ]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            outcomes = await asyncio.gather(*waits, return_exceptions=True)
        if isinstance(outcomes[0], Exception):
            raise outcomes[0]
        return latest.run


class _LatestRun:
    """The run as it was read last."""

    def __init__(self, run: Run) -> None:
        self.run = run


async def _watch(store: Store, latest: _LatestRun) -> None:
    number = latest.run.identity
    with store.changes.listen(("run", number)) as wakeup:
        while True:
            with suppress(RetryLater):
                row = await store.read(lambda s: runs.get(s, number))
                latest.run = latest.run if row is None else row
            if latest.run.state == State.FINISHED:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await wakeup.wait()
