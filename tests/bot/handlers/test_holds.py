"""Held runs: stored without a look at what stands in the way, asked anew when their moment has come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.handlers.authorization import RequestContext
from bot.handlers.moments import Clocks, Later
from bot.handlers.orders import Order, Target
from bot.states import Cause, Hold, State
from bot.store import Session, holds
from bot.tables import Run
from bot.workers.holds import HeldRuns
from demo.watched import PATIENCE
from tests.bot.house import SHOP, House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs="alone: {command: 'true', concurrency: forbid}") as made:
        yield made


def order(home: House, index: int, at: float | None = None) -> Order:
    context = RequestContext(key="k", cause=Cause.COMMENT, actor="github:octocat", login="octocat")
    job = home.tools.registry.catalog.jobs["alone"]
    later = None if at is None else Later(at, Clocks("UTC", "UTC"))
    return Order(context, index, job, Target(SHOP, False), {}, later=later)


async def enqueued(home: House, wanted: Order) -> int:
    def store(session: Session) -> int:
        return home.bot.enqueuer.enqueue(session, wanted).identity

    return int(await home.write(store))


async def test_run_for_later_is_held_and_starts_when_its_time_has_come(home: House) -> None:
    number = await enqueued(home, order(home, 0, home.now + 60.0))
    run = await home.run(number)
    assert (run.hold, run.due_at, run.admitted) == (Hold.TIME, home.now + 60.0, False)
    await home.bot.approvals.holds.look(run)
    run = await home.run(number)
    assert (run.hold, run.admitted, run.state) == (None, True, State.WAITING)
    await home.bot.approvals.holds.look(run)  # a second bot, which looked at the same time
    assert (await home.claim(Run)).number == number


async def test_what_stands_in_the_way_is_asked_when_it_is_released(home: House) -> None:
    first = await enqueued(home, order(home, 0, home.now + 60.0))
    going = await enqueued(home, order(home, 1))
    late = await home.run(first)
    await home.bot.approvals.holds.look(late)
    run = await home.run(first)
    assert (run.result, run.reason, run.reason_on and run.reason_on["run"]) == (
        "cancelled",
        "NotReleased",
        going,
    )


async def test_one_sleeper_serves_all_that_are_held(home: House) -> None:
    duty = HeldRuns(home.bot.approvals.holds, home.store, home.tools.clock)
    task = asyncio.create_task(duty.run())
    seen = home.store.wakeup("runs")
    try:
        later = await enqueued(home, order(home, 0, home.now + 9000.0))
        number = await enqueued(home, order(home, 1, home.now + 7200.0))
        home.now += 7200.0
        seen.clear()
        await home.write(lambda s: holds.look_at(s, number, Hold.TIME, at=home.now))
        async with asyncio.timeout(PATIENCE):
            await seen.wait()
    finally:
        task.cancel()
    assert [(await home.run(each)).hold for each in (later, number)] == [Hold.TIME, None]


async def test_what_cannot_be_decided_now_is_looked_at_later(home: House) -> None:
    number = await enqueued(home, order(home, 0, home.now))
    run = await home.run(number)

    async def fails(_: Run) -> None:
        raise RuntimeError("of itself")

    duty = HeldRuns(home.bot.approvals.holds, home.store, home.tools.clock)
    duty._handler.look = fails  # type: ignore[method-assign,assignment]
    await duty.look()
    again = await home.run(number)
    assert (again.hold, again.due_at > run.due_at) == (Hold.TIME, True)
