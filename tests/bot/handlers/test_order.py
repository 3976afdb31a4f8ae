"""A job runs only where another one has succeeded for the same commit or image: by every door, also again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import runs
from bot.tables import Build, Run
from executor.spec import Outcome, Result, Started
from tests.bot.handlers.test_ready_images import CONTAINED, PINNED
from tests.bot.house import House, house, merged

JOBS = """
stage: {image: shop, command: x}
live: {image: shop, command: x, after: {job: stage, of: commit, within: 7d}}
"""
IMAGES = {
    "first": {"image": "tools", "command": "true"},
    "second": {"image": "tools", "command": "true", "after": {"job": "first", "of": "image"}},
}
OK = Outcome(Result.SUCCEEDED, exit_code=0)
BAD = Outcome(Result.FAILED, exit_code=1)
DAY = 86400.0


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.engine.plans = [[Outcome(Result.SUCCEEDED, image="tree:1")]]
        yield made


async def carry(home: House, number: int, end: Outcome = OK) -> Run:
    """Carry a run, and its build first, to this end."""
    run = await home.run(number)
    if run.build_number is not None and run.digest is None:
        home.engine.plans = [[Outcome(Result.SUCCEEDED, image="tree:1")]]
        await home.bot.builder.carry(await home.claim(Build))
    home.engine.plans = [[Started(home.now), end]]
    await home.bot.runner.carry(await home.claim(Run))
    return await home.run(number)


async def test_who_asks_too_early_is_told_what_is_missing_and_what_to_do(home: House) -> None:
    (told,) = await home.says("/job run live")
    assert "`live` is not started. `stage` has not succeeded for commit" in told
    assert "in the last 7d: it has not run for it. First `run stage --ref " in told

    await home.says("/job run stage")
    (told,) = await home.says("/job run live")
    assert ": #1 is " in told
    await carry(home, 1, BAD)
    (told,) = await home.says("/job run live")
    assert ": #1 failed. First" in told
    (plan,) = await home.says("/job plan live")
    assert ": #1 failed. First" in plan
    assert await home.store.read(lambda s: runs.get(s, 2)) is None


async def test_success_for_the_same_commit_opens_it_as_long_as_it_counts(home: House) -> None:
    await home.says("/job run stage")
    await carry(home, 1)
    await home.says("/job run live")
    await carry(home, 2)
    assert (await home.run(2)).result == "succeeded"
    home.now += 8 * DAY
    (told,) = await home.says("/job run live")
    assert "its success, #1, ended" in told
    (told,) = await home.says("/job rerun #2")
    assert "its success, #1, ended" in told


async def test_success_for_another_commit_does_not_count(home: House) -> None:
    await home.says("/job run stage")
    await carry(home, 1)
    await home.write(lambda s: setattr(s.get_one(Run, 1), "commit", "0" * 40))
    (told,) = await home.says("/job run live")
    assert "it has not run for it" in told


async def test_image_that_is_known_only_later_is_held_against_it_then(tmp_path: Path) -> None:
    changes = merged(CONTAINED, {"jobs": IMAGES})
    async with house(tmp_path, changes=changes) as home:
        home.engine.pins = [[Outcome(Result.SUCCEEDED, image=PINNED)]]
        await home.says("/job run second")
        stopped = await carry(home, 1)
        assert (stopped.result, stopped.reason, stopped.started_at) == ("cancelled", "NotReleased", None)
        assert stopped.reason_on is not None
        assert stopped.reason_on["after"] == "first"
        await home.says("/job run first")
        await carry(home, 2)
        await home.says("/job run second")
        assert (await carry(home, 3)).result == "succeeded"
