"""A freeze, who goes past it, and its end: said at one place, and seen at all of them."""

import pytest

from tests.flows.decisions.conftest import ADA, Places

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_freeze_of_slack_holds_everywhere_until_a_comment_ends_it(places: Places) -> None:
    slack = places.errand.beside.slack
    await slack.open_home(user=ADA)
    await places.home("Schedules")
    await places.errand.slash('freeze "moving house" for 1h')
    await places.whispered("Everything is frozen until")
    await places.home("moving house")
    (told,) = (await places.ask("GET", "/api/freezes")).json()["freezes"]
    assert (told["actor"], told["why"], told["on"]) == ("slack:octocat", "moving house", True)
    assert "moving house" in await places.page("/")
    assert "moving house" in await places.terminal("freezes")

    await places.errand.comment("/job run check")
    await places.comment("`check` is not started", "moving house")
    refused = await places.errand.client.post(
        "/api/jobs/check/start", headers={"authorization": f"Bearer {places.token}"}, json={}
    )
    assert (refused.status_code, "moving house" in refused.text) == (409, True)
    await places.errand.comment('/job run check --override "customers cannot pay"')
    await places.comment("in spite of a freeze", "ada")

    await places.errand.comment('/job run check --override "customers cannot pay"', author="ada")
    card = await places.comment("**check**", "succeeded", "customers cannot pay")
    await places.card("check", "succeeded", "customers cannot pay")
    number = await places.newest("check")
    assert f"#{number}" in card.body
    assert (await places.run(number))["override"] == "customers cannot pay"
    assert "customers cannot pay" in await places.page(f"/runs/{number}")
    assert "customers cannot pay" in await places.terminal("status", str(number))

    await places.errand.comment("/job thaw")
    await places.comment("not frozen any more")
    await slack.wait_for(lambda: "moving house" not in str(slack.homes[ADA].blocks) or None)
    assert (await places.ask("GET", "/api/freezes")).json()["freezes"] == []
    assert "moving house" not in await places.page("/")
    rows = await places.journal(kind="freeze.begun,freeze.ended,rule.overridden,refused")
    assert [(each["kind"], each["actor"], each["rule"]) for each in rows[::-1]] == [
        ("freeze.begun", "slack:octocat", "allow: github:octocat"),
        ("refused", "github:octocat", "frozen"),
        ("refused", "token:all", "frozen"),
        ("refused", "github:octocat", "override"),
        ("rule.overridden", "github:ada", "override: allow: github:ada"),
        ("freeze.ended", "github:octocat", "allow: github:octocat"),
    ]


async def test_lock_of_the_api_keeps_a_comment_waiting_until_a_page_opens_it(places: Places) -> None:
    await places.errand.beside.slack.open_home(user=ADA)
    await places.ask("PUT", "/api/locks/production", reason="a backup runs")
    await places.home("production", "a backup runs")
    await places.errand.comment("/job run prod")
    await places.comment("**prod**", "waiting for", "a backup runs")
    await places.card("*prod*", "is waiting", "a backup runs")
    number = await places.newest("prod")
    assert "a backup runs" in (await places.run(number))["waiting_for"]
    assert "a backup runs" in await places.page(f"/runs/{number}")
    assert "a backup runs" in await places.terminal("locks")
    opened = await places.errand.client.post(
        "/unlock", headers={"authorization": f"Bearer {places.token}"}, data={"target": "production"}
    )
    assert opened.status_code == 303
    await places.comment("**prod**", f"#{number}", "succeeded")
    await places.card("*prod*", "succeeded")
    slack = places.errand.beside.slack
    await slack.wait_for(lambda: "a backup runs" not in str(slack.homes[ADA].blocks) or None)
    rows = await places.journal(kind="lock.closed,lock.opened")
    assert [(each["kind"], each["actor"]) for each in rows[::-1]] == [
        ("lock.closed", "token:all"),
        ("lock.opened", "token:all"),
    ]
