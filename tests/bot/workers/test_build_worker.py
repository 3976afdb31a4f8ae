"""A claimed build is begun once it has a source, waits for who gives it, and ends."""

from typing import Any

import pytest
from sqlalchemy import update

from bot.errors import RetryLater
from bot.states import State
from bot.store import builds
from bot.store.columns import BUILD
from bot.tables import Build
from bot.workers import build_worker, worker
from executor.spec import Outcome, Result
from tests.bot.house import House
from tests.bot.workers.test_worker import completed

OK = Outcome(Result.SUCCEEDED, exit_code=0, image="i")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(worker, "AGAIN", 0.001)
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.01)


async def build(home: House) -> Build:
    await home.says("/job run check")
    return await home.claim(Build)


async def test_build_without_a_source_says_why(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await build(home)
    home.github.fail("access_tokens$", 422, times=9)
    await home.bot.builder.carry(row)
    ended = await home.build(1)
    assert (ended.result, ended.reason) == ("error", "NoSource")
    assert await completed(home, row.name)


async def test_build_asks_for_its_source_until_it_gives_up(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_worker, "SOURCE_TRIES", 2)
    row = await build(home)
    github = home.tools.github
    assert github is not None
    asked = []

    async def away(repository: str) -> None:
        asked.append(repository)
        raise RetryLater("away", delay=0.001)

    monkeypatch.setattr(github, "clone", away)
    await home.bot.builder.carry(row)
    assert (await home.build(1)).reason == "NoSource"
    assert len(asked) == 2


async def test_build_that_goes_on_waits_for_github(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine may be about to end it: that GitHub is away after a restart is no reason to fail it."""
    monkeypatch.setattr(build_worker, "SOURCE_TRIES", 1)
    row = await build(home)
    await home.write(lambda s: builds.move(s, 1, State.BUILDING, owner="one", now=home.now))
    github = home.tools.github
    assert github is not None
    real, left = github.clone, [RetryLater("away", delay=0.001)] * 3

    async def sometimes(repository: str) -> Any:
        if left:
            raise left.pop()
        return await real(repository)

    monkeypatch.setattr(github, "clone", sometimes)
    await home.bot.builder.carry(await home.build(1))
    assert (await home.build(1)).result == "succeeded"
    assert row.name == home.engine.specs[0].key


async def test_build_without_github_and_build_that_was_stopped(home: House) -> None:
    row = await build(home)
    await home.without(github=None).bot.builder.carry(row)
    assert (await home.build(1)).reason == "NoSource"
    await home.says("/job run check")
    await home.claim(Build)
    await home.write(lambda s: builds.request_stop(s, 2, by="github:octocat", now=home.now))
    await home.bot.builder.carry(await home.build(2))
    assert (await home.build(2)).result == "cancelled"


async def test_build_of_another_bot_is_not_begun(home: House) -> None:
    row = await build(home)
    await home.write(lambda s: s.execute(update(Build).where(BUILD.number == 1).values(lease_owner="two")))
    await home.bot.builder.carry(row)
    assert home.engine.specs == []
