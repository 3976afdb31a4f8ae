"""What the channel of a job is told of due moments that were missed, and of runs that overlap."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.states import State
from bot.store import digests, runs
from bot.store import ticks as table
from bot.tables import Post
from tests.bot.house import House, house
from tests.bot.ticking import MINUTE, NOON, at, begun

JOBS = """
  backup:
    command: "true"
    schedule: {cron: "*/5 * * * *", catch_up: 2m}
    concurrency: forbid
    notify: {slack: "#ops", when: [missed, overlapping]}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON - 30
        yield made


async def _missed(home: House) -> list[Post]:
    return [post for post in await home.posts() if post.kind == digests.KIND]


async def test_missed_moments_are_one_message_until_the_schedule_runs_again(home: House) -> None:
    ticks = await begun(home)
    await at(home, ticks, NOON)
    assert await _missed(home) == []
    (run,) = await home.write(lambda s: runs.claim(s, owner="one", now=home.now, lease=60.0, limit=10))
    for state in (State.STARTING, State.RUNNING):
        await home.write(lambda s, to=state: runs.move(s, run.number, to, owner="one", now=home.now))  # type: ignore[misc]
    card = next(post for post in await home.posts() if post.kind == "slack_message")
    assert (card.state, "occasion" in card.place) == ("quiet", False)
    await at(home, ticks, NOON + 5 * MINUTE)
    await at(home, ticks, NOON + 10 * MINUTE)
    (missed,) = await _missed(home)
    facts = missed.place["facts"]
    assert (facts["count"], facts["since"] - NOON, facts["last_at"] - NOON) == (2, 300, 600)
    assert (facts["reason"]["kind"], facts["ended_by"], missed.wanted) == ("alone", None, 2)
    card = next(post for post in await home.posts() if post.kind == "slack_message")
    assert (card.state, card.place["occasion"]) == ("open", {"kind": "overlapping", "at": NOON + 300})
    await home.write(
        lambda s: runs.move(s, run.number, State.FINISHED, owner="one", now=home.now, result="succeeded")
    )
    await at(home, ticks, NOON + 15 * MINUTE)
    (missed,) = await _missed(home)
    assert (missed.place["facts"]["count"], missed.place["facts"]["ended_by"]) == (2, 2)


async def test_downtime_beyond_catch_up_is_missed_and_what_is_made_up_for_is_not(home: House) -> None:
    ticks = await begun(home)
    await at(home, ticks, NOON + 18 * MINUTE)
    (missed,) = await _missed(home)
    assert (missed.place["facts"]["count"], missed.place["facts"]["reason"]["kind"]) == (4, "late")
    ticks = await begun(home)
    await at(home, ticks, NOON + 31 * MINUTE)  # two were missed, the third runs for them
    (missed,) = await _missed(home)
    assert (missed.place["facts"]["count"], missed.place["facts"]["ended_by"]) == (4, 1)


async def test_pauses_are_not_missed(home: House) -> None:
    ticks = await begun(home)
    await home.write(lambda s: table.change(s, "backup", paused=True, paused_by="github:octocat"))
    await at(home, ticks, NOON + 18 * MINUTE)
    assert await _missed(home) == []
