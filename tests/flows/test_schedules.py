"""Schedules start jobs by their clock, once; people hold them back, and changes hold at once.

The service has a clock that the test sets. It sleeps until something is due, so it is told to look where
the clock jumps: SIGHUP does that. The file is the test's own.
"""

import json
import os
import signal
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from demo.installation import Installation, Where
from demo.watched import PATIENCE
from tests.changing import changing
from tests.flows.clocked import Clock
from tests.flows.test_commands import card
from tests.flows.test_versions import ask

HERE = Path(__file__).parent
SPRING, AUTUMN = "2027-03-28", "2027-10-31"
"""In Helsinki 03:00 becomes 04:00, and 04:00 becomes 03:00; both at 01:00 UTC."""


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Ten minutes before the clock springs."""
    made = Clock(tmp_path / "clock")
    made.set(utc(f"{SPRING} 00:50"))
    return made


@pytest.fixture
def where(tmp_path: Path, clock: Clock) -> Where:
    """An installation with schedules."""
    file = tmp_path / "app.yaml"
    file.write_text((HERE / "schedules.yaml").read_text())
    return Where(
        config=file,
        sample=HERE / "repository",
        environ={"CLOCK": str(tmp_path / "clock")},
        program=HERE / "clocked.py",
        clock=clock,
    )


def utc(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def planned(errand: Installation) -> int:
    """How often the service has taken note of its schedules."""
    return sum(each.get("event") == "schedules" for each in errand.events)


async def scheduled(errand: Installation) -> None:
    await errand.wait_for(lambda: planned(errand) > 0)


async def jump(errand: Installation, clock: Clock, moment: str) -> None:
    """It is another time from now on, and the service looks what is due."""
    before = planned(errand)
    clock.set(utc(moment))
    os.kill(errand.pid, signal.SIGHUP)
    await errand.wait_for(lambda: planned(errand) > before)


async def restart(errand: Installation, clock: Clock, moment: str) -> None:
    """Kill the bot, and start it again at some later time."""
    await errand.kill()
    clock.set(utc(moment))
    errand.events.clear()
    await errand.start()
    await scheduled(errand)


def rows(errand: Installation, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(errand.home / "errand.db") as database:
        return database.execute(query).fetchall()


def became(errand: Installation, job: str) -> str:
    """What became of the due moments of a job, oldest first."""
    found = rows(errand, f"SELECT outcome FROM ticks WHERE job = '{job}' ORDER BY at")
    return " ".join(str(row[0]) for row in found)


async def wait(errand: Installation, job: str, outcomes: str) -> None:
    await errand.wait_for(lambda: became(errand, job) == outcomes)


def runs(errand: Installation, job: str, cause: str = "schedule") -> list[object]:
    """The numbers of a job's runs."""
    query = f"SELECT number FROM runs WHERE job = '{job}' AND cause = '{cause}' ORDER BY number"
    return [row[0] for row in rows(errand, query)]


async def test_day_without_the_time_runs_the_job_once_whatever_happens_to_clock_and_bot(
    errand: Installation, clock: Clock
) -> None:
    await scheduled(errand)
    await jump(errand, clock, f"{SPRING} 00:59:58")  # and the last two seconds it sleeps by itself
    await wait(errand, "report", "run")
    await wait(errand, "bare", "run")
    await jump(errand, clock, f"{SPRING} 01:30")
    await wait(errand, "bare", "run run")
    for moment in ("00:30", "01:00:01", "01:30:01"):  # it is set back, and the hour comes again
        await jump(errand, clock, f"{SPRING} {moment}")
    await jump(errand, clock, f"{SPRING} 02:00")
    await wait(errand, "bare", "run run run")
    for _ in range(2):
        await restart(errand, clock, f"{SPRING} 02:00:01")
    await jump(errand, clock, f"{SPRING} 02:30")
    await wait(errand, "bare", "run run run run")
    assert became(errand, "report") == "run"
    assert (len(runs(errand, "report")), len(runs(errand, "bare"))) == (1, 4)


