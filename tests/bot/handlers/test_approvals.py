"""A run that needs a yes starts with that of somebody else, and with nothing less."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot import messages
from bot.access import callers
from bot.errors import RetryLater
from bot.states import Cause, State
from bot.store import Session, approvals, runs
from bot.tables import Approval, Run
from tests.bot.handlers.approving import (
    approve,
    approving,
    ask,
    deny,
    is_held,
    kinds,
    look,
    on_github,
    redefine,
    said,
    with_token,
)

HUBBER = on_github("hubber")
ALL = frozenset({"admin"})


async def test_run_waits_for_a_yes_and_starts_with_it(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        assert is_held(await home.run(number))
        assert "goes on" in await approve(home, number, HUBBER)
        await look(home)
        run = await home.run(number)
        assert (run.hold, run.approval and run.approval["given"][0]["actor"]) == (None, "github:hubber")
        assert await kinds(home) == ["approval.given", "run.released"]


async def test_token_says_yes_only_where_the_rule_names_it(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        assert "Only people say yes" in await approve(home, number, with_token("ci"))


async def test_two_at_the_same_moment_count_once_each_and_release_once(tmp_path: Path) -> None:
    async with approving(tmp_path, "{count: 2}") as home:
        number = await ask(home)
        await look(home)
        third = on_github("third")
        answers = await asyncio.gather(
            *(approve(home, number, each) for each in (HUBBER, third, HUBBER, third, HUBBER))
        )
        assert sum("goes on" in answer for answer in answers) >= 1
        assert len(await said(home, number)) == 2
        run = await home.run(number)
        await asyncio.gather(*(home.bot.approvals.holds.look(run) for _ in range(4)))
        assert (await home.run(number)).hold is None
        assert (await kinds(home)).count("run.released") == 1
        assert (await kinds(home)).count("approval.given") == 2
        assert "waits for no yes" in await approve(home, number, HUBBER)


async def test_one_person_is_one_yes_through_every_door(tmp_path: Path) -> None:
    async with approving(tmp_path, "{count: 2}") as home:
        number = await ask(home)
        await look(home)
        await approve(home, number, HUBBER)
        again = replace(on_github("Hubber", cause=Cause.SLACK), actor="slack:Hubber", place=None)
        assert "already" in await approve(home, number, again)
        await look(home)
        assert is_held(await home.run(number))


async def test_two_names_that_turn_out_to_be_one_person_count_once(tmp_path: Path) -> None:
    rule = "{count: 2, from: ['slack:U0OCTOCAT', 'github:hubber']}"
    people = {"slack": {"people": {"U0OCTOCAT": "hubber"}}}
    async with approving(tmp_path, rule, changes=people) as home:
        number = await ask(home)
        await look(home)
        await approve(home, number, HUBBER)

        def other(session: Session) -> None:
            (row,) = approvals.of_run(session, number)
            named = {"person": "slack:U0OCTOCAT", "actor": "slack:U0OCTOCAT"}
            session.add(Approval(**row.model_dump(exclude={"id"}) | named))

        await home.write(other)
        await home.bot.approvals.holds.look(await home.run(number))
        assert is_held(await home.run(number))


async def test_nobody_says_yes_in_time(tmp_path: Path) -> None:
    async with approving(tmp_path, "{from: [github:hubber], expires: 10m}") as home:
        number = await ask(home)
        await look(home)
        home.now += 599.0
        await look(home)
        assert is_held(await home.run(number))
        home.now += 1.0
        assert "until" in await approve(home, number, HUBBER)
        await look(home)
        run = await home.run(number)
        assert (run.result, run.reason) == ("cancelled", "ApprovalExpired")
        assert await kinds(home) == ["approval.expired"]


async def test_a_no_ends_it_and_says_whose_it_is(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        assert "said no" in await deny(home, number, HUBBER, "not *today*")
        run = await home.run(number)
        assert (run.result, run.reason, run.reason_on) == (
            "cancelled",
            "Denied",
            {"actor": "github:hubber", "why": "not *today*"},
        )
        await look(home)
        assert (await home.run(number)).state == State.FINISHED
        assert await kinds(home) == ["approval.denied"]


async def test_who_lost_the_right_meanwhile_does_not_count(tmp_path: Path) -> None:
    async with approving(tmp_path, "{count: 2}") as home:
        number = await ask(home)
        await look(home)
        await approve(home, number, HUBBER)
        home.github.add_person("acme/shop", "hubber", "read")
        await approve(home, number, on_github("third"))
        await look(home)
        run = await home.run(number)
        assert is_held(run)
        assert [each["actor"] for each in (run.approval or {})["given"]] == ["github:third"]
        home.github.add_person("acme/shop", "hubber", "write")
        assert "goes on" in await approve(home, number, HUBBER)
        await look(home)
        assert (await home.run(number)).hold is None


async def test_who_asked_and_lost_the_right_does_not_get_it(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        await approve(home, number, HUBBER)
        home.github.add_person("acme/shop", "octocat", "read")
        await look(home)
        run = await home.run(number)
        assert (run.result, run.reason) == ("cancelled", "NotReleased")


async def test_changed_definition_voids_it_and_says_what_changed(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        await redefine(home)
        assert "definition of migrate has changed (command)" in (await approve(home, number, HUBBER)).replace(
            "\\", ""
        )
        run = await home.run(number)
        assert (run.result, run.reason) == ("cancelled", "ApprovalVoided")
        assert await kinds(home) == ["approval.voided"]


async def test_definition_that_changes_between_yes_and_release_voids_it(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        await approve(home, number, HUBBER)
        await redefine(home)
        await look(home)
        assert (await home.run(number)).reason == "ApprovalVoided"


async def test_moved_head_voids_it(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        pull = await home.bot.host.required.pull("acme/shop", 7)
        number = await ask(home, on_github("octocat", pull=pull))
        await look(home)
        home.github.add_pull("acme/shop", 7, "d" * 40, "topic")
        answer = await approve(home, number, HUBBER)
        assert "other commits" in answer
        run = await home.run(number)
        assert (run.reason, run.reason_on and run.reason_on["changes"][0]["kind"]) == (
            "ApprovalVoided",
            "head",
        )


async def test_author_of_the_commit_says_no_yes_where_the_rule_says_so(tmp_path: Path) -> None:
    async with approving(tmp_path, "{not_author: true}") as home:
        number = await ask(home, HUBBER)
        await look(home)
        assert "written or committed by you" in await approve(home, number, on_github("octocat"))
        assert "goes on" in await approve(home, number, on_github("third"))


async def test_door_that_the_rule_does_not_name_takes_no_yes(tmp_path: Path) -> None:
    async with approving(tmp_path, "{on: [slack]}") as home:
        number = await ask(home)
        await look(home)
        assert "does not count here" in await approve(home, number, HUBBER)


async def test_reader_and_stranger_say_no_yes(tmp_path: Path) -> None:
    async with approving(tmp_path, "{from: [github:hubber]}") as home:
        number = await ask(home)
        await look(home)
        assert "needs write access" in await approve(home, number, on_github("reader"))
        assert "ask one of them" in await approve(home, number, on_github("third"))
        assert "goes on" in await approve(home, number, HUBBER)


async def test_condition_says_which_runs_need_a_yes(tmp_path: Path) -> None:
    async with approving(tmp_path, '{when: "DRY_RUN == false"}') as home:
        free = await ask(home)
        assert (await home.run(free)).approval is None
        real = await ask(home, index=1, parameters={"DRY_RUN": "no"})
        assert is_held(await home.run(real))


async def test_github_that_is_away_delays_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        await approve(home, number, HUBBER)
        monkeypatch.setattr("bot.handlers.askers.Askers.require", _away)
        with pytest.raises(RetryLater):
            await home.bot.approvals.holds.look(await home.run(number))
        assert is_held(await home.run(number))
        monkeypatch.undo()
        await look(home)
        assert (await home.run(number)).hold is None


async def _away(_: object, run: Run) -> None:
    raise RetryLater("GitHub is away")


async def test_cancelled_run_takes_no_yes(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        await home.write(lambda s: runs.request_stop(s, number, by="github:octocat", now=home.now))
        assert "waits for no yes" in await approve(home, number, HUBBER)


async def test_push_and_schedule_need_the_yes_as_well(tmp_path: Path) -> None:
    job = """
