"""Schedules while GitHub or the database is away, and where a run cannot start at all."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.catalog.due import Plan
from bot.catalog.parameters import Parameter
from bot.errors import RetryLater
from bot.github import GitHub
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.ticks import TickHandler
from bot.store import Store, ticks
from bot.tables import JobState
from tests.bot.house import House, house
from tests.bot.ticking import HOUR, JOBS, MINUTE, NOON, at, begun, home, noted, told

__all__ = ["home"]


async def test_github_that_is_away_is_asked_again_and_the_run_starts_then(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begun(home)
    away = GitHub.repository

    async def repository(self: GitHub, name: str) -> None:
        raise RetryLater("no answer")

    monkeypatch.setattr(GitHub, "repository", repository)
    await at(home, made, NOON)
    assert (await told(home, "minutely"), await told(home, "hourly")) == ([], [(0, "run")])
    assert made.rest() == 1
    await at(home, made, NOON + 1)
    assert made.rest() == 2
    monkeypatch.setattr(GitHub, "repository", away)
    await at(home, made, NOON + 3)
    assert await told(home, "minutely") == [(0, "run")]
    assert made.rest() == MINUTE  # at most, since the clock may be set


async def test_github_that_stays_away_is_the_reason_on_record(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begun(home)

    async def repository(self: GitHub, name: str) -> None:
        raise RetryLater("no answer")

    monkeypatch.setattr(GitHub, "repository", repository)
    now = NOON
    while now <= NOON + 12 * MINUTE:
        await at(home, made, now)
        now += max(made.rest(), 0.25)
    await at(home, made, NOON + 12 * MINUTE + 30)
    assert await told(home, "minutely") == []  # 12:10 may still start, and takes the others with it
    monkeypatch.undo()
    await at(home, made, NOON + 14 * MINUTE)
    assert await told(home, "minutely") == [(0, "missed"), (5, "missed"), (10, "run")]


async def test_wait_that_github_asks_for_beyond_catch_up_is_a_missed_run(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begun(home)

    async def repository(self: GitHub, name: str) -> None:
        raise RetryLater("rate limit", delay=HOUR)

    monkeypatch.setattr(GitHub, "repository", repository)
    await at(home, made, NOON)
    assert await told(home, "minutely") == [(0, "missed")]
    assert await noted(home, "minutely") == ["GitHub did not answer: rate limit"]


async def test_branch_that_is_gone_is_a_missed_run_with_the_reason(home: House) -> None:
    made = await begun(home)
    known = home.github.state.repository("acme/shop")
    assert known is not None
    known.refs.clear()
    await at(home, made, NOON)
    assert await told(home, "minutely") == [(0, "missed")]
    assert "no branch" in str(await noted(home, "minutely"))


async def test_what_fails_for_one_job_holds_back_no_other(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = await begun(home)
    real = Enqueuer.draft

    def draft(self: Enqueuer, session: object, order: object, built: object) -> object:
        if order.job.name == "hourly":  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return real(self, session, order, built)  # type: ignore[arg-type]

    monkeypatch.setattr(Enqueuer, "draft", draft)
    await at(home, extra, NOON)
    assert await told(home, "minutely") == [(0, "run")]
    assert await told(home, "hourly") == []
    monkeypatch.undo()
    await at(home, extra, NOON + 2)
    assert await told(home, "hourly") == [(0, "run")]


async def test_database_that_is_away_delays_and_loses_nothing(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begun(home)

    async def write(self: Store, work: object) -> None:
        raise RetryLater("away")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "write", write)
        await at(home, made, NOON)
    await at(home, made, NOON + 1)
    assert await told(home, "hourly") == [(0, "run")]


async def test_repository_that_may_not_talk_to_us_is_a_missed_run(tmp_path: Path) -> None:
    closed = {"github": {"repositories": ["acme/site"]}}
    async with house(tmp_path, changes=closed, jobs=JOBS) as home:
        home.now = NOON - 1
        await at(home, await begun(home), NOON)
        assert await told(home, "minutely") == [(0, "missed")]
        assert await noted(home, "minutely") == ["Jobs of Acme/Shop are not run here."]


async def test_parameter_that_nobody_gives_is_a_missed_run_with_the_reason(home: House) -> None:
    made = await begun(home)
    job = home.tools.registry.catalog.jobs["hourly"]
    needy = job.model_copy(update={"parameters": {"DAY": Parameter(required=True)}})
    made._plans["hourly"].job = needy
    await at(home, made, NOON)
    assert await told(home, "hourly") == [(0, "missed")]
    assert "`DAY` is required" in str(await noted(home, "hourly"))


async def test_job_of_which_nothing_is_known_any_more_is_left_alone(home: House) -> None:
    made = await begun(home)
    await home.write(lambda s: s.execute(delete(JobState)))
    await at(home, made, NOON)
    assert await told(home, "hourly") == []


async def test_pause_that_ends_while_github_was_not_asked_is_looked_at_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begun(home)
    await home.write(lambda s: ticks.change(s, "minutely", paused=True))
    real = TickHandler._any_runs

    async def resumed(self: TickHandler, plans: Sequence[Plan], now: float) -> bool:
        found = await real(self, plans, now)
        await home.write(lambda s: ticks.change(s, "minutely", paused=False))
        return found

    monkeypatch.setattr(TickHandler, "_any_runs", resumed)
    await at(home, made, NOON)
    assert await told(home, "minutely") == []
    await at(home, made, NOON + 1)
    assert await told(home, "minutely") == [(0, "run")]
