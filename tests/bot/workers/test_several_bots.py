"""Two bots on one PostgreSQL with an engine that both can reach: they share, take over, and never double."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.states import State
from bot.store import Store, runs
from bot.store.watchers import ANY
from bot.tables import Run
from bot.workers import timing
from demo import deliveries as payloads
from demo.watched import PATIENCE
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from tests.bot.house import SHOP, House, house

pytestmark = pytest.mark.postgres

RUNS = 40
JOBS = """\
  mark:
    command: 'echo "$ID" >> {home}/marks; until test -e {home}/gate; do sleep 1; done; echo "end $ID"'
    parameters: {{ID: {{required: true}}}}
"""


class Bot:
    """One bot: its belts turn until it is stopped, or until it is gone from one moment to the next."""

    def __init__(self, home: House) -> None:
        self.home = home
        self._turning = asyncio.create_task(home.bot.workers.run())

    async def stop(self) -> None:
        self._turning.cancel()
        await asyncio.gather(self._turning, return_exceptions=True)

    async def vanish(self) -> None:
        """Nothing that it does from now on is stored, not even that it lets go."""
        await self.home.store.close()
        await self.stop()


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that run out soon."""
    for name, seconds in (("LEASE", 3.0), ("RENEW", 0.5), ("SWEEP", 0.5)):
        monkeypatch.setattr(timing, name, seconds)


@asynccontextmanager
async def bots(tmp_path: Path, url: str) -> AsyncIterator[tuple[Bot, Bot]]:
    async with AsyncExitStack() as stack:
        jobs = JOBS.format(home=tmp_path)
        home = await stack.enter_async_context(house(tmp_path, jobs=jobs))
        logs = LogStore(home.home / "logs", 2**20)
        engine = ProcessEngine(home.home / "work", logs)
        await engine.open()
        stack.push_async_callback(engine.close)
        made = []
        for owner in ("one", "two"):
            store = await stack.enter_async_context(await Store.open(url, owner=owner))
            registry = await Registry.open(home.tools.registry.config, store, home.tools.clock)
            bot = Bot(home.without(store=store, registry=registry, engine=engine, logs=logs, owner=owner))
            stack.push_async_callback(bot.stop)
            made.append(bot)
        yield made[0], made[1]


async def until(store: Store, holds: Callable[[list[Run]], bool]) -> list[Run]:
    """All runs once it is so; looked at after every change of any of them, as this bot hears of it."""
    async with asyncio.timeout(PATIENCE):
        with store.changes.listen(ANY) as listener:
            while not holds(found := await store.read(lambda s: runs.page(s, limit=1000))):
                await listener.wait()
    return found


async def say(home: House, body: str) -> None:
    """Somebody comments, and a bot of this house takes the delivery in."""
    made = home.github.add_comment("Acme/Shop", 7, "octocat", body)
    payload = payloads.issue_comment(SHOP, 7, made.id, "octocat", body, private=True, at=home.now)
    await home.store.add_delivery(
        key=f"github:{made.id}",
        source="github",
        event="issue_comment",
        media_type="application/json",
        body=json.dumps(payload).encode(),
        now=home.now,
    )


async def ask(home: House, count: int) -> None:
    """Ask for runs, ten in a comment."""
    for start in range(0, count, 10):
        await say(home, "\n".join(f"/job run mark ID=n{start + each}" for each in range(10)))


async def test_one_of_two_bots_vanishes_and_nothing_is_lost_or_doubled(
    tmp_path: Path, postgres_url: str
) -> None:
    async with bots(tmp_path, postgres_url) as (one, two):
        await ask(one.home, RUNS)
        under_way = await until(two.home.store, lambda all: _count(all, State.RUNNING) == RUNS)
        owners = Counter(run.lease_owner for run in under_way)
        assert min(owners["one"], owners["two"]) > 0, owners  # both work, though all was asked of one
        await one.vanish()
        (tmp_path / "gate").touch()
        ended = await until(two.home.store, lambda all: _count(all, State.FINISHED) == RUNS)
        assert {run.result for run in ended} == {"succeeded"}
        github = two.home.github
        await github.wait_for(lambda: sum("succeeded" in each.body for each in github.comments) >= RUNS)
        for run in ended:
            assert await two.home.tools.logs.tail(run.name) == [f"end {run.parameters['ID']}"]
    marks = (tmp_path / "marks").read_text().split()
    assert sorted(marks) == sorted(f"n{number}" for number in range(RUNS))
    cards = [each for each in github.comments if each.login == github.bot_login]
    assert len(cards) == RUNS
    assert {sum("succeeded" in text for text in each.history) for each in cards} == {1}


async def test_stop_asked_of_one_bot_reaches_the_one_that_carries_the_run(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEASE", "RENEW", "SWEEP"):
        monkeypatch.setattr(timing, name, 3600.0)  # nobody looks by itself
    async with bots(tmp_path, postgres_url) as (one, two):
        await ask(one.home, 10)
        under_way = await until(one.home.store, lambda all: _count(all, State.RUNNING) == 10)
        run = under_way[-1]
        number = run.identity
        other = (two if run.lease_owner == "one" else one).home
        await other.write(lambda s: runs.request_stop(s, number, by="github:octocat", now=other.now))
        after = await until(other.store, lambda all: _count(all, State.FINISHED) == 1)
        assert {each.result for each in after if each.number == number} == {"cancelled"}
        (tmp_path / "gate").touch()
        await until(one.home.store, lambda all: _count(all, State.FINISHED) == 10)


async def test_bot_that_shuts_down_hands_over_at_once(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEASE", "RENEW", "SWEEP"):
        monkeypatch.setattr(timing, name, 3600.0)  # nobody looks by itself
    async with bots(tmp_path, postgres_url) as (one, two):
        await ask(one.home, 10)
        await until(two.home.store, lambda all: _count(all, State.RUNNING) == 10)
        await one.stop()
        (tmp_path / "gate").touch()
        ended = await until(two.home.store, lambda all: _count(all, State.FINISHED) == 10)
        assert {run.result for run in ended} == {"succeeded"}
    assert len((tmp_path / "marks").read_text().split()) == 10


def _count(all: list[Run], state: State) -> int:
    return sum(run.state == state for run in all)
