"""Several bots on one database and one cluster: killed, paused or stopped, nothing is lost or doubled."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from demo.installation import Event, Installation, Where, installation
from demo.watched import PATIENCE
from tests.flows.test_jobs import token
from tests.kubernetes.serving import Server, missing, serving

pytestmark = pytest.mark.postgres

HERE = Path(__file__).parent
RUNS = 200


@pytest.fixture
def cluster() -> Iterator[Server]:
    """A cluster whose containers see the files of this machine."""
    if reason := missing():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with serving("--cheap", "--namespace", "jobs") as server:
        yield server


@pytest.fixture
def where(postgres_url: str, cluster: Server) -> Where:
    environ = {"ERRAND_DATABASE": postgres_url, "CLUSTER": str(cluster.kubeconfig)}
    return Where(config=HERE / "several.yaml", sample=HERE / "repository", environ=environ)


@asynccontextmanager
async def bots(home: Path, where: Where, count: int = 2) -> AsyncIterator[list[Installation]]:
    """So many bots, each a process with a door of its own, between the same stand-ins."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(installation(home, **where))
        made = [first]
        for _ in range(count - 1):
            environ = first.environ | {"ERRAND_URL": first.url}
            bot = Installation(home, first.beside, config=where["config"], environ=environ)
            stack.push_async_callback(bot.close)
            await bot.start()
            made.append(bot)
        yield made


async def until(made: Sequence[Installation], holds: Callable[[], bool]) -> None:
    """Return once it is so; looked at after every line of any bot's log."""
    said = asyncio.Event()

    def on_event(event: Event) -> None:
        print(event)  # shown when a test fails
        said.set()

    for bot in made:
        bot.on_event = on_event
    async with asyncio.timeout(PATIENCE):
        while not holds():
            said.clear()
            await said.wait()


async def ask(bot: Installation, numbers: range) -> None:
    """Ask for runs over HTTP, ten in a comment."""
    home = bot.home
    lines = [f"/job run wait ID=n{each} MARKS={home}/marks GATE={home}/gate" for each in numbers]
    for start in range(0, len(lines), 10):
        await bot.comment("\n".join(lines[start : start + 10]))


def running(bot: Installation) -> int:
    """How many runs the bot has told to run."""
    return sum(each.get("event") == "run.running" for each in bot.events)


