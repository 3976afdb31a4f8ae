"""Deliveries become decisions: once, for those who may, with an answer."""

import asyncio
import json

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from bot.errors import RetryLater
from bot.handlers import comments
from bot.handlers.conversation import MAX_COMMANDS
from bot.handlers.facts import REFUSAL_KEPT
from bot.tables import Build, Delivery
from demo.watched import PATIENCE
from tests.bot.house import HEAD, SHOP, House
from tests.bot.store.counting import active_builds


async def kinds(home: House) -> list[str]:
    return [post.kind for post in await home.posts()]


async def test_push_builds_and_is_told_on_its_commit(home: House) -> None:
    await home.push(HEAD)
    build = await home.build(1)
    assert (build.repository, build.commit, build.cause) == ("Acme/Shop", HEAD, "push")
    assert await kinds(home) == ["github_check", "slack_message"]


@pytest.mark.parametrize(
    ("repository", "branch"), [(SHOP, "feature"), ("acme/site", "x"), ("stranger/shop", "main")]
)
async def test_push_that_concerns_no_image_is_ignored(home: House, repository: str, branch: str) -> None:
    await home.push(HEAD, repository=repository, branch=branch)
    assert await home.store.read(active_builds) == 0


async def test_push_of_what_is_no_commit_is_ignored(home: House) -> None:
    await home.push("../../../etc/passwd")
    assert await home.store.read(active_builds) == 0


async def test_same_comment_twice_is_carried_out_and_answered_once(home: House) -> None:
    first = await home.comment("/job run plain\n/job list")
    again = await home.deliver("issue_comment", first.body)
    for delivery in (first, again):
        await home.bot.deliveries.handle(delivery)
    assert (await home.run(1)).name == "plain-1-" + (await home.run(1)).name[-16:]
    assert await kinds(home) == ["github_comment", "github_comment"]


async def test_too_many_commands_are_told(home: House) -> None:
    (reply,) = await home.says("/job list\n" * (MAX_COMMANDS + 1))
    assert "the rest was left out" in reply


async def test_who_may_not_is_told_once_however_the_name_is_written(home: House) -> None:
    assert len(await home.says("/job run plain", author="reader")) == 1
    assert await home.says("/job list", author="Reader") == []
    assert (await kinds(home)).count("github_reaction") == 1


async def test_who_was_given_the_right_may_run_half_a_minute_later(home: House) -> None:
    assert len(await home.says("/job run plain", author="reader")) == 1
    home.github.add_person(SHOP, "reader", "write")
    home.now += REFUSAL_KEPT
    assert await home.says("/job run plain", author="reader") == []
    assert (await home.run(1)).actor == "github:reader"


COSTLY = "/job\n" + "![" * 32_000


