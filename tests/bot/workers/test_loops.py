"""The belts turn whatever happens on them, and let go of what is not theirs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from bot.config import job_of
from bot.errors import DatabaseAway, Refused, RetryLater
from bot.store import runs
from bot.tables import Delivery, Run
from bot.workers import retention, timing
from bot.workers.delivery_worker import MAX_TRIES, backoff
from bot.workers.loops import Workers
from bot.workers.patience import patiently
from bot.workers.pruning import Pruning
from demo.watched import PATIENCE
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import Outcome, Result, Started
from tests.bot.house import House


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Belts that look again soon."""
    monkeypatch.setattr(timing, "SWEEP", 0.02)
    monkeypatch.setattr(timing, "RENEW", 0.02)


class Watched(Workers):
    """The workers, and an event that is set whenever something was carried."""

    def __init__(self, home: House) -> None:
        made = home.bot
        super().__init__(made.holder, made.work, made.clock, made.duties)
        self.ended = asyncio.Event()
        for pool in self._pools:
            pool.work = replace(pool.work, carry=partial(self._carry, pool.work.carry))

    async def _carry(self, carry: Callable[[Any], Awaitable[None]], row: Any) -> None:
        try:
            await carry(row)
        finally:
            self.ended.set()


@asynccontextmanager
async def turning(home: House) -> AsyncIterator[Watched]:
    """The belts, turning; they end without an error."""
    made = Watched(home)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def until(home: House, holds: Callable[[Run], bool], number: int = 1) -> Run:
    """The run once it is so; looked at after every change of it."""
    async with asyncio.timeout(PATIENCE):
        with home.store.changes.listen(("run", number)) as listener:
            while not holds(run := await home.run(number)):
                await listener.wait()
        return run


async def becomes(belts: "Watched", home: House, it: Delivery, holds: Callable[[Delivery], bool]) -> Delivery:
    """The delivery once it is so; looked at whenever something was carried."""
    async with asyncio.timeout(PATIENCE):
        while True:
            belts.ended.clear()
            if holds(now := await home.delivery(it)):
                return now
            await belts.ended.wait()


async def settled(belts: "Watched", home: House, it: Delivery) -> Delivery:
    """The delivery once it is settled."""
    return await becomes(belts, home, it, lambda now: now.state != "stored")


async def free(home: House, delivery: Delivery, **values: Any) -> None:
    await home.write(
        lambda s: s.execute(update(Delivery).values(lease_owner=None, lease_until=0.0, **values))
    )
    home.store.wakeup("deliveries").set()


async def test_whole_way_from_a_comment_to_the_answer(home: House) -> None:
    logs = LogStore(home.home / "logs", 2**20)
    engine = ProcessEngine(home.home / "work", logs)
    await engine.open()
    real = home.without(engine=engine, logs=logs)
    try:
        delivery = await home.comment("/job run plain WHO=me")
        async with turning(real) as belts:
            await free(home, delivery)
            await home.github.wait_for(
                lambda: any("succeeded" in each.body for each in home.github.comments), 20
            )
            assert belts.dead() == ()
        assert await logs.tail((await home.run(1)).name) == ["hi me"]
        assert set(belts.dead()) == {"deliveries", "builds", "runs", "posts", "repositories"}
    finally:
        await engine.close()


async def test_stop_that_fails_ends_neither_the_belts_nor_the_wish(home: House) -> None:
    home.engine.faults["stop"] = [OSError("no"), EngineUnavailable("away")]
    stopped = asyncio.Event()
    real = home.engine.stop

    async def stop(key: str) -> None:
        await real(key)
        stopped.set()

    home.engine.stop = stop  # type: ignore[method-assign]
    home.engine.plans = [[Started(home.now), stopped.wait, Outcome(Result.CANCELLED)]]
    await home.says("/job run plain")
    async with turning(home):
        await until(home, lambda run: run.state == "running")
        await home.write(lambda s: runs.request_stop(s, 1, by="github:octocat", now=home.now))
        assert (await until(home, lambda run: run.state == "finished")).result == "cancelled"
    assert len(home.engine.called("stop")) == 3


async def test_run_whose_lease_another_bot_took_is_let_go(home: House) -> None:
    let_go = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            let_go.set()

    home.engine.plans = [[Started(home.now), hang]]
    await home.says("/job run plain")
    async with turning(home), asyncio.timeout(PATIENCE):
        await until(home, lambda run: run.state == "running")
        await home.write(
            lambda s: s.execute(update(Run).values(lease_owner="two", lease_until=home.now + 60))
        )
        await let_go.wait()
    assert (await home.run(1)).lease_owner == "two"
    assert home.engine.called("stop") == []


async def test_shutdown_frees_what_is_under_way(home: House) -> None:
    home.engine.plans = [[Started(home.now), asyncio.Event().wait]]
    await home.says("/job run plain")
    async with turning(home):
        await until(home, lambda run: run.state == "running")
    left = await home.run(1)
    assert (left.state, left.lease_owner) == ("running", None)


async def test_no_more_runs_at_once_than_the_limit(home: House) -> None:
    limits = home.tools.registry.config.limits.model_copy(update={"runs": 1})
    small = home.without(config=home.tools.registry.config.model_copy(update={"limits": limits}))
    gate = asyncio.Event()
    home.engine.plans = [[Started(home.now), gate.wait, Outcome(Result.SUCCEEDED)]]
    await home.says("/job run plain\n/job run plain")
    async with turning(small):
        await until(home, lambda run: run.state == "running")
        assert (await home.run(2)).state == "waiting"
        gate.set()
        await until(home, lambda run: run.state == "finished", 2)


