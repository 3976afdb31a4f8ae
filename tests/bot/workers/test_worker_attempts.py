"""A run whose job has `retries` makes each attempt once, wherever the bot is killed or stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import RetryLater
from bot.messages import waiting_for
from bot.messages.view import run_view
from bot.store import attempts, leases, runs
from bot.tables import Build, Run
from bot.workers import worker
from executor.errors import EngineUnavailable
from executor.spec import Outcome, Progress, Result, RunSpec, Started
from tests.bot.engine import ObedientEngine, Step
from tests.bot.house import House, house

OK = Outcome(Result.SUCCEEDED, exit_code=0)
BAD = Outcome(Result.FAILED, exit_code=3, started_at=10.0, finished_at=12.0)
JOB = (
    "  flaky: {command: x, retries: 2}\n  built: {image: shop, command: x, retries: 2}\n"
    "  fine: {command: x, retries: {attempts: 4, on: [exit: [75]], never: [exit: [2]], delay: 10s}}\n"
)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(worker, "AGAIN", 0.001)
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.01)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house with a job that may be tried three times."""
    async with house(tmp_path, jobs=JOB) as made:
        yield made


@pytest.fixture
async def run(home: House) -> Run:
    """A claimed run of that job."""
    await home.says("/job run flaky")
    return await home.claim(Run)


async def ends(home: House, number: int) -> list[tuple[int, str, int | None]]:
    """Number, result and exit code of the attempts that ended."""
    found = await home.store.read(lambda s: attempts.of_runs(s, [number]))
    return [(each.attempt, each.result, each.exit_code) for each in found[number]]


async def carry(home: House, row: Run) -> None:
    """Carry a claimed run to its end, whenever its next attempt is due."""
    while True:
        await home.bot.runner.carry(row)
        now = await home.run(row.identity)
        if now.state == "finished":
            return
        assert (now.state, now.due_at > home.now) == ("waiting", True)
        home.now = now.due_at
        row = await home.claim(Run)


def keys(home: House) -> list[str]:
    return [spec.key for spec in home.engine.specs]


async def test_each_attempt_has_its_own_name_and_is_kept_apart(home: House, run: Run) -> None:
    begun = home.now + 1  # of what began before it was asked for, that moment would count
    home.engine.plans = [[Started(begun), BAD], [Started(begun + 20), BAD], [Started(begun + 40), OK]]
    await carry(home, run)
    ended = await home.run(1)
    assert (ended.state, ended.result, ended.exit_code, ended.attempt) == ("finished", "succeeded", 0, 3)
    assert ended.started_at == begun  # it took as long as all of them together
    assert keys(home) == [run.name, f"{run.name}.2", f"{run.name}.3"]
    assert home.engine.called("remove") == keys(home)
    assert await ends(home, 1) == [(1, "failed", 3), (2, "failed", 3), (3, "succeeded", 0)]


@pytest.mark.parametrize("result", [Result.FAILED, Result.TIMED_OUT, Result.ERROR])
async def test_last_attempt_is_the_end_of_the_run(home: House, run: Run, result: Result) -> None:
    home.engine.plans = [[Started(10.0), Outcome(result, reason="Why")]]
    await carry(home, run)
    ended = await home.run(1)
    assert (ended.result, ended.reason, ended.attempt) == (result, "Why", 3)
    assert len(keys(home)) == 3


async def test_job_says_which_ends_deserve_another_attempt(home: House) -> None:
    def left(code: int) -> list[Step]:
        return [Started(10.0), Outcome(Result.FAILED, exit_code=code)]

    await home.says("/job run fine")
    home.engine.plans = [left(75), left(75), left(2)]
    asked = home.now
    await carry(home, await home.claim(Run))
    ended = await home.run(1)
    assert (ended.result, ended.exit_code, ended.attempt, len(keys(home))) == ("failed", 2, 3, 3)
    assert home.now - asked == 10 + 20
    (told,) = await home.says("/job status #1")
    assert "exit code 2" in told
    view = run_view(ended)
    assert ("not tried again:", "exit: 2", " is in never") in view.facts
    (answer,) = await home.says("/job plan fine")
    assert "up to 4 attempts, another after `exit: 75`, never after `exit: 2`; 10s later" in answer
    await home.says("/job run fine")
    home.engine.plans = [left(3)]
    await carry(home, await home.claim(Run))
    assert (await home.run(2)).attempt == 1


