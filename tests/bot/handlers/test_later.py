"""A run that is asked for at a moment: by whose clocks, what it holds until then, and its end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import holds, runs
from tests.bot.house import House, house
from tests.bot.ticking import HOUR, NOON

JOBS = """
  nightly: {image: shop, command: "true", schedule: {cron: "30 2 * * *", timezone: Europe/Helsinki}}
  report: {image: shop, command: "true", concurrency: forbid}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON
        yield made


async def test_time_is_by_the_clocks_of_the_schedule_and_the_answer_says_so(home: House) -> None:
    (reply,) = await home.says("/job run nightly at 22:00")
    assert "starts on Fri 2027-01-15 22:00 EET (the time zone of its schedule)." in reply
    assert "`/job cancel #1` takes it back." in reply
    (run,) = await home.store.read(lambda s: holds.later(s, None, limit=9))
    assert (run.hold, run.due_at, run.admitted) == ("time", NOON + 8 * HOUR, False)


async def test_without_a_schedule_it_is_utc_and_in_needs_none(home: House) -> None:
    (reply,) = await home.says("/job run report at 13:00")
    assert "starts on Fri 2027-01-15 13:00 UTC (the time zone of this installation)." in reply
    (reply,) = await home.says("/job run report in 2h")
    assert "starts on Fri 2027-01-15 14:00 UTC" in reply
    # one that is held is in nobody's way, also of a job that wants to be alone
    later = await home.store.read(lambda s: holds.later(s, {"report"}, limit=9))
    assert [run.due_at for run in later] == [NOON + HOUR, NOON + 2 * HOUR]
    assert await home.store.read(lambda s: holds.later(s, {"nightly"}, limit=9)) == []


async def test_it_is_taken_back_like_any_run(home: House) -> None:
    await home.says("/job run report in 2h")
    await home.says("/job cancel #1")
    assert await home.store.read(lambda s: holds.later(s, None, limit=9)) == []
    run = await home.store.read(lambda s: runs.get(s, 1))
    assert run is not None
    assert (run.state, run.result) == ("finished", "cancelled")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/job run report at 25:00", "is no time, such as"),
        ("/job run report at 2020-01-01T10:00", "is not within the next year"),
        ("/job run report in 3000d", "is no duration, such as"),
        ("/job run report at", "needs a time"),
    ],
)
async def test_what_is_no_moment_to_come_starts_nothing(home: House, line: str, told: str) -> None:
    (reply,) = await home.says(line)
    assert told in reply
    assert await home.store.read(lambda s: runs.page(s, limit=9)) == []