async def test_day_with_the_time_twice_runs_the_job_the_first_time(
    errand: Installation, clock: Clock
) -> None:
    await scheduled(errand)
    await restart(errand, clock, f"{AUTUMN} 00:20")
    missed = f"{'missed ' * 100}"
    await wait(errand, "bare", missed.strip())
    await jump(errand, clock, f"{AUTUMN} 00:30")
    await wait(errand, "report", f"{became(errand, 'report').removesuffix(' run')} run")
    for moment, more in (("01:00", "run run"), ("01:30", "run run run")):
        await jump(errand, clock, f"{AUTUMN} {moment}")
        await wait(errand, "bare", missed + more)
    assert len(runs(errand, "report")) == 1


async def test_run_of_a_schedule_is_told_apart_everywhere(errand: Installation, clock: Clock) -> None:
    await scheduled(errand)
    await jump(errand, clock, f"{SPRING} 01:00")
    github, slack = errand.beside.github, errand.beside.slack
    check = await github.wait_for(
        lambda: next((c for c in github.checks if c.name == "errand / report" and c.conclusion), None),
        PATIENCE,
    )
    assert check.conclusion == "success"
    assert "started by `schedule`" in str(check.output["summary"])
    message = await slack.wait_for(
        lambda: next((m for m in slack.messages if "report" in m.text and "succeeded" in m.text), None), 30
    )
    assert message.channel == slack.channels[0].id
    assert github.comments == []
    (number,) = runs(errand, "report")
    token = await errand.token("test")
    told = (await errand.get(f"/api/runs/{number}", token=token)).json()
    assert (told["cause"], told["actor"], told["commit"]) == ("schedule", "schedule", check.head_sha)
    assert told["scheduled_at"] == f"{SPRING}T01:00:00.000Z"
    ended = [each for each in errand.events if each.get("event") == "run.finished"]
    assert all(each["cause"] == "schedule" for each in ended)
    assert f"#{number} by schedule succeeded" in str(check.output["title"])
    assert "Started by <b>schedule</b>" in (await errand.get(f"/runs/{number}", token=token)).text
    await errand.comment(f"/job rerun #{number}")
    await card(errand, "succeeded", "asked by `octocat`")
    (again,) = runs(errand, "report", "comment")
    told = (await errand.get(f"/api/runs/{again}", token=token)).json()
    assert (told["cause"], told["scheduled_at"]) == ("comment", None)


async def test_what_came_due_while_the_bot_was_away_runs_once_in_time_or_is_on_record(
    errand: Installation, clock: Clock
) -> None:
    await scheduled(errand)
    await restart(errand, clock, f"{SPRING} 02:40")
    await wait(errand, "report", "run")
    await wait(errand, "bare", "missed missed missed missed")
    await errand.comment("/job why bare")
    reply = await card(errand, "due Sun 2027-03-28 05:30 EEST: missed (Errand was not there in time")
    assert "next: Sun 2027-03-28 06:00 EEST" in reply.body
    token = await errand.token("test")
    told = (await errand.get("/api/jobs/bare", token=token)).json()["schedule"]
    assert told["next"][0] == f"{SPRING}T03:00:00.000Z"
    assert [each["outcome"] for each in told["ticks"]] == ["missed"] * 4
    assert told["ticks"][0]["at"] == f"{SPRING}T02:30:00.000Z"
    page = (await errand.get("/jobs/bare", token=token)).text
    assert "Sun 2027-03-28 05:30 EEST: missed" in page
    assert "<dt>Next</dt><dd>Sun 2027-03-28 06:00 EEST</dd>" in page
    await restart(errand, clock, f"{SPRING} 03:00")
    await wait(errand, "bare", "missed missed missed missed run")
    assert len(runs(errand, "report")) == 1