async def test_cancelled_attempt_is_not_tried_again(home: House, run: Run) -> None:
    home.engine.plans = [[Started(10.0), Outcome(Result.CANCELLED, exit_code=143)]]
    await carry(home, run)
    assert ((await home.run(1)).result, len(keys(home))) == ("cancelled", 1)


async def test_run_between_attempts_shows_nothing_of_the_last_one_s_end(home: House, run: Run) -> None:
    seen: list[Run] = []

    async def look() -> None:
        seen.append(await home.run(1))

    home.engine.plans = [[Started(10.0), BAD], [look, Started(20.0), look, OK]]
    await carry(home, run)
    assert [(each.state, each.attempt, each.result, each.exit_code) for each in seen] == [
        ("starting", 2, None, None),
        ("running", 2, None, None),
    ]


async def test_stop_that_came_just_before_the_end_of_an_attempt_wins(home: House, run: Run) -> None:
    async def ask() -> None:
        await home.write(lambda s: runs.request_stop(s, 1, by="github:octocat", now=home.now))

    home.engine.plans = [[Started(10.0), ask, BAD]]
    await carry(home, run)
    assert ((await home.run(1)).result, len(keys(home))) == ("cancelled", 1)
    assert await ends(home, 1) == [(1, "failed", 3)]


async def test_stop_between_two_attempts_keeps_the_next_from_starting(home: House, run: Run) -> None:
    home.engine.plans = [[Started(10.0), BAD]]
    await home.bot.runner.carry(run)
    await home.write(lambda s: runs.request_stop(s, 1, by="github:octocat", now=home.now))
    await carry(home, run)
    ended = await home.run(1)
    assert (ended.result, ended.attempt, ended.exit_code, keys(home)) == ("cancelled", 1, None, [run.name])


async def test_retry_whose_image_was_cleared_away_builds_it_again(home: House) -> None:
    await home.says("/job run built")
    home.engine.plans = [
        [Started(1.0), Outcome(Result.SUCCEEDED, image="old")],
        [Started(10.0), BAD],
        [Started(15.0), Outcome(Result.SUCCEEDED, image="new")],
        [Started(20.0), OK],
    ]
    await home.bot.builder.carry(await home.claim(Build))
    await home.bot.runner.carry(await home.claim(Run))
    home.engine.gone = {"old"}
    home.now = (await home.run(1)).due_at
    await home.bot.runner.carry(await home.claim(Run))
    assert ((await home.run(1)).state, (await home.run(1)).build_number) == ("waiting", 2)
    await home.bot.builder.carry(await home.claim(Build))
    await carry(home, await home.claim(Run))
    ended = await home.run(1)
    assert (ended.result, ended.attempt, ended.digest) == ("succeeded", 2, "new")
    assert await ends(home, 1) == [(1, "failed", 3), (2, "succeeded", 0)]


async def test_card_says_what_a_run_between_two_attempts_waits_for(home: House, run: Run) -> None:
    home.engine.plans = [[Started(10.0), BAD]]
    await home.bot.runner.carry(run)
    waiting = await home.run(1)
    assert waiting_for(waiting) == "attempt 2 of 3 to begin 2s after the one before"
    assert (await home.says("/job status #1"))[0].count("is waiting for attempt 2 of 3") == 1