async def test_comments_of_who_may_not_cost_one_question_and_are_not_read(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.markdown.read", lambda *_: pytest.fail("read for a stranger"))
    comments = [await home.comment(COSTLY, author="reader") for _ in range(8)]
    desk = home.bot.deliveries
    await asyncio.gather(*(desk.handle(each) for each in comments))
    assert home.github.count("/permission$") == home.github.count("/(comments|reactions|pulls)") + 1 == 1
    assert await kinds(home) == []


async def test_fenced_command_of_who_may_not_is_not_answered(home: House) -> None:
    assert await home.says("```\n/job run plain\n```", author="reader") == []
    assert await kinds(home) == []


async def test_outsider_costs_one_question_and_is_not_answered(home: House) -> None:
    desk = home.bot.deliveries
    for _ in range(3):
        await desk.handle(await home.comment("/job run plain", author="reader", association="NONE"))
    assert (home.github.count("/permission$"), await kinds(home)) == (1, [])
    assert home.github.reactions == []


async def test_costly_comment_of_a_writer_starts_nothing_and_is_answered(home: House) -> None:
    (reply,) = await home.says("/job run plain\n" + COSTLY)
    assert "nothing in it was started" in reply
    assert "github_reaction" in await kinds(home)


async def test_near_misses_are_answered_together_once(home: House) -> None:
    (reply,) = await home.says("/Job run plain\n/job /job run plain\n/job run plain A=b\nC=d")
    for words in ("Please type `/job run plain`", "stands there twice", "broken the line"):
        assert words in reply
    assert await kinds(home) == ["github_reaction", "github_comment"]


@pytest.mark.parametrize("merged", [True, False])
async def test_command_on_a_pull_request_that_is_over_is_told_the_line_that_works(
    home: House, merged: bool
) -> None:
    pull = home.github.state.repositories[SHOP].pulls[7]
    pull.state, pull.merged = "closed", merged
    (reply,) = await home.says("/job run check\n/job plan check\n/job build shop\n/job list")
    assert reply.count("is merged" if merged else "is closed") == 3
    assert "`/job run check --ref main`" in reply
    assert "`/job build shop --ref main`" in reply
    assert "`publish`" in reply
    assert await home.says("/job run check --ref main\n/job run plain") == []
    assert [(await home.run(number)).job for number in (1, 2)] == ["check", "plain"]
    (reply,) = await home.says("/job rerun #1 --latest")
    assert "`/job run NAME --ref main`" in reply
    await home.says("/job lock plain --everyone")
    (reply,) = await home.says("/job unlock plain")
    assert "nothing was started" not in reply


async def test_command_on_an_issue_is_told_why_nothing_happens(home: House) -> None:
    (reply,) = await home.says("/job run plain", on_pull=False)
    assert "This is an issue" in reply
    assert home.github.count("/pulls/7$") == 0
    assert await home.says("no command", on_pull=False) == []


async def test_name_in_odd_case_may_what_its_owner_may(home: House) -> None:
    assert await home.says("/job run plain", author="OctoCat") == []
    assert (await home.run(1)).actor == "github:OctoCat"


async def test_comment_in_a_repository_that_may_not_talk_is_ignored(home: House) -> None:
    home.github.add_repository("acme/else", private=True)
    home.github.add_pull("acme/else", 7, HEAD, "x")
    delivery = await home.comment("/job run plain", repository="acme/else")
    await home.bot.deliveries.handle(delivery)
    settled = await home.delivery(delivery)
    assert (settled.state, "may not talk" in str(settled.note)) == ("ignored", True)
    assert home.github.reactions == []


@pytest.mark.parametrize(("text", "note"), [("hello", "no command"), ("    /job list", "no command")])
async def test_comment_without_a_command_is_ignored(home: House, text: str, note: str) -> None:
    delivery = await home.comment(text)
    await home.bot.deliveries.handle(delivery)
    assert note in str((await home.delivery(delivery)).note)


async def test_event_that_nobody_listens_to_is_ignored(home: House) -> None:
    delivery = await home.deliver("watch", b"{}")
    await home.bot.deliveries.handle(delivery)
    assert (await home.delivery(delivery)).state == "ignored"


async def test_reaction_that_fails_keeps_no_command_from_its_effect(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "SEEN_AFTER", 0.0)
    home.github.fail("/reactions$", 403, times=9)
    await home.says("/job run plain")
    assert (await home.run(1)).state == "waiting"


async def test_nobody_whom_nobody_mapped(home: House) -> None:
    (reply,) = await home.types("run check", user="U0NOBODY")
    assert "slack.people" in reply


async def test_slack_card_stands_once_in_the_channel_that_the_job_names(home: House) -> None:
    await home.says("/job build shop --ref main")
    await home.types("build shop")
    assert (await kinds(home)).count("slack_message") == 1


async def test_slack_command_without_an_address_to_answer_has_its_effect(home: House) -> None:
    body = b"command=%2Fjob&trigger_id=1.2&user_id=U0OCTOCAT&channel_id=C1&text=build+shop"
    await home.bot.deliveries.handle(await home.deliver("command", body, source="slack"))
    assert (await home.build(1)).actor == "slack:octocat"


async def test_without_github_and_slack_posts_nobody_may_anything(home: House) -> None:
    bare = home.without(github=None, slack=None)
    bare.now = home.now
    await bare.says("/job run plain")
    assert await kinds(home) == []
    assert await bare.types("run check") == []
    (reply,) = await home.without(github=None).types("run check")
    assert "write access" in reply


async def test_decision_that_is_cancelled_leaves_nothing_behind(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "SEEN_AFTER", 0.0)
    home.github.slow("/pulls/7$", 30)
    home.github.slow("/reactions$", 30)
    delivery = await home.comment("/job run plain")
    before = asyncio.all_tasks()
    task = asyncio.create_task(home.bot.deliveries.handle(delivery))
    await home.github.wait_for(lambda: home.github.count("/permission$"))
    task.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(task, return_exceptions=True)
    left = {each for each in asyncio.all_tasks() - before if "bot/handlers" in repr(each)}
    assert left == set()
    assert (await home.delivery(delivery)).state == "stored"


@pytest.mark.parametrize("kind", ["comment", "command", "push"])
async def test_giving_up_tells_who_asked(home: House, kind: str) -> None:
    delivery: Delivery
    if kind == "comment":
        delivery = await home.comment("/job run plain")
    elif kind == "command":
        address = home.slack.response_url("C1", "U0OCTOCAT")
        body = f"trigger_id=1.2&user_id=U0OCTOCAT&channel_id=C1&response_url={address}".encode()
        delivery = await home.deliver("command", body, source="slack")
    else:
        delivery = await home.deliver("push", json.dumps({}).encode())
    await home.bot.deliveries.give_up(delivery, ValueError("a secret of the operator"))
    settled = await home.delivery(delivery)
    assert (settled.state, settled.note) == ("failed", "ValueError")
    texts = [post.text for post in await home.posts() if post.text]
    assert len(texts) == (0 if kind == "push" else 1)
    assert "operator" not in str(texts)


async def test_giving_up_works_without_words_where_the_words_are_what_fails(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("template")

    monkeypatch.setattr("bot.messages.error_reply", broken)
    delivery = await home.comment("/job run plain")
    await home.bot.deliveries.give_up(delivery, RetryLater("GitHub away"))
    assert ((await home.delivery(delivery)).state, await kinds(home)) == ("failed", [])


async def test_giving_up_waits_for_the_database(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(work: object) -> None:
        raise RetryLater("away")

    delivery = await home.comment("/job run plain")
    monkeypatch.setattr(home.store, "write", away)
    with pytest.raises(RetryLater):
        await home.bot.deliveries.give_up(delivery, ValueError())


async def test_build_that_failed_is_not_waited_for_again(home: House) -> None:
    await home.says("/job run check")
    await home.write(lambda s: s.execute(update(Build).values(state="finished", result="failed")))
    await home.says("/job run check")
    assert (await home.run(2)).build_number == 2


@pytest.mark.parametrize(
    ("body", "author", "logged"),
    [
        ("no command at all", "octocat", ["all"]),
        ("/job run plain", "octocat", ["all"]),
        ("/job run nothing-like-it", "octocat", ["all", "problems"]),
        ("/job run plain", "reader", ["all", "problems"]),
    ],
)
async def test_line_of_a_delivery_can_be_left_out_unless_it_is_a_problem(
    home: House, body: str, author: str, logged: list[str]
) -> None:
    said = []
    for which in ("all", "problems"):
        log = home.tools.registry.config.log.model_copy(update={"deliveries": which})
        quiet = home.without(config=home.tools.registry.config.model_copy(update={"log": log}))
        delivery = await home.comment(body, author=author)
        with capture_logs() as lines:
            await quiet.bot.deliveries.handle(delivery)
        said += [which for line in lines if line["event"] == "delivery.settled"]
    assert said == logged


async def test_failure_of_a_delivery_is_always_logged(home: House) -> None:
    log = home.tools.registry.config.log.model_copy(update={"deliveries": "problems"})
    quiet = home.without(config=home.tools.registry.config.model_copy(update={"log": log}))
    delivery = await home.comment("/job list")
    with capture_logs() as lines:
        await quiet.bot.deliveries.give_up(delivery, RetryLater("away"))
    assert [line["state"] for line in lines if line["event"] == "delivery.settled"] == ["failed"]
