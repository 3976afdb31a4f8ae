"""What is due starts once, whatever happens around its moment; what does not start is on record."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.catalog.due import Plan
from bot.handlers.ticks import TickHandler
from bot.registry import Registry
from bot.store import Store, runs, ticks
from bot.tables import JobState, Tick
from tests.bot.house import HEAD, House, house
from tests.bot.ticking import HOUR, MINUTE, NOON, at, begun, home, noted, schedules, started, told

__all__ = ["home"]


async def test_due_job_runs_once_and_is_told_apart(home: House) -> None:
    made = await begun(home)
    assert made.rest() == 30
    await at(home, made, NOON)
    await at(home, made, NOON + 1)
    (run,) = await started(home, "minutely")
    assert (run.key, run.cause, run.actor, run.tick_at) == (
        f"tick:minutely:{int(NOON)}",
        "schedule",
        "schedule",
        NOON,
    )
    assert (run.commit, run.ref, run.repository, run.image) == (HEAD, "main", "Acme/Shop", "shop")
    assert run.name == f"minutely-{run.number}-{run.name.rpartition('-')[2]}"
    assert len(run.name.rpartition("-")[2]) == 16
    (tick,) = await home.store.read(lambda s: ticks.newest(s, "minutely"))
    assert (tick.outcome, tick.run_number) == ("run", run.number)
    assert len(await started(home, "hourly")) == 1


async def test_scheduled_run_is_posted_to_the_commit_and_the_channel_and_nowhere_else(home: House) -> None:
    await at(home, await begun(home), NOON)
    (run,), (bare,) = await started(home, "minutely"), await started(home, "hourly")
    kinds = {
        number: sorted(post.kind for post in await home.posts() if post.run_number == number)
        for number in (run.number, bare.number)
    }
    assert kinds == {run.number: ["github_check", "slack_message"], bare.number: ["slack_message"]}
    assert {post.key.partition(":")[0] for post in await home.posts()} == {"run", "build"}


async def test_build_that_is_needed_is_ordered_once_for_all(home: House) -> None:
    await at(home, await begun(home), NOON)
    (run,) = await started(home, "minutely")
    assert run.build_number == 1
    assert (await home.build(1)).commit == HEAD
    assert not run.admitted  # until that is built


async def test_nothing_of_before_the_schedule_was_there_is_made_up_for(home: House) -> None:
    made = await begun(home)
    assert await told(home, "minutely") == []
    await at(home, made, NOON)
    assert await told(home, "hourly") == [(0, "run")]


async def test_restart_makes_up_once_for_what_was_missed_within_the_time(home: House) -> None:
    await begun(home)
    await at(home, schedules(home), NOON + 16 * MINUTE)
    assert await told(home, "minutely") == [(0, "missed"), (5, "missed"), (10, "missed"), (15, "run")]
    assert await told(home, "hourly") == [(0, "missed")]
    assert (await noted(home, "minutely"))[0] == "Made up for by a later one."
    assert "within 10m" in str(await noted(home, "hourly"))


async def test_what_was_missed_for_longer_than_catch_up_is_only_recorded(home: House) -> None:
    await begun(home)
    home.now = NOON + 11 * MINUTE
    await schedules(home).turn()
    assert await told(home, "hourly") == [(0, "missed")]
    assert await started(home, "hourly") == []


async def test_years_away_are_recorded_by_their_newest_moments(home: House) -> None:
    await begun(home)
    await at(home, schedules(home), NOON + 3 * 365 * 86400)
    found = await told(home, "minutely")
    assert len(found) == 100
    assert [outcome for _, outcome in found] == ["missed"] * 99 + ["run"]
    assert found[-1][0] == 3 * 365 * 1440


async def test_any_number_of_restarts_at_the_due_moment_start_it_once(home: House) -> None:
    await begun(home)
    for second in range(-3, 4):
        await at(home, schedules(home), NOON + second)
    assert await told(home, "minutely") == [(0, "run")]
    assert len(await started(home, "minutely")) == 1


async def test_clock_that_is_set_back_starts_nothing_again(home: House) -> None:
    made = await begun(home)
    await at(home, made, NOON + 61 * MINUTE)
    before = await told(home, "hourly")
    await at(home, schedules(home), NOON + 1)
    await at(home, schedules(home), NOON + 62 * MINUTE)
    assert await told(home, "hourly") == before == [(0, "missed"), (60, "run")]


@pytest.mark.parametrize("restarted", [False, True])
async def test_clock_that_was_wrong_for_years_is_made_up_for_when_it_is_right_again(
    home: House, restarted: bool
) -> None:
    made = await begun(home)
    await at(home, made, NOON)
    await at(home, made, NOON + 9 * 365 * 86400)
    before = await started(home, "hourly")
    await at(home, schedules(home) if restarted else made, NOON + 1)
    await at(home, made, NOON + HOUR)
    found = [moment for moment, outcome in await told(home, "hourly") if outcome == "run"]
    assert found == [0, 60, 9 * 365 * 24 * 60]
    assert len(await started(home, "hourly")) == len(before) + 1 == 3


async def test_pause_holds_for_moments_that_a_long_jitter_starts_after_its_end(tmp_path: Path) -> None:
    line = '  later: {command: "true", schedule: {cron: "* * * * *", jitter: 1h}}\n'
    async with house(tmp_path, jobs=line) as home:
        home.now = NOON - 1
        made = await begun(home)
        job = home.tools.registry.catalog.jobs["later"]
        spread = Plan(job, job.schedules[0]).spread
        assert spread > 3 * MINUTE
        until = NOON + 3 * MINUTE
        await home.write(lambda s: ticks.change(s, "later", paused=True, paused_until=until))
        for minute in range(5):
            await at(home, made, NOON + minute * MINUTE + spread)
        assert [outcome for moment, outcome in await told(home, "later") if moment >= 0] == [
            *["paused"] * 3,
            *["run"] * 2,
        ]
        assert not (await home.store.read(lambda s: ticks.states(s, ["later"])))["later"].paused


async def test_job_that_is_deleted_while_its_tick_is_being_decided_starts_nothing(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = home.tools.registry
    job = registry.catalog.jobs["minutely"].model_copy(update={"name": "extra"})
    await registry.put(job, actor="token:boss", expected=lambda version: True)
    made = await begun(home)
    await home.write(lambda s: ticks.change(s, "extra", paused=True, paused_until=NOON - 1))
    real = TickHandler._any_runs

    async def deleted(self: TickHandler, plans: Sequence[Plan], now: float) -> bool:
        found = await real(self, plans, now)
        await registry.remove("extra", actor="token:boss", expected=lambda version: True)
        return found

    monkeypatch.setattr(TickHandler, "_any_runs", deleted)
    await at(home, made, NOON)
    assert (await told(home, "extra"), await started(home, "extra")) == ([], [])
    monkeypatch.undo()
    await registry.put(job, actor="token:boss", expected=lambda version: True)
    await at(home, made, NOON + 1)
    assert not (await home.store.read(lambda s: ticks.states(s, ["extra"])))["extra"].paused
    await at(home, made, NOON + 5 * MINUTE)
    assert await told(home, "extra") == [(5, "run")]


async def test_schedule_that_was_changed_begins_anew(home: House, tmp_path: Path) -> None:
    await begun(home)
    home.now = NOON + 2 * MINUTE
    await home.write(lambda s: ticks.begin(s, {"hourly": "1 * * * * UTC"}, now=home.now))
    assert await home.write(lambda s: ticks.begin(s, {"hourly": "0 * * * * UTC"}, now=home.now)) == {
        "hourly": home.now
    }
    await at(home, schedules(home), NOON + 3 * MINUTE)
    assert await told(home, "hourly") == []


async def test_job_that_wants_to_be_alone_is_refused_on_record(tmp_path: Path) -> None:
    job = '  alone: {command: "true", concurrency: forbid, schedule: {cron: "* * * * *"}}\n'
    async with house(tmp_path, jobs=job) as home:
        home.now = NOON - 1
        made = await begun(home)
        await at(home, made, NOON)
        await at(home, made, NOON + MINUTE)
        assert await told(home, "alone") == [(0, "run"), (1, "refused")]
        assert "concurrency: forbid" in str((await noted(home, "alone"))[1])
        assert len(await started(home, "alone")) == 1


async def test_jobs_that_share_a_lock_are_due_together_and_take_turns(tmp_path: Path) -> None:
    one = '  {name}: {{command: "true", lock: prod, schedule: {{cron: "* * * * *", jitter: 0s}}}}\n'
    jobs = "".join(one.format(name=name) for name in ("one", "two"))
    async with house(tmp_path, jobs=jobs) as home:
        home.now = NOON - 1
        await at(home, await begun(home), NOON)
        found = [*await started(home, "one"), *await started(home, "two")]
        assert sorted(run.admitted for run in found) == [False, True]


async def test_jitter_starts_later_by_the_same_time_every_time(tmp_path: Path) -> None:
    job = '  later: {command: "true", schedule: {cron: "0 * * * *", jitter: 10m, catch_up: 0s}}\n'
    async with house(tmp_path, jobs=job) as home:
        home.now = NOON - 1
        made = await begun(home)
        moments = [second for second in range(601) if await _starts(home, made, NOON + second)]
        assert len(moments) == 1
        (run,) = await started(home, "later")
        assert run.tick_at == NOON


async def _starts(home: House, made: TickHandler, now: float) -> bool:
    before = len(await started(home, "later"))
    await at(home, made, now)
    return len(await started(home, "later")) > before


@pytest.mark.postgres
async def test_two_bots_start_what_is_due_once(home: House, postgres_url: str) -> None:
    async with (
        await Store.open(postgres_url, owner="one") as first,
        await Store.open(postgres_url, owner="two") as second,
    ):
        homes = [
            home.without(
                store=store, registry=await Registry.open(home.tools.registry.config, store, lambda: home.now)
            )
            for store in (first, second)
        ]
        bots = [schedules(each) for each in homes]
        for bot in bots:
            await bot.turn()
        for minute in range(0, 61, 5):
            home.now = NOON + minute * MINUTE
            await asyncio.gather(*(bot.turn() for bot in bots))
        found = await told(homes[0], "minutely")
        assert found == [(minute, "run") for minute in range(0, 61, 5)]
        assert len(await started(homes[1], "minutely")) == 13
        assert await told(homes[1], "hourly") == [(0, "run"), (60, "run")]


async def test_tick_whose_run_was_removed_stays_decided_and_starts_nothing_again(home: House) -> None:
    made = await begun(home)
    await at(home, made, NOON)
    (run,) = await started(home, "hourly")
    await home.write(lambda s: runs.request_stop(s, run.identity, by="github:octocat", now=NOON))
    assert await home.bot.pruning.remove([run.identity]) == 1
    rewind = update(JobState).values(
        ticked_to=NOON - 30
    )  # as after a crash, or with a clock that was set back
    await home.write(lambda s: s.execute(rewind) and None)
    await at(home, await begun(home), NOON + 1)
    assert await started(home, "hourly") == []
    (tick,) = await home.store.read(lambda s: ticks.newest(s, "hourly"))
    assert (tick.outcome, tick.run_number) == ("run", run.number)


async def test_old_ticks_are_forgotten(home: House) -> None:
    await at(home, await begun(home), NOON)
    assert await home.write(lambda s: ticks.prune(s, before=NOON, limit=9)) == 0
    assert await home.write(lambda s: ticks.prune(s, before=NOON + 1, limit=9)) == 2


async def test_thousand_due_at_once_differ_in_names_and_are_claimed(tmp_path: Path) -> None:
    one = '  job-{n}: {{command: "true", schedule: {{cron: "0 * * * *"}}}}\n'
    jobs = "".join(one.format(n=n) for n in range(1000))
    async with house(tmp_path, jobs=jobs) as home:
        home.now = NOON - 1
        await at(home, await begun(home), NOON)
        claimed = await home.write(lambda s: runs.claim(s, owner="one", now=NOON, lease=60, limit=2000))
        assert len({run.name for run in claimed}) == 1000
        assert all(run.name.startswith(f"{run.job}-{run.number}-") for run in claimed)
        rows = await home.store.read(lambda s: list(s.query(Tick).all()))
        assert {tick.job: tick.run_number for tick in rows} == {run.job: run.number for run in claimed}