async def test_stop_reaches_the_attempt_that_goes_on(home: House, run: Run) -> None:
    hands = home.bot.runner

    async def stop() -> None:
        await hands.stop(run)

    home.engine.plans = [[Started(10.0), BAD], [Started(20.0), stop, Outcome(Result.CANCELLED, exit_code=7)]]
    await hands.carry(run)
    home.now = (await home.run(1)).due_at
    await hands.carry(await home.claim(Run))
    assert home.engine.called("stop") == [f"{run.name}.2"]
    assert await ends(home, 1) == [(1, "failed", 3), (2, "cancelled", 7)]


async def test_database_that_is_away_between_attempts_starts_none_of_them_again(
    home: House, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, away = home.store.read, list[RetryLater]()

    async def leave() -> None:
        away.extend([RetryLater("away")] * 3)

    async def sometimes(work: Callable[..., Any]) -> Any:
        if away:
            raise away.pop()
        return await real(work)

    monkeypatch.setattr(home.store, "read", sometimes)
    gone = EngineUnavailable("away", delay=0.001)
    home.engine.plans = [[Started(10.0), BAD], [leave, gone], [Started(20.0), OK]]
    await carry(home, run)
    assert keys(home) == [run.name, f"{run.name}.2", f"{run.name}.2"]


async def test_end_of_an_attempt_that_another_bot_holds_is_not_ours_to_say(home: House, run: Run) -> None:
    async def lose() -> None:
        await home.write(lambda s: leases.release(s, owner="one"))

    home.engine.plans = [[Started(10.0), lose, BAD]]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).attempt == 1
    assert (await ends(home, 1), home.engine.called("remove")) == ([], [])


class Killed(BaseException):
    """The bot is gone: no line after this one runs."""


class Fate:
    """Kills at the `moment`-th place where a bot may be killed."""

    def __init__(self, moment: int) -> None:
        self.left = moment

    def comes(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise Killed


class MortalEngine(ObedientEngine):
    """The bot may be killed before and after whatever this engine is asked for or tells; its jobs go on."""

    def __init__(self, fate: Fate, results: list[Outcome]) -> None:
        super().__init__()
        self.fate = fate
        self.plans = [[Started(10.0), result] for result in results]
        self.pins = [[Outcome(Result.ERROR, reason="ImageMissing")]]

    async def run(self, spec: RunSpec) -> AsyncIterator[Progress]:
        self.fate.comes()
        async for progress in super().run(spec):
            self.fate.comes()
            yield progress

    async def remove(self, key: str) -> None:
        self.fate.comes()
        await super().remove(key)
        self.fate.comes()


async def test_killed_at_any_line_no_attempt_is_lost_or_doubled(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every moment before and after each thing that lasts: the engine's and the database's."""
    real = home.store.write
    fate = Fate(10**9)

    async def write(work: Callable[..., Any]) -> Any:
        fate.comes()
        value = await real(work)
        fate.comes()
        return value

    moment, survived = 0, False
    while not survived:
        await home.says("/job run flaky")
        fate = Fate(10**9)
        engine = MortalEngine(fate, [BAD, BAD, OK])
        row = await home.claim(Run)
        mortal = home.without(engine=engine)
        fate.left = moment
        monkeypatch.setattr(home.store, "write", write)
        survived, rest = True, [row]
        while rest:
            try:
                await mortal.bot.runner.carry(rest[0])
            except Killed:
                survived = False
                fate.left = 10**9
                await real(lambda s: leases.release_all(s))
            home.now += 300.0
            rest = await real(lambda s: runs.claim(s, owner="one", now=home.now, lease=60.0, limit=1))
        monkeypatch.setattr(home.store, "write", real)
        number = row.identity
        names = [row.name, f"{row.name}.2", f"{row.name}.3"]
        assert dict(engine.begun) == dict.fromkeys(names, 1), f"killed at moment {moment}"
        assert await ends(home, number) == [(1, "failed", 3), (2, "failed", 3), (3, "succeeded", 0)]
        assert ((await home.run(number)).result, (await home.run(number)).attempt) == ("succeeded", 3)
        moment += 1
        await asyncio.sleep(0)
    assert moment > 25