async def test_delivery_is_tried_again_until_it_is_given_up_with_an_answer(home: House) -> None:
    home.github.fail("/permission$", 502, times=1000)
    delivery = await home.comment("/job run plain")
    await free(home, delivery)
    async with turning(home) as belts:
        tried = await becomes(belts, home, delivery, lambda now: now.note is not None)
        assert tried.state == "stored"
        await free(home, delivery, attempts=MAX_TRIES - 1, due_at=0.0)
        ended = await settled(belts, home, delivery)
        await home.github.wait_for(
            lambda: any("fault is not yours" in each.body for each in home.github.comments)
        )
    assert (ended.state, "502" in str(ended.note)) == ("failed", True)


async def test_delivery_that_kills_whoever_handles_it_is_given_up(home: House) -> None:
    delivery = await home.comment("/job run plain")
    await free(home, delivery, attempts=MAX_TRIES)
    async with turning(home) as belts:
        assert (await settled(belts, home, delivery)).state == "failed"
    assert home.github.count("/permission$") == 0


async def test_fault_of_errand_fails_the_delivery_at_once(home: House) -> None:
    home.github.fail("/pulls/7$", 404)
    delivery = await home.comment("/job run plain")
    await free(home, delivery)
    async with turning(home) as belts:
        ended = await settled(belts, home, delivery)
    assert (ended.state, ended.note) == ("failed", "Refused")


async def test_database_or_a_fault_in_one_round_ends_no_belt(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = home.store.write, [RetryLater("away"), ValueError("boom")] * 4
    home.engine.faults["prune"] = [OSError("gone")]
    pruned, prune = asyncio.Event(), home.engine.prune

    async def noted(**how: Any) -> Any:
        pruned.set()
        return await prune(**how)

    async def sometimes(work: Any) -> Any:
        if left:
            raise left.pop()
        return await real(work)

    await home.says("/job run plain")
    monkeypatch.setattr(home.store, "write", sometimes)
    monkeypatch.setattr(home.engine, "prune", noted)
    async with turning(home):
        await until(home, lambda run: run.state == "finished")
        await asyncio.wait_for(pruned.wait(), PATIENCE)  # a duty of its own: the run does not wait for it


async def test_failure_to_give_up_leaves_the_delivery_for_later(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    belts = home.bot.workers
    delivery = await home.comment("/job run plain")
    delivery.attempts = MAX_TRIES + 1

    async def away(work: Any) -> Any:
        raise DatabaseAway("away")

    monkeypatch.setattr(home.store, "write", away)
    with capture_logs() as lines:
        await belts._pools[0].carry(delivery)
    assert (await home.delivery(delivery)).state == "stored"
    assert [line["event"] for line in lines] == ["delivery.failed"]  # the fault, not the database


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (DatabaseAway("away"), []),
        (RetryLater("GitHub is away"), [("claim.failed", "warning")]),
        (EngineUnavailable("away"), [("claim.failed", "warning")]),
        (Refused("damaged"), [("claim.failed", "warning")]),
        (ValueError("a fault"), [("claim.failed", "error")]),
    ],
)
async def test_what_is_away_is_no_fault_with_a_traceback(error: Exception, logged: list[Any]) -> None:
    async def fail() -> None:
        raise error

    with capture_logs() as lines:
        await patiently("claim", fail)
    assert [(line["event"], line["log_level"]) for line in lines] == logged
    assert all("exc_info" not in line for line in lines if line["log_level"] == "warning")


async def test_row_claimed_anew_by_its_own_bot_is_carried_once(home: House) -> None:
    gate = asyncio.Event()
    home.engine.plans = [[Started(home.now), gate.wait, Outcome(Result.SUCCEEDED)]]
    await home.says("/job run plain")
    async with turning(home):
        await until(home, lambda run: run.state == "running")
        async with asyncio.timeout(PATIENCE):
            # Claiming is no change that anybody is told of, so it is looked for; and the lease that was
            # taken away may have been renewed before anybody saw it.
            while (await home.run(1)).attempts < 2:
                await home.write(lambda s: s.execute(update(Run).values(lease_until=0.0)))
                home.store.wakeup("runs").set()
        gate.set()
        await until(home, lambda run: run.state == "finished")
    assert len(home.engine.specs) == 1


async def test_what_a_job_no_longer_keeps_goes_when_a_newer_run_has_ended(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "GATHER", 0.0)
    monkeypatch.setattr(retention, "REST", 0.01)
    monkeypatch.setattr(retention, "AGAIN", 0.0)  # the clock stands still, and ends are told in between
    gone, registry = asyncio.Event(), home.tools.registry
    real = Pruning.remove

    async def remove(self: Pruning, numbers: Collection[int]) -> int:
        count = await real(self, numbers)
        gone.set()
        return count

    monkeypatch.setattr(Pruning, "remove", remove)
    small = job_of(b'{"command": "true", "keep": 1}', "small", registry.config)
    await registry.put(small, actor="token:boss", expected=lambda version: version is None)
    home.engine.plans = [[Started(home.now), Outcome(Result.SUCCEEDED)]]
    await home.says("/job run small\n/job run small")
    async with turning(home), asyncio.timeout(PATIENCE):
        await gone.wait()
        assert await home.store.read(lambda s: runs.get(s, 1)) is None
        assert (await home.run(2)).result == "succeeded"


def test_backoff_grows_to_two_minutes() -> None:
    assert [backoff(tries) for tries in (0, 1, 2, 5, 50)] == [1, 1, 2, 16, 120]
