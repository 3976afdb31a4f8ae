"""What waits for a time, for another attempt or for its schedule is told alike at every place."""

import pytest

from tests.flows.decisions.conftest import ADA, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_run_for_later_is_asked_for_in_slack_and_taken_back_in_a_comment(places: Places) -> None:
    await places.errand.slash("run check in 2h")
    card = await places.card("*check*", "is waiting for")
    number = await places.newest("check")
    run = await places.run(number)
    assert (run["started_at"], run["waiting_kind"]) == (None, "time")
    assert run["waiting_for"] in await places.page(f"/runs/{number}")
    assert run["waiting_for"] in await places.terminal("status", str(number))
    assert f"/runs/{number}" in await places.page("/")
    await places.errand.comment(f"/job cancel #{number}")
    slack = places.errand.beside.slack
    await slack.wait_for(lambda: "was cancelled" in card.text or None)
    assert (await places.run(number))["result"] == "cancelled"
    rows = await places.journal(run=number, kind="run.started,run.cancelled")
    assert [(each["kind"], each["actor"], each["cause"]) for each in rows] == [
        ("run.cancelled", "github:octocat", "comment"),
        ("run.started", "slack:octocat", "slack"),
    ]


async def test_attempt_and_what_follows_are_told_with_their_rule(places: Places) -> None:
    await places.errand.comment("/job run flaky")
    await places.comment("**flaky**", "failed with exit code 75", "attempt 2 of 2")
    await places.card("*flaky*", "failed with exit code 75", "attempt 2 of 2")
    number = await places.newest("flaky")
    attempts = (await places.run(number))["attempts"]
    assert [each["retry"]["rule"] for each in attempts] == ["exit: 75", "exit: 75"]
    assert "exit: 75" in await places.page(f"/runs/{number}")

    await places.errand.comment("/job run ship")
    await places.comment("`ship`", "`check`")  # which has not run
    await places.errand.slash("run check")
    await places.card("*check*", "succeeded")
    await places.errand.comment("/job run ship")
    await places.comment("**ship**", "succeeded", "announce")
    await places.card("*announce*", "succeeded")
    ship, announce = await places.newest("ship"), await places.newest("announce")
    assert (await places.run(ship))["followed"] == [{"job": "announce", "run": announce, "reason": None}]
    assert (await places.run(announce))["follows"] == ship
    assert f"/runs/{announce}" in await places.page(f"/runs/{ship}")
    assert f"announce #{announce}" in await places.terminal("status", str(ship))


async def test_pause_of_all_schedules_by_the_api_is_ended_by_a_comment(places: Places) -> None:
    slack = places.errand.beside.slack
    await slack.open_home(user=ADA)
    await places.home("nightly")
    await places.ask("POST", "/api/schedules/pause", reason="maintenance", duration="2h")
    await places.home("maintenance")
    assert "maintenance" in await places.page("/")
    await places.errand.comment("/job why nightly")
    await places.comment("maintenance")
    await places.errand.comment("/job resume --all")
    await slack.wait_for(lambda: "maintenance" not in str(slack.homes[ADA].blocks) or None)
    assert "maintenance" not in await places.page("/")
    rows = await places.journal(kind="schedule.paused,schedule.resumed")
    assert [(each["kind"], each["actor"]) for each in rows[::-1]] == [
        ("schedule.paused", "token:all"),
        ("schedule.resumed", "github:octocat"),
    ]


async def test_backfill_of_a_comment_is_told_by_its_last_run_everywhere(places: Places) -> None:
    await places.errand.comment("/job backfill nightly from 2026-01-30 until 2026-02-01T00:00")
    answer = await places.comment("2 runs of `nightly`", "one by one")
    await places.comment("**nightly**", "succeeded", "due `2026-01-31 03:00 UTC`")
    await places.card("*nightly*", "succeeded", "2026-01-31 03:00 UTC")
    listed = (await places.ask("GET", "/api/runs?job=nightly")).json()["runs"]
    due = ["2026-01-31T03:00:00.000Z", "2026-01-30T03:00:00.000Z"]
    assert [(each["result"], each["scheduled_at"]) for each in listed] == [("succeeded", at) for at in due]
    last, first = (each["number"] for each in listed)
    assert f"`#{first}` to `#{last}`" in answer.body
    page = await places.page("/jobs/nightly")
    assert (f"/runs/{first}" in page, f"/runs/{last}" in page) == (True, True)
    assert f"#{last}" in await places.terminal("runs", "nightly")
    (row,) = await places.journal(kind="schedule.backfilled")
    assert (row["actor"], row["subject"], row["facts"]["count"]) == ("github:octocat", "schedule:nightly", 2)