async def test_people_hold_a_schedule_back_and_run_the_job_all_the_while(
    errand: Installation, clock: Clock
) -> None:
    await scheduled(errand)
    await errand.comment("/job pause bare for 45m\n/job run bare")
    await card(errand, "paused until Sun 2027-03-28 04:3")
    await card(errand, "succeeded", "bare")
    for moment, outcomes in (("01:00", "paused"), ("01:30", "paused paused"), ("02:00", "paused paused run")):
        await jump(errand, clock, f"{SPRING} {moment}")
        await wait(errand, "bare", outcomes)
    await errand.comment("/job skip bare\n/job run bare")
    await card(errand, "leaves out Sun 2027-03-28 05:30 EEST. It runs next on Sun 2027-03-28 06:00 EEST")
    token = await errand.token("test")
    told = (await errand.get("/api/jobs/bare", token=token)).json()["schedule"]
    assert (told["skipped"], told["skipped_by"]) == (f"{SPRING}T02:30:00.000Z", "octocat")
    page = (await errand.get("/jobs/bare", token=token)).text
    assert '05:30 EEST <span class="ref">by octocat</span>' in page
    for moment, last in (("02:30", "skipped"), ("03:00", "skipped run")):
        await jump(errand, clock, f"{SPRING} {moment}")
        await wait(errand, "bare", f"paused paused run {last}")
    await errand.comment("/job pause bare")
    await card(errand, "is paused. People can still run it")
    told = (await errand.get("/api/jobs/bare", token=token)).json()["schedule"]
    assert (told["next"], told["paused_by"], told["paused_until"]) == ([], "octocat", None)
    page = (await errand.get("/jobs/bare", token=token)).text
    assert '<dt>Paused</dt><dd><span class="ref">by octocat</span>' in page
    await jump(errand, clock, f"{SPRING} 03:30")
    await wait(errand, "bare", "paused paused run skipped run paused")
    await errand.comment("/job resume bare")
    await card(errand, "goes on. It runs next on Sun 2027-03-28 07:00 EEST")
    await jump(errand, clock, f"{SPRING} 04:00")
    await wait(errand, "bare", "paused paused run skipped run paused run")
    assert len(runs(errand, "bare", "comment")) == 2


async def test_schedule_that_is_changed_in_the_file_or_through_the_api_holds_at_once(
    errand: Installation, clock: Clock
) -> None:
    await scheduled(errand)
    with changing(errand.config) as app:
        app["jobs"]["bare"]["schedule"]["cron"] = "15 * * * *"
    await jump(errand, clock, f"{SPRING} 00:55")
    admin = await errand.token("boss", "admin")

    async def put(cron: str) -> int:
        body = json.dumps({"command": "true", "schedule": {"cron": cron, "catch_up": "5m"}})
        before = planned(errand)
        answer = await ask(errand, "PUT", "/api/jobs/extra", admin, body=body)
        if answer.is_success:
            await errand.wait_for(lambda: planned(errand) > before)
        return answer.status_code

    assert await put("0 1 * * *") == 201
    assert await put("0 0 31 2 *") == 422
    await jump(errand, clock, f"{SPRING} 01:00")
    await wait(errand, "extra", "run")
    assert await put("5,10 1 * * *") == 200
    await jump(errand, clock, f"{SPRING} 01:05")
    await wait(errand, "extra", "run run")
    await errand.wait_for(lambda: errand.ended(int(str(each)) for each in runs(errand, "extra")))
    assert (await ask(errand, "DELETE", "/api/jobs/extra", admin)).status_code == 204
    await jump(errand, clock, f"{SPRING} 01:10")
    await jump(errand, clock, f"{SPRING} 01:15")
    await wait(errand, "bare", "run")
    assert (became(errand, "extra"), runs(errand, "extra")) == ("", [])


async def test_check_and_plan_tell_the_next_five_times_with_their_zone(errand: Installation) -> None:
    said = " ".join((await errand.command("check")).split())
    assert "(Europe/Helsinki): " in said
    assert said.partition("schedule report")[2].partition("schedule bare")[0].count(" EE") == 5
    await errand.comment("/job plan bare")
    reply = await card(errand, "schedule `*/30 * * * *` (Europe/Helsinki), next: ")
    for at in ("04:00", "04:30", "05:00", "05:30", "06:00"):
        assert f"Sun {SPRING} {at} EEST" in reply.body
    assert "06:30" not in reply.body