def carried(url: str, pid: int) -> set[int]:
    """The runs under way that the bot with this process id holds."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT number FROM runs WHERE lease_owner LIKE %s AND state IN ('starting', 'running')",
            (f"%-{pid}-%",),
        )
        return {row[0] for row in rows}


def numbers(url: str) -> set[int]:
    """Those of all runs; a transaction that came to nothing leaves a gap."""
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT number FROM runs")}


def taken(bot: Installation) -> set[int]:
    """The runs under way that the bot took over from others."""
    return {
        key
        for each in bot.events
        if each.get("event") == "taken_over" and each.get("queue") == "runs"
        for key in each["keys"]
    }


async def all_told(bot: Installation, runs: int, seconds: float = PATIENCE) -> None:
    """Every run has a card that says how it ended, and one only."""
    github = bot.beside.github

    def told() -> bool:
        cards = [each for each in github.comments if each.login == github.bot_login]
        return len(cards) >= runs and all("succeeded" in each.body for each in cards)

    await github.wait_for(told, seconds)
    cards = [each for each in github.comments if each.login == github.bot_login]
    assert len(cards) == runs, Counter(each.body[:60] for each in cards)
    assert {sum("succeeded" in text for text in each.history) for each in cards} == {1}


async def logs_are_whole(bot: Installation, url: str, runs: int) -> None:
    """Every log has each of its lines once."""
    secret = await token(bot)
    found = []
    for number in numbers(url):
        said = (await bot.get(f"/api/runs/{number}/logs", token=secret)).text.split()
        assert said[0::2] == ["begun", "ended"], (number, said)
        assert said[1] == said[3]
        found.append(said[1])
    assert sorted(found) == sorted(f"n{each}" for each in range(runs))


def each_ran_once(home: Path, runs: int) -> None:
    marks = Counter((home / "marks").read_text().split())
    assert marks == Counter({f"n{each}": 1 for each in range(runs)})


async def test_killed_in_the_middle_of_200_runs_loses_and_doubles_nothing(
    tmp_path: Path, where: Where, postgres_url: str, cluster: Server
) -> None:
    async with bots(tmp_path, where) as (one, two):
        half = RUNS // 2
        await asyncio.gather(ask(one, range(half)), ask(two, range(half, RUNS)))
        await one.wait_for(lambda: running(one) >= 20)
        await two.wait_for(lambda: running(two) >= 20)
        pid = one.pid
        killed = time.monotonic()
        await one.kill()
        orphans = carried(postgres_url, pid)
        assert orphans
        await two.wait_for(lambda: orphans <= taken(two))
        took = time.monotonic() - killed  # a lease and a sweep where the machine does nothing else
        print(f"{len(orphans)} runs of the killed bot were taken over after {took:.1f} s")
        (tmp_path / "gate").touch()
        await all_told(two, RUNS, 300)
        await logs_are_whole(two, postgres_url, RUNS)
        print(cluster.figures())
    each_ran_once(tmp_path, RUNS)


async def test_paused_bot_does_nothing_that_another_one_did_meanwhile(
    tmp_path: Path, where: Where, postgres_url: str
) -> None:
    async with bots(tmp_path, where) as (one, two):
        await ask(one, range(20))
        await until([one, two], lambda: running(one) + running(two) >= 20)
        one, two = sorted((one, two), key=lambda bot: -len(carried(postgres_url, bot.pid)))
        mine = carried(postgres_url, one.pid)
        theirs = numbers(postgres_url) - mine
        with paused(one.pid, postgres_url):
            await two.wait_for(lambda: mine <= taken(two))
            (tmp_path / "gate").touch()
            await two.wait_for(lambda: two.ended(theirs))
        await all_told(two, 20)  # of those taken over the paused bot still had the logs in hand
        await ask(one, range(20, 30))
        await all_told(one, 30)
        await logs_are_whole(one, postgres_url, 30)
    each_ran_once(tmp_path, 30)


@contextmanager
def paused(pid: int, url: str) -> Iterator[None]:
    """The process stands still, and not in the middle of a transaction: its locks would hold up everybody."""
    os.kill(pid, signal.SIGSTOP)
    try:
        while in_transaction(url):
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def in_transaction(url: str) -> bool:
    """Whether somebody has begun a transaction and does not go on with it."""
    looks = []
    with psycopg.connect(url, autocommit=True) as connection:
        for pause in (0.5, 0):
            rows = connection.execute(
                "SELECT pid, state_change FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            )
            looks.append(set(rows))
            time.sleep(pause)
    return bool(looks[0] & looks[1])


async def test_log_and_cancel_reach_the_bot_that_carries_the_run(
    tmp_path: Path, where: Where, postgres_url: str
) -> None:
    async with bots(tmp_path, where) as (one, two):
        await ask(one, range(2))
        await until([one, two], lambda: running(one) + running(two) >= 2)
        for number in (1, 2):
            here, there = (one, two) if number in carried(postgres_url, one.pid) else (two, one)
            secret = await token(there)
            lines: list[str] = []
            async with asyncio.timeout(PATIENCE):
                async for line in there.log_lines(number, secret):
                    lines.append(line)
                    if number == 1:
                        await there.comment("/job cancel #1")
                    else:
                        (tmp_path / "gate").touch()
            # The other one may see the end in the database before this one's log is read here.
            await here.wait_for(partial(here.has_logged, "run.finished", number))
            assert lines[0].split()[0] == "begun"
            assert ("ended" in lines[-1]) == (number == 2)


async def test_bot_that_stops_hands_its_runs_over_at_once(
    tmp_path: Path, where: Where, postgres_url: str
) -> None:
    async with bots(tmp_path, where, count=3) as made:
        await ask(made[0], range(30))
        await until(made, lambda: sum(running(bot) for bot in made) >= 30)
        first = max(made, key=lambda bot: len(carried(postgres_url, bot.pid)))
        others = [bot for bot in made if bot is not first]
        mine = carried(postgres_url, first.pid)
        assert mine
        assert await first.stop() == 0
        stopped = time.monotonic()
        await until(others, lambda: mine <= taken(others[0]) | taken(others[1]))
        print(f"{len(mine)} runs were handed over in {time.monotonic() - stopped:.2f} s")
        (tmp_path / "gate").touch()
        await all_told(others[0], 30)
        await logs_are_whole(others[1], postgres_url, 30)
    each_ran_once(tmp_path, 30)
