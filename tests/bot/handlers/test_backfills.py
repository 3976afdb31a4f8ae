"""A backfill runs each due moment once and one at a time, tells how far it is, and ends as a whole."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.messages import waiting_for
from bot.states import Hold, State
from bot.store import Session, backfills, holds, journal, runs
from bot.tables import Run
from tests.bot.house import House, house
from tests.bot.ticking import HOUR, NOON, at, begun

JOBS = """
  hourly:
    image: shop
    command: "true"
    parameters: {REGION: {default: eu}}
    schedule: [{name: us, cron: "0 * * * *", parameters: {REGION: us}}]
  minutely: {image: shop, command: "true", schedule: {cron: "* * * * *"}}
  twice: {image: shop, command: "true", schedule: [{name: a, cron: "@daily"}, {name: b, cron: "@daily"}]}
"""
LINE = "/job backfill hourly from 2027-01-15T07:30 until 2027-01-15T10:00"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON - 30
        yield made


async def _all(home: House) -> list[Run]:
    return (await home.store.read(lambda s: runs.page(s, job="hourly", limit=99)))[::-1]


async def _due(home: House) -> list[int]:
    return [run.identity for run in await home.store.read(lambda s: holds.due(s, now=home.now))]


async def _end(home: House, number: int) -> None:
    """Let the run whose turn it is go to the gate, and end."""

    def end(session: object) -> None:
        run = holds.release(session, number, Hold.TIME, now=home.now)  # type: ignore[arg-type]
        assert run is not None
        runs.request_stop(session, number, by="github:octocat", now=home.now)  # type: ignore[arg-type]

    await home.write(end)


async def test_each_moment_has_its_run_and_only_the_first_has_its_turn(home: House) -> None:
    (reply,) = await home.says(LINE)
    assert "3 runs of `hourly/us` from Fri 2027-01-15 08:00 UTC to Fri 2027-01-15 10:00 UTC" in reply
    assert "They are `#1` to `#3`; the last tells how far it is." in reply
    found = await _all(home)
    assert [(run.tick_at, run.schedule, run.parameters) for run in found] == [
        (NOON - n * HOUR, "us", {"REGION": "us"}) for n in (4, 3, 2)
    ]
    assert {(run.backfill, run.hold, run.cause) for run in found} == {(3, "time", "comment")}
    assert await _due(home) == [1]
    told = {post.run_number for post in await home.posts() if post.run_number is not None}
    assert told == {3}
    assert (found[-1].waiting_for, found[-1].waiting_on) == (
        "its turn in a backfill",
        {"turn": 3, "done": 0},
    )


async def test_what_ends_lets_the_next_one_come_to_its_turn(home: House) -> None:
    await home.says(LINE)
    await _end(home, 1)
    assert await _due(home) == [2]
    assert (await _all(home))[-1].waiting_on == {"turn": 3, "done": 1}
    await _end(home, 2)
    assert await _due(home) == [3]
    await _end(home, 3)
    assert await _due(home) == []
    assert {run.state for run in await _all(home)} == {State.FINISHED}


async def test_those_that_failed_are_told_with_those_that_are_over(home: House) -> None:
    await home.says(LINE)

    def fail(session: Session) -> None:
        run = holds.release(session, 1, Hold.TIME, now=home.now)
        assert run is not None
        run.state, run.result, run.finished_at = State.FINISHED, "timed_out", home.now
        backfills.over(session, run)

    await home.write(fail)
    last = (await _all(home))[-1]
    assert last.waiting_on == {"turn": 3, "done": 1, "failed": 1}
    assert waiting_for(last) == "its turn in a backfill, of which 1 of 3 are over, 1 failed"
    await _end(home, 2)  # cancelled, which is no failure
    assert (await _all(home))[-1].waiting_on == {"turn": 3, "done": 2, "failed": 1}


async def test_moment_that_ran_is_left_out_unless_it_is_asked_for_again(home: House) -> None:
    await begun(home)
    await at(home, home.bot.ticks, NOON)
    line = "/job backfill hourly/us from 2027-01-15T11:00 until 2027-01-15T12:00"
    (reply,) = await home.says(line)
    assert "1 run of `hourly/us` for Fri 2027-01-15 11:00 UTC." in reply
    assert "1 due moment ran before and is left out." in reply
    (reply,) = await home.says(line)
    assert "Nothing is left to do: of 2 due moments of `hourly/us` all ran." in reply
    (reply,) = await home.says(f"{line} --again")
    assert "2 runs of `hourly/us`" in reply
    assert len({run.key for run in await _all(home)}) == len(await _all(home)) == 4


async def test_it_ends_as_a_whole_where_one_that_waits_is_cancelled(home: House) -> None:
    await home.says(LINE)
    await _end(home, 1)
    await home.says("/job cancel #3")
    assert {run.result for run in await _all(home)} == {"cancelled"}
    assert await _due(home) == []


async def test_schedule_itself_does_not_run_again_what_was_made_up_for(home: House) -> None:
    await begun(home)
    home.now = NOON + 1
    await home.says("/job backfill hourly from 2027-01-15T12:00")
    await at(home, home.bot.ticks, NOON + 2)
    assert [run.tick_at for run in await _all(home)] == [NOON]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("minutely from 2017-01-15", "These are about 5,259,600 due moments of `minutely`"),
        ("minutely from 2027-01-15 until 2027-01-14", "It ends before it begins."),
        ("minutely from 2028-01-15", "has not come yet"),
        ("minutely from now", "is no time, such as"),
        ("minutely", "From when is said by `from`"),
        ("twice from 2027-01-01", "Say which of the schedules of `twice` is meant: `twice/a`, `twice/b`."),
        ("twice/c from 2027-01-01", "Say which of the schedules"),
        ("twice/a from 2027-01-15T01:00", "`twice/a` was never due in that time."),
    ],
)
async def test_what_cannot_be_run_is_refused_with_the_reason(home: House, line: str, told: str) -> None:
    (reply,) = await home.says(f"/job backfill {line}")
    assert told in reply
    assert await home.store.read(lambda s: runs.page(s, limit=9)) == []


async def test_it_is_listed_by_its_last_run_alone_and_in_the_journal(home: House) -> None:
    await home.says(LINE)
    assert [run.number for run in await home.store.read(lambda s: holds.later(s, None, limit=9))] == [3]
    going = await home.store.read(lambda s: backfills.going(s, "hourly", limit=9))
    assert [run.number for run in going] == [3]
    entries = await home.store.read(lambda s: journal.newest(s, limit=50))
    (entry,) = [each for each in entries if each.kind == "schedule.backfilled"]
    assert (entry.subject, entry.facts["count"]) == ("schedule:hourly/us", 3)