migrate: {image: shop, command: "true", on: [push], approval: %s}
"""
    async with approving(tmp_path, "{}", job=job) as home:
        await home.push("e" * 40)
        run: Run = await home.run(1)
        assert is_held(run)
        assert run.actor.startswith("github:")


async def test_plan_says_beforehand_whose_yes_it_will_need(tmp_path: Path) -> None:
    async with approving(tmp_path, '{from: [github:hubber], when: "DRY_RUN == false"}') as home:
        (text,) = await home.says("/job plan migrate DRY_RUN=false")
        assert "it waits for a yes of `github:hubber` where `DRY_RUN == false`, for 1h at most" in text
        (text,) = await home.says("/job plan migrate")
        assert "a yes of" not in text
        (text,) = await home.says("/job why migrate")
        assert "of a new run: it waits for a yes of `github:hubber`" in text


async def test_comment_button_and_slack_say_it_by_the_same_command(tmp_path: Path) -> None:
    async with approving(tmp_path, "{count: 3}") as home:
        await home.says("/job run migrate")
        await look(home)
        view = messages.run_view(await home.run(1))
        check = messages.check(view, None, nonce="n", now=home.now)
        assert [each.identifier for each in check.buttons] == ["approve", "deny", "cancel"]
        assert "waiting for the yes of 3 people (somebody else who may run it)" in check.title
        card = messages.comment(view, None, nonce="n")
        assert "yes: `/job approve #1` · no: `/job deny #1`" in card
        _, blocks = messages.blocks(view, None)
        buttons = next(each for each in blocks if each["type"] == "actions")["elements"]
        assert [each["action_id"] for each in buttons] == ["run.approve", "run.deny", "run.cancel"]
        assert all("confirm" in each for each in buttons)
        assert "counts: 1 of 3" in (await home.says("/job approve #1", author="hubber"))[0]
        assert "You asked for" in (await home.types("approve 1"))[0]
        view = messages.run_view(await home.run(1))
        assert "approved by `hubber`" in messages.comment(view, None, nonce="n")
        assert "approved by `hubber`" in str(messages.blocks(view, None))


async def test_slack_button_is_pressed_once_however_often(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home, HUBBER)
        await look(home)
        press = {
            "type": "block_actions",
            "user": {"id": "U0OCTOCAT", "team_id": home.slack.team_id},
            "trigger_id": "1.2",
            "channel": {"id": home.slack.channels[0].id, "name": "ops"},
            "container": {"type": "message", "message_ts": "1.1", "channel_id": home.slack.channels[0].id},
            "response_url": home.slack.response_url(home.slack.channels[0].id, "U0OCTOCAT"),
            "actions": [
                {"action_id": "run.approve", "value": str(number), "type": "button", "block_id": "b"}
            ],
        }
        for _ in range(3):
            await home.does(press)
        (row,) = await said(home, number)
        assert (row.actor, row.cause) == ("slack:octocat", "slack")
        await look(home)
        assert (await home.run(number)).hold is None


async def test_person_who_logged_in_from_a_terminal_says_it_as_themselves(tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        number = await ask(home)
        await look(home)
        answers = {"octocat": "You asked for", "reader": "needs write access", "hubber": "goes on"}
        for login, answer in answers.items():
            caller = callers.of_person(login, frozenset({"run:migrate"}))
            context = home.bot.authorization.of_caller(caller)
            assert answer in await approve(home, number, context)
        await look(home)
        assert (await home.run(number)).hold is None
