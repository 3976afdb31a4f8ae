"""Runs that are watched until something holds of them."""

import asyncio

from bot.errors import RetryLater
from bot.states import State
from bot.store import Session, Store, runs
from bot.tables import Run
from tests.webhooks.api.served_runs import enqueue, move, opened
from webhooks.api.waiting import Watch

__all__ = ["opened"]


async def test_watch_rests_while_the_database_does_and_goes_on_with_the_next_change(opened: Store) -> None:
    looks: list[int] = []
    away = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read(session: Session, number: int) -> Run | None:
        looks.append(number)
        loop.call_soon_threadsafe(away.set)
        if len(looks) == 1:
            raise RetryLater("away")
        return runs.get(session, number)

    run = await enqueue(opened)
    watch = Watch(opened, run, read)
    watching = asyncio.create_task(watch.until(lambda row: row.state == State.STARTING))
    await away.wait()
    for _ in range(20):
        await opened.read(lambda session: None)
    assert len(looks) == 1
    await move(opened, run, State.STARTING)
    await watching
    assert (watch.row.state, len(looks)) == (State.STARTING, 2)
