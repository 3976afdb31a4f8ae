"""A yes and a no, each said at another place, and seen at all of them."""

import re

import pytest

from demo import deliveries, payloads
from demo.arrivals import GITHUB_SECRET, PULL, REPOSITORY
from tests.flows.decisions.conftest import ADA, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_wish_of_a_comment_is_granted_in_slack_and_told_everywhere(places: Places) -> None:
    await places.errand.comment("/job run migrate")
    await places.comment("migrate", "waiting for a yes")
    card = await places.card("migrate", "run.approve")
    number = await places.newest("migrate")
    waiting = await places.run(number)
    assert (waiting["started_at"], waiting["waiting_kind"]) == (None, "approval")
    assert f'action="/runs/{number}/approve"' in await places.page(f"/runs/{number}")
    assert "waiting for a yes of" in await places.terminal("status", str(number))

    await places.errand.beside.slack.press(card, "run.approve")  # octocat, who asked for it
    await places.whispered("yourself", f"#{number}")
    await places.errand.beside.slack.press(card, "run.approve", user=ADA)
    done = await places.comment("migrate", "succeeded", "ada")
    assert "approved by" in done.body
    told = await places.card("migrate", "succeeded", "approved by")
    assert "run.approve" not in str(told.blocks)
    check = await places.check("migrate", f"#{number} succeeded")
    assert check.conclusion == "success"
    assert (await places.run(number))["approval"]["given"][0]["actor"] == "slack:ada"
    page = await places.page(f"/runs/{number}")
    assert f'action="/runs/{number}/approve"' not in page
    assert "ada" in page
    assert re.search(r"approved by +ada", await places.terminal("status", str(number)))
    rows = await places.journal(run=number)
    assert [(each["kind"], each["actor"]) for each in rows[::-1]] == [
        ("run.started", "github:octocat"),
        ("approval.given", "slack:ada"),
        ("run.released", "github:octocat"),
        ("run.finished", "github:octocat"),
    ]
    assert re.search(rf"approved +migrate #{number} ", await places.terminal("audit", "--run", str(number)))
    refused = (await places.journal(kind="refused", actor="octocat"))[0]
    assert (refused["actor"], refused["rule"]) == ("slack:octocat", "approval: not the asker")


async def test_wish_of_slack_is_granted_by_a_button_of_the_check(places: Places) -> None:
    await places.errand.slash("run migrate")
    await places.card("migrate", "run.approve")
    number = await places.newest("migrate")
    check = await places.check("migrate", f"#{number}", "waiting for a yes")
    assert {each["identifier"] for each in check.actions} >= {"approve", "deny"}
    await places.errand.press(check, "approve", author="ada")
    await places.card(f"#{number}", "succeeded", "approved by")
    assert (await places.run(number))["result"] == "succeeded"


async def test_no_of_a_comment_is_told_in_the_channel_and_on_the_page(places: Places) -> None:
    await places.errand.comment("/job run migrate")
    await places.card("migrate", "run.deny")
    number = await places.newest("migrate")
    await places.errand.comment(f'/job deny #{number} "not before the backup"', author="ada")
    for told in (
        (await places.comment(f"#{number}", "not before the backup")).body,
        str((await places.card(f"#{number}", "not before the backup")).blocks),
        await places.page(f"/runs/{number}"),
        await places.terminal("status", str(number)),
    ):
        assert "not before the backup" in told
    run = await places.run(number)
    assert (run["result"], run["reason"]) == ("cancelled", "Denied")
    (row,) = await places.journal(run=number, kind="approval.denied")
    assert (row["actor"], row["facts"]["why"]) == ("github:ada", "not before the backup")


async def test_push_to_the_pull_request_voids_it_everywhere_before_anybody_answers(places: Places) -> None:
    await places.errand.comment("/job run migrate")
    await places.card("migrate", "run.approve")
    number = await places.newest("migrate")
    known = places.errand.beside.github.state.repositories[REPOSITORY]
    newer = await places.errand.commit({"README.md": "newer"}, branch="topic")
    known.pulls[PULL].head_sha = newer
    payload = payloads.pull_request(REPOSITORY, PULL, newer, "topic", action="synchronize", private=True)
    payload["repository"]["id"] = payload["pull_request"]["head"]["repo"]["id"] = known.id
    sent = deliveries.github(GITHUB_SECRET, "pull_request", "moved", payload)
    (await places.errand.deliver("/webhooks/github", sent)).raise_for_status()
    card = await places.card(f"#{number}", "has got other commits", "/job run migrate")
    assert "run.approve" not in str(card.blocks)
    check = await places.check("migrate", f"#{number}", "has got other commits")
    assert check.actions == [] or "approve" not in {each["identifier"] for each in check.actions}
    for told in (
        (await places.comment(f"#{number}", "has got other commits")).body,
        await places.page(f"/runs/{number}"),
        await places.terminal("status", str(number)),
    ):
        assert newer[:12] in told
        assert "/job run migrate" in told.replace("\\", "")
    (row,) = await places.journal(run=number, kind="approval.voided")
    assert row["facts"]["changes"][0]["now"] == newer
