"""What people and programs ask for leaves rows in the journal, with who, what and by which rule."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.callers import of_hook, of_token
from bot.handlers.calls import StartConditions
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest
from bot.store import journal, locks
from bot.tables import Build, JournalEntry, Run
from executor.spec import Outcome, Result, Started
from tests.bot.handlers.test_ready_images import CONTAINED
from tests.bot.house import HEAD, House, house, unchecked

JOBS = """
  ship: {image: shop, command: "true", lock: prod}
  newest: {image: tools, command: "true", concurrency: replace}
  nightly: {image: shop, command: "true", schedule: {cron: "0 3 * * *"}}
"""
BOSS = of_token("boss", frozenset({"admin", "read"}))
WRITE = "github:permission/write on Acme/Shop"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS, changes=CONTAINED) as made:
        yield made


async def rows(home: House, *kinds: str) -> list[JournalEntry]:
    """Oldest first, without the jobs of the file."""
    found = await home.store.read(lambda s: journal.newest(s, limit=1000))
    return [row for row in found[::-1] if row.actor != "file" and (not kinds or row.kind in kinds)]


async def test_run_of_a_comment_leaves_rows_from_the_wish_to_the_end(home: House) -> None:
    await home.says("/job run ship")
    home.engine.plans = [[Started(home.now), Outcome(Result.SUCCEEDED, exit_code=0, image="tree:1")]]
    await home.bot.builder.carry(await home.claim(Build))
    home.engine.plans = [[Started(home.now), Outcome(Result.FAILED, exit_code=3)]]
    await home.bot.runner.carry(await home.claim(Run))
    found = await rows(home)
    assert [(row.kind, row.subject) for row in found] == [
        ("build.requested", "build:1"),
        ("run.started", "run:1"),
        ("build.finished", "build:1"),
        ("run.finished", "run:1"),
    ]
    asked, ended = found[1], found[3]
    assert (asked.actor, asked.cause, asked.rule) == ("github:octocat", "comment", WRITE)
    assert (asked.job, asked.run, asked.repository) == ("ship", 1, "acme/shop")
    assert (asked.facts["commit"], asked.facts["pull_request"]) == ("c" * 40, 7)
    assert (ended.facts["result"], ended.facts["exit_code"]) == ("failed", 3)


async def test_each_verb_that_changes_something_leaves_a_row(home: House) -> None:
    for line in (
        "lock prod moving",
        "unlock prod",
        "pause nightly for 2h",
        "resume nightly",
        "skip nightly",
        "build shop",
        "run ship",
        "cancel #1",
        "rerun #1",
    ):
        await home.says(f"/job {line}")
    found = {row.kind: row for row in await rows(home)}
    assert found.keys() >= {
        "lock.closed",
        "lock.opened",
        "schedule.paused",
        "schedule.resumed",
        "schedule.skipped",
        "build.requested",
        "run.started",
        "run.cancelled",
        "run.repeated",
    }
    assert {(row.actor, row.cause, row.rule) for row in found.values() if row.kind != "run.finished"} == {
        ("github:octocat", "comment", WRITE)
    }
    assert found["lock.closed"].facts == {"reason": "moving"}
    assert found["schedule.paused"].facts == {"until": pytest.approx(home.now + 7200)}
    assert (found["schedule.paused"].subject, found["run.repeated"].facts["repeats"]) == (
        "schedule:nightly",
        1,
    )


async def test_what_is_asked_twice_or_changes_nothing_leaves_no_second_row(home: House) -> None:
    await home.says("/job run ship")
    before = len(await rows(home))
    await home.says("/job unlock prod\n/job resume nightly\n/job list\n/job plan ship\n/job status")
    await home.bot.deliveries.handle(await home.deliver("ping", b"{}"))
    assert len(await rows(home)) == before
    await home.says("/job cancel #1")
    await home.says("/job cancel #1")
    assert len(await rows(home, "run.cancelled")) == 1


async def test_replaced_run_says_which_run_took_its_place_and_by_which_rule(home: House) -> None:
    await home.says("/job run newest")
    await home.says("/job run newest")
    (row,) = await rows(home, "run.cancelled")
    assert (row.subject, row.actor, row.rule) == ("run:1", "run:2", "concurrency: replace")


async def test_token_and_hook_are_told_with_the_scope_that_let_them(home: House) -> None:
    calls, runner = home.bot.calls, of_token("runner", frozenset({"run:plain", "read"}))
    await calls.start(runner, "plain", StartRequest({"WHO": "Ada"}))
    await calls.start(BOSS, "plain", StartRequest())
    hook = of_hook("plain", "ci")
    await calls.start(hook, "plain", StartRequest(image_tag="2.0"), StartConditions(moves=True))
    await calls.cancel(runner, RunReference(1))
    await calls.move(BOSS, "plain", "3.0", unchecked)
    await calls.follow(BOSS, "plain")
    await calls.follow(BOSS, "plain")
    found = await rows(home, "run.started", "run.cancelled", "tag.moved", "tag.dropped")
    assert [(row.kind, row.actor, row.rule) for row in found] == [
        ("run.started", "token:runner", "scope: run:plain"),
        ("run.started", "token:boss", "scope: admin"),
        ("tag.moved", "hook:plain/ci", "hook:plain/ci"),
        ("run.started", "hook:plain/ci", "hook:plain/ci"),
        ("run.cancelled", "token:runner", "scope: run:plain"),
        ("tag.moved", "token:boss", "scope: admin"),
        ("tag.dropped", "token:boss", "scope: admin"),
    ]
    assert found[0].facts["parameters"] == {"WHO": "Ada"}
    assert found[2].facts == {"image": "tools", "tag": "2.0"}


async def test_push_tells_of_what_it_started(home: House) -> None:
    await home.push(HEAD)
    (row,) = await rows(home, "build.requested")
    assert (row.actor, row.cause, row.rule) == ("github:octocat", "push", "on: push")


async def test_lock_that_ends_by_its_time_is_opened_by_errand(home: House) -> None:
    await home.says("/job lock prod for 30m")
    home.now += 1801
    await home.write(lambda s: locks.expire(s, now=home.now))
    (row,) = await rows(home, "lock.opened")
    assert (row.actor, row.subject, row.rule) == ("errand", "lock:prod", "until")


async def test_new_file_tells_which_keys_of_which_jobs_it_changed_and_no_value(home: House) -> None:
    file = home.home / "app.yaml"
    text = file.read_text()
    before = await home.store.read(lambda s: journal.newest(s, limit=1000))
    assert {row.kind for row in before} == {"job.defined"}
    file.write_text(text.replace('"echo \\"hi $WHO\\""', '"echo canary-of-a-command"'))
    await home.reread()
    new = (await home.store.read(lambda s: journal.newest(s, limit=1000)))[: -len(before)]
    assert [(row.kind, row.subject, row.actor, row.rule) for row in new] == [
        ("job.defined", "job:plain", "file", "file")
    ]
    assert new[0].facts == {"version": 2, "changed": ["command"]}
    assert "canary" not in str(new[0].model_dump())


async def test_refusals_say_what_refused_wherever_they_were_asked(home: House) -> None:
    await home.says("/job run ship\n/job run nightly", author="reader")
    await home.says("please\n/job lock prod", author="reader")
    await home.says("what a fine pull request", author="reader")
    await home.types("run ship", user="U0STRANGER")
    found = await rows(home)
    assert [(row.kind, row.actor, row.cause, row.subject, row.job, row.rule) for row in found] == [
        ("refused", "github:reader", "comment", "job:ship", "ship", "permission read"),
        ("refused", "github:reader", "comment", "job:nightly", "nightly", "permission read"),
        ("refused", "github:reader", "comment", "command:run", None, "permission read"),
        ("refused", "slack:U0STRANGER", "slack", "job:ship", "ship", "not allowed"),
    ]
    assert "reader" in found[0].facts["reason"]["text"]
    (reply,) = await home.says("/job why ship")
    assert "refused `reader`" in reply


async def test_what_a_rule_keeps_back_is_a_refusal_and_a_mistake_is_none(tmp_path: Path) -> None:
    jobs = """
  lonely: {image: tools, command: "true", concurrency: forbid}
  theirs: {image: shop, command: "true", allow: ["github:ada"]}
"""
    async with house(tmp_path, jobs=jobs, changes=CONTAINED) as home:
        await home.says(
            "/job run lonely\n/job run lonely\n/job run theirs\n/job run nothing\n/job unlock prod"
        )
        found = await rows(home, "refused")
    assert [(row.job, row.rule, row.facts["verb"]) for row in found] == [
        ("lonely", "concurrency: forbid", "run"),
        ("theirs", "allow", "run"),
    ]
    assert found[0].facts["reason"]["run"] == 1
