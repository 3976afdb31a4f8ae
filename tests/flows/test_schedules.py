"""Schedules start jobs: after a time away, once, told apart; and people hold them back.

The clock is the real one, so a time away is made by moving back up to when the ticks were decided. The
minute of the schedules is half an hour away from now: nothing becomes due by itself meanwhile.
"""

import sqlite3
import time
from pathlib import Path

import pytest

from demo.installation import Installation, Where
from tests.flows.test_commands import card

HERE = Path(__file__).parent


@pytest.fixture
def where() -> Where:
    """An installation with schedules."""
    minute = (int(time.time()) // 60 + 30) % 60
    return Where(config=HERE / "schedules.yaml", sample=HERE / "repository", environ={"MINUTE": str(minute)})


async def scheduled(errand: Installation) -> None:
    """Wait until the bot has taken note of its schedules."""
    await errand.wait_for(lambda: any(each.get("event") == "schedules" for each in errand.events), 20)


def rows(errand: Installation, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(errand.home / "errand.db") as database:
        return database.execute(query).fetchall()


async def away(errand: Installation, hours: float) -> None:
    """Kill the bot, and start it again after some hours."""
    await scheduled(errand)
    await errand.kill()
    with sqlite3.connect(errand.home / "errand.db") as database:
        database.execute("UPDATE job_states SET ticked_to = ticked_to - ?", (hours * 3600,))
    errand.events.clear()
    await errand.start()


def runs(errand: Installation) -> list[tuple[object, ...]]:
    return rows(errand, "SELECT job, cause FROM runs ORDER BY number")


def outcomes(errand: Installation, job: str) -> list[object]:
    return [row[0] for row in rows(errand, f"SELECT outcome FROM ticks WHERE job = '{job}' ORDER BY at")]


async def test_what_was_missed_runs_once_and_is_told_on_the_commit_and_in_the_channel(
    errand: Installation,
) -> None:
    await away(errand, 2)
    await errand.wait_for(lambda: errand.ended([1]), 30)
    assert outcomes(errand, "report") == ["missed", "run"]
    assert outcomes(errand, "bare") == ["missed", "missed"]
    github, slack = errand.beside.github, errand.beside.slack
    check = await github.wait_for(lambda: next((each for each in github.checks if each.conclusion), None))
    assert (check.name, check.conclusion) == ("errand / report", "success")
    assert "started by `schedule`" in str(check.output["summary"])
    message = await slack.wait_for(lambda: next((m for m in slack.messages if "succeeded" in m.text), None))
    assert message.channel == slack.channels[0].id
    assert github.comments == []
    token = await errand.command("token", "create", "test")
    told = (await errand.get("/api/runs/1", token=token)).json()
    assert (told["cause"], told["actor"], told["commit"]) == ("schedule", "schedule", check.head_sha)
    assert "Started by a <b>schedule</b>" in (await errand.get("/runs/1", token=token)).text
    for _ in range(2):
        await away(errand, 0)
        await scheduled(errand)
    assert runs(errand) == [("report", "schedule")]
    assert (errand.home / "marks").read_text().count(" of nobody") == 1


async def test_paused_schedule_starts_nothing_and_people_still_run_the_job(errand: Installation) -> None:
    await errand.comment("/job pause report")
    await card(errand, "The schedule of `report` is paused")
    await away(errand, 1)
    await errand.wait_for(lambda: any(each.get("paused") for each in errand.events), 20)
    await errand.comment("/job run report WHO=octocat")
    await card(errand, "succeeded", "octocat")
    await errand.comment("/job resume report")
    await card(errand, "goes on. It runs next on")
    assert runs(errand) == [("report", "comment")]
    assert outcomes(errand, "report") == ["paused"]


async def test_time_that_is_left_out_is_the_only_one(errand: Installation) -> None:
    await scheduled(errand)
    ((decided_to,),) = rows(errand, "SELECT ticked_to FROM job_states WHERE job = 'report'")
    assert isinstance(decided_to, float)
    await errand.comment("/job skip report")
    reply = await card(errand, "leaves out", "It runs next on")
    assert "EET" in reply.body or "EEST" in reply.body
    ((skip_at,),) = rows(errand, "SELECT skip_at FROM job_states WHERE job = 'report'")
    assert isinstance(skip_at, float)
    assert 0 < skip_at - decided_to <= 3600


async def test_check_tells_the_next_five_times_with_their_zone(errand: Installation) -> None:
    said = " ".join((await errand.command("check")).split())
    assert "schedule report" in said
    assert "(Europe/Helsinki): " in said
    assert said.partition("schedule report")[2].partition("schedule bare")[0].count(" EE") == 5
    assert said.partition("schedule bare")[2].count(" UTC") == 5
