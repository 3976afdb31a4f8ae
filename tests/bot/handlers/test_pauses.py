"""People hold back a schedule, for a time or a turn, and never the runs that people start."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import AskerError
from bot.handlers.moments import LONGEST, moment
from bot.messages import tick_note
from bot.store import runs, ticks
from tests.bot.house import SITE, House, house

MINUTE, HOUR = 60.0, 3600.0
NOON = 1_800_014_400.0
"""Fri 2027-01-15 12:00 UTC."""

JOBS = """
  hourly: {command: "true", schedule: {cron: "0 * * * *"}}
  nightly: {image: shop, command: "true", schedule: {cron: "30 2 * * *", timezone: Europe/Helsinki}}
  quiet: {command: "true", schedule: {cron: "0 * * * *", paused: true}}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house with schedules that have begun, shortly after noon."""
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON + 1
        await turn(made, NOON + 1)
        yield made


async def turn(home: House, now: float) -> None:
    """A bot that was just started decides what is due: nothing but the database is remembered."""
    home.now = now
    await home.bot.ticks.turn()


async def told(home: House, job: str = "hourly") -> list[tuple[float, str]]:
    found = await home.store.read(lambda s: ticks.newest(s, job))
    return [((tick.at - NOON) / HOUR, tick.outcome) for tick in reversed(found)]


async def test_paused_schedule_starts_nothing_and_people_still_do(home: House) -> None:
    (reply,) = await home.says("/job pause hourly")
    assert "is paused. People can still run it" in reply
    assert "`/job resume hourly`" in reply
    await turn(home, NOON + HOUR)
    assert await told(home) == [(1, "paused")]
    await home.says("/job run hourly")
    assert (await home.run(1)).cause == "comment"
    (reply,) = await home.says("/job resume hourly")
    assert "goes on. It runs next on Fri 2027-01-15 14:00 UTC." in reply
    await turn(home, NOON + 2 * HOUR)
    assert await told(home) == [(1, "paused"), (2, "run")]


async def test_run_by_hand_leaves_the_schedule_alone(home: House) -> None:
    await home.says("/job skip hourly\n/job run hourly")
    await turn(home, NOON + 2 * HOUR)
    assert await told(home) == [(1, "skipped"), (2, "run")]


async def test_pause_for_a_time_ends_by_itself(home: House) -> None:
    (reply,) = await home.says("/job pause hourly for 90m")
    assert "until Fri 2027-01-15 13:30 UTC" in reply
    assert "resume" not in reply
    await turn(home, NOON + HOUR)
    await turn(home, NOON + 2 * HOUR)
    assert await told(home) == [(1, "paused"), (2, "run")]
    state = (await home.store.read(lambda s: ticks.states(s, ["hourly"])))["hourly"]
    assert (state.paused, state.paused_until, state.paused_by) == (False, None, None)


async def test_pause_until_a_time_is_meant_in_the_zone_of_the_schedule(home: House) -> None:
    (reply,) = await home.says("/job pause nightly until 08:00")
    assert "until Sat 2027-01-16 08:00 EET" in reply
    (reply,) = await home.says("/job pause nightly until 2027-01-17 03:00")
    assert "until Sun 2027-01-17 03:00 EET" in reply
    state = (await home.store.read(lambda s: ticks.states(s, ["nightly"])))["nightly"]
    assert state.paused_by == "github:octocat"
    (reply,) = await home.says("/job resume nightly")
    assert "next on Sat 2027-01-16 02:30 EET" in reply


async def test_skip_leaves_out_the_next_time_only_however_often_it_is_said(home: House) -> None:
    (reply,) = await home.says("/job skip hourly")
    assert "leaves out Fri 2027-01-15 13:00 UTC. It runs next on Fri 2027-01-15 14:00 UTC." in reply
    (reply,) = await home.says("/job skip hourly")
    assert "leaves out Fri 2027-01-15 13:00 UTC already" in reply
    await turn(home, NOON + HOUR)
    await turn(home, NOON + 2 * HOUR)
    assert await told(home) == [(1, "skipped"), (2, "run")]
    assert "Left out by octocat." in {
        tick_note(tick) for tick in await home.store.read(lambda s: ticks.newest(s, "hourly"))
    }
    (reply,) = await home.says("/job skip hourly")
    assert "15:00" in reply


async def test_skip_is_taken_back_by_resume(home: House) -> None:
    await home.says("/job skip hourly")
    (reply,) = await home.says("/job resume hourly")
    assert "13:00" in reply
    await turn(home, NOON + HOUR)
    assert await told(home) == [(1, "run")]


async def test_skip_that_is_said_again_as_its_time_comes_is_not_for_the_next_one(home: House) -> None:
    await home.says("/job skip hourly")
    home.now = NOON + HOUR
    (reply,) = await home.says("/job skip hourly")
    assert "leaves out Fri 2027-01-15 13:00 UTC already" in reply
    await turn(home, NOON + HOUR)
    await turn(home, NOON + 2 * HOUR)
    assert await told(home) == [(1, "skipped"), (2, "run")]


async def test_skip_while_paused_for_a_time_leaves_out_the_first_time_after_it(home: House) -> None:
    (reply,) = await home.says("/job pause hourly for 90m\n/job skip hourly")
    assert "leaves out Fri 2027-01-15 14:00 UTC" in reply


async def test_what_makes_no_sense_is_answered_with_the_reason(home: House) -> None:
    (reply,) = await home.says(
        "/job resume hourly\n/job pause plain\n/job pause quiet\n/job skip nothing\n"
        "/job pause hourly until 2020-01-01"
    )
    for words in (
        "The schedule of `hourly` is not paused.",
        "`plain` has no schedule.",
        "paused by its definition",
        "no job `nothing`",
        "`2020-01-01` is not within the next year; there it is Fri 2027-01-15 12:00 UTC now.",
    ):
        assert words in reply
    (reply,) = await home.says("/job pause hourly\n/job skip hourly")
    assert "paused by `octocat`" in reply


async def test_who_may_not_run_a_job_may_not_hold_it_back(home: House) -> None:
    (reply,) = await home.says("/job pause nightly", author="reader")
    assert "write access" in reply
    (reply,) = await home.types("pause hourly")
    assert "no repository says who may do that" in reply
    (reply,) = await home.types("pause nightly")
    assert "is paused" in reply
    (reply,) = await home.says("/job pause nightly", repository=SITE)
    assert "no job `nightly`" in reply  # which is of a private repository, and this one is public


async def test_definition_that_is_paused_starts_nothing(home: House) -> None:
    await turn(home, NOON + HOUR)
    assert await told(home, "quiet") == [(1, "paused")]
    await home.says("/job run quiet")
    assert len(await home.store.read(lambda s: runs.page(s, job="quiet"))) == 1


async def test_scheduled_run_of_no_repository_is_had_by_who_may_run_there(home: House) -> None:
    await turn(home, NOON + HOUR)
    (reply,) = await home.types("cancel #1")
    assert "ask in a pull request" in reply
    await home.says("/job cancel #1")
    assert (await home.run(1)).result == "cancelled"
    await home.says("/job rerun #1")
    rerun = await home.run(2)
    assert (rerun.cause, rerun.tick_at, rerun.rerun_of) == ("comment", None, 1)


@pytest.mark.parametrize(
    ("text", "zone", "hours"),
    [
        ("13:00", "UTC", 1),
        ("12:00", "UTC", 24),
        ("13:00", "Europe/Helsinki", 23),
        ("15:00+02:00", "UTC", 1),
        ("2027-01-15T15:00", "Europe/Helsinki", 1),
        ("2027-01-16", "UTC", 12),
        ("2027-01-15T15:00+02:00", "America/New_York", 1),
    ],
)
def test_time_means_its_next_moment(text: str, zone: str, hours: float) -> None:
    assert moment(text, zone, NOON) == NOON + hours * HOUR


@pytest.mark.parametrize("text", ["2027-01-15T12:00", "0001-01-01", "9999-12-31T23:59", "2029-01-01"])
def test_time_that_has_passed_or_is_too_far_away_is_refused(text: str) -> None:
    with pytest.raises(AskerError, match="not within the next year"):
        moment(text, "UTC", NOON)
    assert LONGEST == 366 * 86400
