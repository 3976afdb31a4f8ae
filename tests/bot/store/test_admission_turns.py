"""Whose turn it is where attempts, builds that fail and many requests at once meet, on both databases."""

from typing import Any

import pytest

from bot.catalog.concurrency import Turn
from bot.messages import waiting_for
from bot.messages.reasons import message
from bot.store import Store, admission, attempts, locks, runs
from bot.tables import Run
from tests.bot.store.asking import Desk


@pytest.fixture
def desk(store: Store) -> Desk:
    """Somebody at work."""
    return Desk(store)


async def test_replace_whose_build_fails_leaves_what_waits_alone(desk: Desk) -> None:
    running, waiting = await desk.ask(way="queue"), await desk.ask(way="queue")
    await desk.claim()
    await desk.begin(running)
    build = await desk.build()
    new = await desk.ask(way="replace", build_number=build)
    await desk.built(build, result="failed")
    assert (await desk.run(new)).result == "error"
    assert [(await desk.run(each)).stop_by for each in (running, waiting)] == [None, None]
    await desk.end(running)
    assert await desk.claim() == [waiting]


async def test_newest_replace_that_is_built_goes_before_an_older_one_that_is_not(desk: Desk) -> None:
    running = await desk.ask(way="replace")
    await desk.claim()
    await desk.begin(running)
    slow, fast = await desk.build(), await desk.build()
    older = await desk.ask(way="replace", build_number=slow)
    newer = await desk.ask(way="replace", build_number=fast)
    await desk.built(fast, result="succeeded", digest="sha")
    assert message(await desk.run(older)) == f"Replaced by #{newer}."
    assert (await desk.run(running)).stop_by == f"run:{newer}"
    await desk.end(running, "cancelled")
    assert await desk.claim() == [newer]


async def test_place_between_two_attempts_is_kept(desk: Desk) -> None:
    first = await desk.ask("deploy", lock="prod", definition={"retries": 1})
    second = await desk.ask("migrate", lock="prod")
    await desk.claim()
    await desk.begin(first)
    await desk.store.write(
        lambda s: attempts.end(s, first, 1, owner="one", now=desk.now, pause=60.0, result="failed")
    )
    assert await desk.claim() == []
    desk.now += 60.0
    assert await desk.claim() == [first]
    await desk.begin(first)
    await desk.end(first)
    assert await desk.claim() == [second]


async def test_lock_of_a_person_holds_back_the_next_attempt_as_well(desk: Desk) -> None:
    run = await desk.ask("deploy", lock="prod", definition={"retries": 1})
    await desk.claim()
    await desk.begin(run)
    await desk.store.write(
        lambda s: attempts.end(s, run, 1, owner="one", now=desk.now, pause=60.0, result="failed")
    )
    await desk.lock("prod", reason="a sale")
    desk.now += 100.0
    assert await desk.claim() == []
    assert waiting_for(await desk.run(run)) == "the lock prod, closed by octocat for everybody (a sale)"
    assert await desk.store.write(lambda s: locks.remove(s, "prod", now=desk.now))
    assert await desk.claim() == [run]


async def test_run_that_may_run_beside_others_says_which_it_waits_for(desk: Desk) -> None:
    """The first of its job may be one that it could run beside."""
    await desk.ask(build_number=await desk.build())
    alone = await desk.ask(way="queue")
    beside = await desk.ask()
    assert waiting_for(await desk.run(beside)) == f"#{alone} to end; place 3 in the queue"


async def test_each_of_a_batch_sees_those_before_it(desk: Desk) -> None:
    """Many due moments are stored in one transaction."""
    await desk.ask("busy", "queue")
    await desk.lock("shut")
    build = await desk.build()
    named: dict[str, dict[str, Any]] = {
        "queue 1": {"job": "one", "concurrency": "queue"},
        "queue 2": {"job": "one", "concurrency": "queue"},
        "replace 1": {"job": "two", "concurrency": "replace"},
        "replace 2": {"job": "two", "concurrency": "replace"},
        "forbid": {"job": "three", "concurrency": "forbid"},
        "lock 1": {"job": "four", "lock": "prod"},
        "lock 2": {"job": "five", "lock": "prod"},
        "busy": {"job": "busy"},
        "beside": {"job": "one"},
        "shut": {"job": "shut"},
        "free": {"job": "six"},
        "building": {"job": "seven", "build_number": build},
    }
    drafts = [
        runs.Draft(
            Run(key=name, name="", cause="schedule", actor="schedule", created_at=0.0, **about), [], name
        )
        for name, about in named.items()
    ]
    stored = await desk.store.write(lambda s: runs.enqueue_all(s, drafts, now=desk.now))
    keys = {run.key: run.identity for run in stored}
    assert keys.keys() == named.keys()
    claimed = await desk.claim()
    admitted = {name for name, number in keys.items() if number in claimed}
    assert admitted == {"queue 1", "replace 2", "forbid", "lock 1", "free"}
    assert message(await desk.run(keys["replace 1"])) == f"Replaced by #{keys['replace 2']}."
    said = {name: waiting_for(await desk.run(number)) for name, number in keys.items()}
    assert said["queue 2"] == f"#{keys['queue 1']} to end; place 1 in the queue"
    assert said["beside"] == f"#{keys['queue 1']} to end; place 2 in the queue"
    assert said["lock 2"] == (
        f"the lock prod, held by four #{keys['lock 1']}, asked by schedule; place 1 in the queue"
    )
    assert said["busy"] == "#1 to end; place 1 in the queue"
    assert said["shut"] == "the lock shut, closed by octocat for everybody"
    assert said["building"] is None
    refused = await desk.store.write(lambda s: admission.refusal(s, "three", Turn("forbid")))
    assert refused is not None
    assert refused["run"] == keys["forbid"]
