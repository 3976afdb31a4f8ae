"""What becomes of pushes: builds, runs after them, the newest instead of the older."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from bot.messages.reasons import message
from bot.states import State
from bot.store import Session, builds, runs
from bot.store.leases import LeaseLost
from bot.tables import Build, Delivery, PushVerdict
from demo import deliveries as payloads
from executor.spec import Outcome, Result
from tests.bot.house import HEAD, SHOP, House, house
from tests.bot.store.counting import active_builds

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


CHANGES = {
    "images": {"shop": {"build": {"branches": ["main", "topic"], "tags": ["v*"], "paths": ["src/**"]}}},
    "jobs": {"check": {"on": ["push"]}, "publish": {"on": ["push"], "concurrency": "forbid"}},
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        yield made


def _move(number: int, to: State, now: float, session: Session) -> None:
    if to is State.FINISHED:
        builds.move(session, number, to, owner="one", now=now, result="succeeded", digest="d")
    else:
        builds.move(session, number, to, owner="one", now=now)


async def arrives(home: House, commit: str, **about: Any) -> Delivery:
    """A push as it is stored, not decided yet."""
    repository = about.pop("repository", SHOP)
    ref = about.pop("ref", "")
    payload = payloads.push(repository, commit, private=True, at=home.now, **{"before": "9" * 40} | about)
    if ref:
        payload["ref"] = ref
    return await home.deliver("push", json.dumps(payload).encode())


async def pushed(home: House, commit: str, **about: Any) -> str:
    """The note of a push that was decided."""
    delivery = await arrives(home, commit, **{"paths": ["src/a"]} | about)
    await home.bot.deliveries.handle(delivery)
    return (await home.delivery(delivery)).note or ""


async def ended(home: House, number: int) -> tuple[str | None, str | None]:
    build = await home.build(number)
    return build.result, build.reason


async def test_push_runs_the_jobs_that_want_it_after_the_build(home: House) -> None:
    note = await pushed(home, ONE)
    assert note.startswith(f"push of Acme/Shop@main {ONE[:12]}: rebuilds shop\nimage shop: built: ")
    run = await home.run(1)
    assert (run.job, run.cause, run.commit, run.build_number) == ("check", "push", ONE, 1)
    assert (run.state, run.ref) == (State.WAITING, "main")
    build = await home.claim(Build)
    for state in (State.BUILDING, State.FINISHED):
        await home.write(partial(_move, build.identity, state, home.now))
    run = await home.run(1)
    assert (run.digest, run.admitted) == ("d", True)


async def test_paths_decide_and_the_note_says_so(home: House) -> None:
    delivery = await arrives(home, ONE, paths=["docs/a"])
    await home.bot.deliveries.handle(delivery)
    settled = await home.delivery(delivery)
    assert settled.state == "handled"  # so that `why` knows of it for as long as of what was built
    assert "image shop: not built: nothing changed that fits its `paths` (`src/**`)" in str(settled.note)
    assert "what changed is not known (a new branch)" in await pushed(home, ONE, before="0" * 40)


async def test_tag_builds_its_commit(home: House) -> None:
    assert "the tag `v1` fits `v*`" in await pushed(home, ONE, ref="refs/tags/v1")
    assert (await home.build(1)).ref == "tags/v1"
    assert "fits none of its `tags`" in await pushed(home, ONE, ref="refs/tags/x")


async def test_newer_push_takes_the_place_of_what_waits(home: House) -> None:
    for commit in (ONE, TWO, THREE):
        await pushed(home, commit)
    assert [await ended(home, n) for n in (1, 2, 3)] == [("cancelled", "Superseded")] * 2 + [(None, None)]
    assert "333333333333, build #3" in str(message(await home.build(2)))
    assert [((await home.run(n)).result, (await home.run(n)).reason) for n in (1, 2, 3)] == [
        ("cancelled", "Superseded"), ("cancelled", "Superseded"), (None, None),
    ]  # fmt: skip
    await pushed(home, ONE, before=THREE)  # the branch was set back: that is the newest now
    assert (await home.build(4)).commit == ONE
    assert await ended(home, 3) == ("cancelled", "Superseded")


async def test_build_that_has_begun_is_stopped_and_its_run_ends_as_superseded(home: House) -> None:
    await pushed(home, ONE)
    old, hand = await home.claim(Build), home.bot.builder

    async def push_again() -> None:
        await pushed(home, TWO)
        await hand.stop(await home.build(1))  # as the renewal of the leases does it

    home.engine.plans = [[push_again, Outcome(Result.CANCELLED)]]
    await hand.carry(old)
    assert home.engine.called("stop") == [old.name]
    assert await ended(home, 1) == ("cancelled", "Superseded")
    assert [(await home.run(n)).reason for n in (1, 2)] == ["Superseded", None]
    assert str(message(await home.run(1))).startswith("A newer push is built instead: 222222222222, build #2")


async def test_build_that_somebody_needs_is_kept(home: House) -> None:
    await pushed(home, "c" * 40)
    await home.says("/job run check")  # the head of the pull request is that commit
    await pushed(home, TWO)
    assert await ended(home, 1) == (None, None)
    assert [(await home.run(n)).result for n in (1, 2)] == [None, None]
    assert (await home.build(1)).cause == "comment"


async def test_build_that_stands_on_two_branches_is_kept(home: House) -> None:
    await pushed(home, ONE)
    await pushed(home, ONE, branch="topic")
    await pushed(home, TWO)
    assert await ended(home, 1) == (None, None)
    assert (await home.run(2)).build_number == 1  # a commit is built once, and runs for each of its pushes


async def test_push_of_another_branch_leaves_what_waits_alone(home: House) -> None:
    await pushed(home, ONE)
    await pushed(home, TWO, branch="topic")
    assert await ended(home, 1) == (None, None)


async def test_push_that_is_decided_late_builds_nothing_any_more(home: House) -> None:
    first = await arrives(home, ONE, paths=["src/a"])
    await pushed(home, TWO)
    await home.bot.deliveries.handle(first)
    note = str((await home.delivery(first)).note)
    assert "rebuilds nothing any more" in note
    assert "image shop: not built: a newer push was decided first" in note
    assert (await home.build(1)).commit == TWO
    assert await home.store.read(active_builds) == 1


async def test_job_that_is_not_started_keeps_nobody_from_being_built(home: House) -> None:
    log = home.tools.registry.config.log.model_copy(update={"deliveries": "problems"})
    home = home.without(config=home.tools.registry.config.model_copy(update={"log": log}))
    await home.tools.registry.apply(home.tools.registry.config)
    logged: list[int] = []
    for commit in (HEAD, ONE):
        with capture_logs() as lines:
            note = await pushed(home, commit, repository="acme/site")
        logged.append(sum(line["event"] == "delivery.settled" for line in lines))
        home.now += 1
        await home.write(lambda s: builds.claim(s, owner="one", now=home.now, lease=60.0, limit=9))
    assert "job publish: not started: `publish` is not started: #1" in note
    assert logged == [0, 1]  # where only problems are, this is one
    assert (await home.build(2)).commit == ONE
    assert (await home.run(1)).commit == HEAD


async def test_push_of_a_repository_that_may_not_talk_is_told(home: House) -> None:
    assert "may not talk" in await pushed(home, ONE, repository="stranger/shop")


async def count_of_runs(home: House) -> int:
    return await home.store.read(lambda s: len(runs.page(s, limit=100)))


@pytest.mark.parametrize("later", [0.0, 5.0], ids=["same second", "later"])
async def test_one_push_under_two_ids_runs_its_jobs_once(home: House, later: float) -> None:
    await pushed(home, ONE)
    build = await home.claim(Build)
    for state in (State.BUILDING, State.FINISHED):
        await home.write(partial(_move, build.identity, state, home.now))
    home.now += later
    note = await pushed(home, ONE)
    assert "rebuilds nothing any more\nimage shop: not built: this push was decided before" in note
    assert await count_of_runs(home) == 1


async def test_old_push_that_is_sent_again_does_not_deploy_its_old_commit(home: House) -> None:
    captured = json.dumps(
        payloads.push(SHOP, ONE, private=True, at=home.now, before="9" * 40, paths=["src/a"])
    )
    await pushed(home, ONE)
    home.now += 60
    await pushed(home, TWO, before=ONE)
    delivery = await home.deliver("push", captured.encode(), key="github:new-id")
    await home.bot.deliveries.handle(delivery)
    assert "not built: this push was decided before" in ((await home.delivery(delivery)).note or "")
    assert await count_of_runs(home) == 2


async def test_older_push_that_comes_first_now_starts_nothing_and_says_so(home: House) -> None:
    early = json.dumps(payloads.push(SHOP, ONE, private=True, at=home.now, before="9" * 40, paths=["src/a"]))
    home.now += 60
    await pushed(home, TWO, before=ONE)
    delivery = await home.deliver("push", early.encode())
    await home.bot.deliveries.handle(delivery)
    assert "not built: a newer push was decided first" in ((await home.delivery(delivery)).note or "")
    assert [(await home.run(1)).commit, await count_of_runs(home)] == [TWO, 1]


async def test_push_of_before_a_branch_was_deleted_starts_nothing(home: House) -> None:
    early = json.dumps(payloads.push(SHOP, ONE, private=True, at=home.now, branch="topic", paths=["src/a"]))
    home.now += 60
    assert "refs/heads/topic was deleted" in await pushed(home, "0" * 40, branch="topic", before=ONE)
    delivery = await home.deliver("push", early.encode())
    await home.bot.deliveries.handle(delivery)
    assert "a newer push was decided first" in ((await home.delivery(delivery)).note or "")


async def test_branch_that_comes_back_is_pushed_anew_each_time(home: House) -> None:
    for _ in range(3):
        await pushed(home, ONE, branch="topic", before="0" * 40)
        home.now += 10
        await pushed(home, "0" * 40, branch="topic", before=ONE)
        home.now += 10
    assert await count_of_runs(home) == 3


async def _decided_late(home: House, early: str) -> str:
    """The note of a push that was sent before what was decided since."""
    delivery = await home.deliver("push", early.encode())
    await home.bot.deliveries.handle(delivery)
    return (await home.delivery(delivery)).note or ""


def _early(home: House, commit: str = ONE, **about: Any) -> str:
    payload = {"before": "9" * 40, "paths": ["src/a"]} | about
    return json.dumps(payloads.push(SHOP, commit, private=True, at=home.now, **payload))


@pytest.mark.parametrize("later", [0.0, 60.0], ids=["same second", "later"])
async def test_push_that_builds_nothing_makes_older_ones_not_old(home: House, later: float) -> None:
    early = _early(home)
    home.now += later
    assert "no image is built from it" in await pushed(home, TWO, before=ONE, paths=["docs/a"])
    assert "rebuilds shop\nimage shop: built: " in await _decided_late(home, early)
    assert (await home.run(1)).commit == ONE
    assert "this push was decided before" in await _decided_late(home, early)
    assert await count_of_runs(home) == 1
    (reply,) = await home.says("/job why check")
    assert "a newer push" not in reply


async def test_older_push_is_old_by_what_built_the_image_however_many_others_came_between(
    home: House,
) -> None:
    early = _early(home)
    home.now += 60
    await pushed(home, TWO, before=ONE)
    home.now += 60
    await pushed(home, THREE, before=TWO, paths=["docs/a"])
    assert "a newer push was decided first" in await _decided_late(home, early)
    assert [(await home.run(1)).commit, await count_of_runs(home)] == [TWO, 1]


async def test_push_set_back_by_force_is_not_built_when_it_comes_late(home: House) -> None:
    early = _early(home)
    home.now += 60
    payload = payloads.push(SHOP, "9" * 40, private=True, at=home.now, before=ONE, paths=["docs/a"])
    payload["forced"] = True
    await home.bot.deliveries.handle(await home.deliver("push", json.dumps(payload).encode()))
    assert "a newer push was decided first" in await _decided_late(home, early)
    assert [(await home.run(1)).commit, await count_of_runs(home)] == ["9" * 40, 1]


async def test_tag_that_was_deleted_is_not_built_by_a_push_of_before(home: House) -> None:
    early = json.loads(_early(home, before="0" * 40))
    early["ref"] = "refs/tags/v1"
    home.now += 60
    await pushed(home, "0" * 40, ref="refs/tags/v1", before=ONE)
    assert "a newer push was decided first" in await _decided_late(home, json.dumps(early))
    assert await count_of_runs(home) == 0
    (reply,) = await home.says("/job why check")
    assert "push to `tags/v1`" in reply
    assert "image shop: not built: it was deleted" in reply


async def test_one_image_of_a_repository_is_old_and_the_other_is_not(tmp_path: Path) -> None:
    two = {
        "images": {
            "docs": {"build": {"repository": "Acme/Shop", "paths": ["docs/**"]}},
            "shop": {"build": {"paths": ["src/**"]}},
        },
        "jobs": {"check": {"on": ["push"]}, "book": {"image": "docs", "command": "true", "on": ["push"]}},
    }
    async with house(tmp_path, changes=two) as home:
        early = _early(home, paths=["src/a", "docs/a"])
        home.now += 60
        await pushed(home, TWO, before=ONE, paths=["docs/b"])
        note = await _decided_late(home, early)
        assert "rebuilds shop\n" in note
        assert "image docs: not built: a newer push was decided first" in note
        assert sorted([((await home.run(n)).job, (await home.run(n)).commit) for n in (1, 2)]) == [
            ("book", TWO),
            ("check", ONE),
        ]
        again = await _decided_late(home, early)
        assert "rebuilds nothing any more" in again
        assert await count_of_runs(home) == 2


async def test_push_that_an_older_version_decided_counts_for_every_image(home: House) -> None:
    early = _early(home)
    home.now += 60
    await pushed(home, TWO, before=ONE, paths=["docs/a"])
    await home.write(lambda s: s.execute(delete(PushVerdict)))
    assert "a newer push was decided first" in await _decided_late(home, early)
    assert await count_of_runs(home) == 0


async def test_what_a_push_decided_is_undone_with_it(home: House) -> None:
    delivery = await arrives(home, ONE, paths=["src/a"])
    await home.write(lambda s: s.execute(update(Delivery).values(lease_owner="another")))
    with pytest.raises(LeaseLost):
        await home.bot.deliveries.handle(delivery)
    assert await home.store.read(lambda s: s.scalars(select(PushVerdict)).all()) == []


async def test_push_without_sender_builds_and_names_who_pushed(home: House) -> None:
    payload = payloads.push(SHOP, ONE, private=True, at=home.now, before="9" * 40, paths=["src/a"])
    del payload["sender"]
    payload["pusher"] = {"name": "deployer", "email": None}
    await home.bot.deliveries.handle(await home.deliver("push", json.dumps(payload).encode()))
    assert (await home.run(1)).actor == "github:deployer"
