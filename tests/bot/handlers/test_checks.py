"""Buttons of check runs do what a comment of the same person would, once, for those who may."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from bot.store import posts
from bot.tables import Build, Delivery, Run
from demo import deliveries as payloads
from demo.github import Check
from tests.bot.house import SHOP, House
from tests.bot.posting.test_outbox import send

HEAD_OF_PULL = "c" * 40
BUILT = {"state": "finished", "result": "succeeded", "digest": "d"}


async def _ended(home: House, result: str = "failed") -> Check:
    """Run #1 of `check` in pull request 7 has ended so; gives its check run."""
    await home.says("/job run check")
    await home.write(
        lambda s: s.execute(update(Build).values(state="finished", result="succeeded", digest="d"))
    )
    ended = {"state": "finished", "result": result, "finished_at": home.now}
    await home.write(lambda s: s.execute(update(Run).values(**ended)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    return next(check for check in home.github.checks if check.name == "errand / check")


async def _press(home: House, check: Check, button: str | None = None, **how: Any) -> Delivery:
    known = home.github.state.repositories[SHOP]
    about = {"external_id": check.external_id, "sender": "octocat", "private": True, "number": known.id}
    payload = payloads.check_run(SHOP, check.id, check.head_sha, button=button, **{**about, **how})
    return await home.deliver("check_run", json.dumps(payload).encode())


async def _pressed(home: House, check: Check, button: str | None = None, **how: Any) -> str:
    """Press it; gives the note of the delivery."""
    delivery = await _press(home, check, button, **how)
    await home.bot.deliveries.handle(delivery)
    return str((await home.delivery(delivery)).note)


async def _count(home: House) -> int:
    return len([post for post in await home.posts() if post.kind == "github_check" and post.run_number])


@pytest.mark.parametrize("button", [None, "rerun", "rerun-latest"])
async def test_ended_check_is_run_again_by_its_buttons(home: House, button: str | None) -> None:
    check = await _ended(home)
    assert [action["label"] for action in check.actions] == ["Re-run", "Re-run with latest"]
    await _pressed(home, check, button)
    again = await home.run(2)
    assert (again.job, again.rerun_of, again.actor, again.cause) == ("check", 1, "github:octocat", "check")
    assert again.commit == HEAD_OF_PULL
    cards = [post for post in await home.posts() if post.run_number == 2]
    assert {post.kind for post in cards} == {"github_check", "github_comment"}
    assert next(post.place["issue"] for post in cards if post.kind == "github_comment") == 7


async def test_one_delivery_has_one_effect_however_often_it_is_carried_out(home: House) -> None:
    check = await _ended(home)
    delivery = await _press(home, check)
    for _ in range(2):
        await home.bot.deliveries.handle(delivery)
        await home.write(lambda s: s.execute(update(Delivery).values(lease_owner="one", state="stored")))
    assert await _count(home) == 2


async def test_running_check_has_one_button_which_stops_the_run(home: House) -> None:
    await home.says("/job run plain\n/job run check")
    await send(home)
    check = next(check for check in home.github.checks if check.name == "errand / check")
    assert [(action["label"], action["identifier"]) for action in check.actions] == [("Cancel", "cancel")]
    await _pressed(home, check, "cancel")
    assert (await home.run(2)).result == "cancelled"
    assert (await home.run(1)).state == "waiting"
    assert not [post for post in await home.posts() if post.key.startswith("reply:github:")]


async def test_who_may_not_write_presses_for_nothing_and_costs_one_question(home: House) -> None:
    check = await _ended(home)
    before = home.github.count("")
    assert "refused github:reader" in await _pressed(home, check, sender="reader")
    assert home.github.count("") == before + 1
    assert await _count(home) == 1


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"external_id": "run:1:guessed"}, "no check that is told of here"),
        ({"external_id": ""}, "no check that is told of here"),
        ({"external_id": "run:" + "9" * 40 + ":n"}, "no check that is told of here"),
        ({"button": "frobnicate"}, "no check that is told of here"),
        ({"sender": "dependabot[bot]"}, "no person pressed"),
    ],
)
async def test_button_of_no_check_of_ours_does_nothing(
    home: House, changes: dict[str, Any], note: str
) -> None:
    check = await _ended(home)
    assert note in await _pressed(home, check, **changes)
    assert await _count(home) == 1


async def test_check_of_another_app_does_nothing(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    check = await _ended(home)
    monkeypatch.setattr("demo.checks.APP", 1)
    assert await _pressed(home, check) == "a check of another App"
    assert home.github.count("/permission$") == 1


async def test_what_a_button_cannot_do_is_said_in_the_pull_request(home: House) -> None:
    check = await _ended(home)
    home.github.state.repositories[SHOP].pulls[7].state = "closed"
    await _pressed(home, check, "rerun-latest")
    (reply,) = [post for post in await home.posts() if post.key.startswith("reply:github:")][-1:]
    assert "is closed" in str(reply.text)
    assert await _count(home) == 1


async def test_suite_runs_again_what_failed_last_and_nothing_else(home: House) -> None:
    await home.says("/job run check\n/job run deploy SECRETIVE=x\n/job run check\n/job run plain")
    await home.write(
        lambda s: s.execute(update(Build).values(state="finished", result="succeeded", digest="d"))
    )
    ended = {1: "failed", 2: "succeeded", 3: "timed_out", 4: "failed"}
    for number, result in ended.items():
        values = {"state": "finished", "result": result, "finished_at": home.now}
        await home.write(lambda s: s.execute(update(Run).where(Run.number == number).values(**values)))  # type: ignore[arg-type]  # noqa: B023
    known = home.github.state.repositories[SHOP]
    about = {"sender": "octocat", "private": True, "number": known.id}
    payload = json.dumps(payloads.check_suite(SHOP, HEAD_OF_PULL, **about)).encode()  # type: ignore[arg-type]
    await home.bot.deliveries.handle(await home.deliver("check_suite", payload))
    assert ((await home.run(5)).job, (await home.run(5)).rerun_of) == ("check", 3)
    assert await _count(home) == 4


async def test_check_of_a_failed_build_is_built_again(home: House) -> None:
    home.github.state.repositories[SHOP].refs["main"] = "d" * 40
    await home.push("d" * 40)
    await home.write(lambda s: s.execute(update(Build).values(state="finished", result="failed")))
    await home.write(lambda s: posts.want(s, "build", [1], posts.Wish.URGENT))
    await send(home)
    (check,) = home.github.checks
    assert check.actions == []
    await _pressed(home, check)
    again = await home.build(2)
    assert (again.commit, again.actor) == ("d" * 40, "github:octocat")


async def test_run_with_which_its_schedule_stopped_has_a_button_that_lets_that_go_on(home: House) -> None:
    await _ended(home)
    await home.write(lambda s: s.execute(update(Run).values(stopped_after=5)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    check = next(check for check in home.github.checks if check.name == "errand / check")
    assert check.actions[-1]["label"] == "Resume schedule"
    await _pressed(home, check, "resume")
    replies = [post.text for post in await home.posts() if post.key.startswith("reply:")]
    assert any("`check` has no schedule." in str(text) for text in replies)  # what the command says of it
