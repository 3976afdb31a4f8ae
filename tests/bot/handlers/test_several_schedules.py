"""A job with several schedules: each is decided, held back and told of by its own name."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import ticks
from tests.bot.house import House, house
from tests.bot.ticking import HOUR, NOON, at, begun, started, told

JOBS = """
  report:
    command: "true"
    parameters: {REGION: {choices: [eu, us], default: eu}}
    schedule:
      - {name: eu, cron: "0 * * * *"}
      - {name: us, cron: "0 */2 * * *", timezone: America/New_York, parameters: {REGION: us}}
  alone:
    command: "true"
    concurrency: forbid
    schedule: [{name: one, cron: "0 12 * * *"}, {name: two, cron: "0 12 * * *"}]
  shop-nightly:
    image: shop
    command: "true"
    schedule: [{name: one, cron: "0 12 * * *"}, {name: two, cron: "0 18 * * *"}]
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON - 30
        yield made


async def test_each_starts_its_run_with_what_it_gives(home: House) -> None:
    await at(home, await begun(home), NOON)
    runs = await started(home, "report")
    assert [(run.schedule, run.parameters, run.key) for run in runs] == [
        ("eu", {"REGION": "eu"}, f"tick:report/eu:{int(NOON)}")
    ]  # noon is 7 in New York
    await at(home, home.bot.ticks, NOON + HOUR)
    found = {(run.schedule, run.parameters["REGION"], run.tick_at) for run in await started(home, "report")}
    assert found == {("eu", "eu", NOON), ("eu", "eu", NOON + HOUR), ("us", "us", NOON + HOUR)}
    assert await told(home, "report/us") == [(60.0, "run")]


async def test_two_at_one_moment_are_refused_where_the_job_wants_to_be_alone(home: House) -> None:
    await at(home, await begun(home), NOON)
    assert [run.schedule for run in await started(home, "alone")] == ["one"]
    assert await told(home, "alone/one") == [(0, "run")]
    assert await told(home, "alone/two") == [(0, "refused")]


async def test_one_is_paused_while_the_other_goes_on(home: House) -> None:
    (reply,) = await home.says("/job pause shop-nightly/one")
    assert "The schedule of `shop-nightly/one` is paused." in reply
    assert "`/job resume shop-nightly/one` lets it go on." in reply
    await at(home, await begun(home), NOON)
    assert await told(home, "shop-nightly/one") == [(0, "paused")]
    await at(home, home.bot.ticks, NOON + 6 * HOUR)
    assert await told(home, "shop-nightly/two") == [(360, "run")]
    (reply,) = await home.says("/job resume shop-nightly")
    assert "The schedule of `shop-nightly` goes on. It runs next on" in reply


async def test_name_of_the_job_means_all_and_the_soonest_is_skipped(home: House) -> None:
    await begun(home)
    (reply,) = await home.says("/job pause shop-nightly for 2h")
    assert "2 schedules of `shop-nightly` are paused until" in reply
    (reply,) = await home.says("/job resume shop-nightly")
    assert "2 schedules of `shop-nightly` go on." in reply
    (reply,) = await home.says("/job skip shop-nightly")
    assert "`shop-nightly/one` leaves out Fri 2027-01-15 12:00 UTC." in reply
    assert "It runs next on Fri 2027-01-15 18:00 UTC." in reply
    states = await home.store.read(lambda s: ticks.states(s, ["shop-nightly/one", "shop-nightly/two"]))
    assert [(key, state.skip_at) for key, state in sorted(states.items())] == [
        ("shop-nightly/one", NOON),
        ("shop-nightly/two", None),
    ]


async def test_name_that_there_is_not_is_told_with_the_nearest(home: House) -> None:
    (reply,) = await home.says("/job pause shop-nightly/on")
    assert "`shop-nightly` has no schedule `on`. Did you mean `one`?" in reply


async def test_plan_and_why_name_them(home: House) -> None:
    await at(home, await begun(home), NOON)
    (plan,) = await home.says("/job plan shop-nightly")
    assert "- schedule `shop-nightly/one`, `0 12 * * *` (UTC), next: Sat 2027-01-16 12:00 UTC" in plan
    assert "- schedule `shop-nightly/two`, `0 18 * * *` (UTC), next: Fri 2027-01-15 18:00 UTC" in plan
    (why,) = await home.says("/job why shop-nightly")
    assert "- due Fri 2027-01-15 12:00 UTC by `shop-nightly/one`: became" in why


async def test_release_before_names_takes_away_nothing_of_a_named_one(home: House) -> None:
    """It knows the column `timetable` alone: what it finds there and has no schedule for begins anew."""
    made = await begun(home)
    states = await home.store.read(lambda s: ticks.states(s, ["report", "report/eu"]))
    assert [(state.job, state.timetable) for state in states.values()] == [("report/eu", None)]
    await at(home, made, NOON)
    assert await told(home, "report/eu") == [(0, "run")]
