"""All schedules at once are held back by admins alone, for a reason that everybody sees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.callers import of_token
from bot.commands import parser
from bot.errors import NotAllowed
from bot.store import journal
from tests.bot.house import House, house
from tests.bot.ticking import HOUR, MINUTE, NOON, at, begun, noted, told

JOBS = """
  hourly: {command: "true", schedule: {cron: "0 * * * *"}}
  shop-hourly: {image: shop, command: "true", schedule: [{name: one, cron: "0 * * * *"}]}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS, changes={"pages": {"admins": ["github:octocat"]}}) as made:
        made.now = NOON - 30
        yield made


async def test_all_are_held_back_until_then_and_say_why(home: House) -> None:
    made = await begun(home)
    (reply,) = await home.says('/job pause --all "new *disks*" for 1h')
    assert reply.count("\\*disks\\*") == 1
    assert "All schedules are paused until Fri 2027-01-15 12:59 UTC" in reply
    await at(home, made, NOON)
    assert await told(home, "hourly") == await told(home, "shop-hourly/one") == [(0, "paused")]
    assert await noted(home, "hourly") == ["Paused by octocat: all schedules are paused: new *disks*."]
    (plan,) = await home.says("/job plan shop-hourly")
    assert "the schedule is paused until Fri 2027-01-15 12:59 UTC by `octocat`: all schedules" in plan
    await at(home, made, NOON + HOUR)
    assert (await told(home, "hourly"))[-1] == (60, "run")


async def test_resuming_all_leaves_what_was_paused_by_name(home: House) -> None:
    await home.says("/job pause shop-hourly")
    await home.says("/job pause --all")
    (reply,) = await home.says("/job resume shop-hourly")
    assert "The schedule of `shop-hourly` goes on." in reply
    (reply,) = await home.says("/job resume shop-hourly")
    assert "All schedules are paused; `/job resume --all` ends that." in reply
    await home.says("/job pause shop-hourly")
    (reply,) = await home.says("/job resume --all")
    assert reply.endswith("The schedules go on. 1 of them is still paused by name.")
    (reply,) = await home.says("/job resume --all")
    assert "The schedules are not paused together." in reply
    kinds = [each.kind for each in await home.store.read(lambda s: journal.newest(s, limit=50))]
    assert [kind for kind in kinds[::-1] if kind.startswith("schedule.")] == [
        *["schedule.paused"] * 2,
        "schedule.resumed",
        "schedule.paused",
        "schedule.resumed",
    ]


async def test_others_than_admins_may_not_whatever_else_they_may(tmp_path: Path) -> None:
    async with house(tmp_path, jobs=JOBS) as home:
        home.now = NOON - MINUTE
        (reply,) = await home.says("/job pause --all")
        assert "Only those of `pages.admins` are for pausing all schedules" in reply
        caller = of_token("ci", frozenset({"run:*", "read"}))
        with pytest.raises(NotAllowed, match="needs the scope `admin`"):
            await home.bot.queries.pause(caller, parser.PauseAll())
        boss = of_token("boss", frozenset({"admin"}))
        assert "All schedules are paused" in str(await home.bot.queries.pause(boss, parser.PauseAll()))
        await at(home, await begun(home), NOON)
        assert await told(home, "hourly") == [(0, "paused")]
