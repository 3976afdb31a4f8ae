from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from bot.messages.reasons import message
from bot.states import State
from bot.store import Session, Store, builds, history, leases, posts, runs
from bot.store.columns import POST
from bot.tables import Build, Post, Run
from tests.bot.store.counting import active_builds


def _need(commit: str = "c" * 40, definition: dict[str, str] | None = None) -> Callable[[Session], Build]:
    build = Build(
        key="", name="", image="shop", repository="acme/shop", commit=commit, definition=definition or {},
        cause="push", actor="github:a", created_at=0.0,
    )  # fmt: skip
    return lambda session: builds.need(session, build, now=1.0, nonce="nonce")


def _claim(session: Session) -> list[Build]:
    return builds.claim(session, owner="one", now=2.0, lease=30.0, limit=9)


async def _end(store: Store, number: int, result: str, digest: str | None = None) -> Build | None:
    await store.write(_claim)
    return await store.write(
        lambda session: builds.move(
            session, number, State.FINISHED, owner="one", now=4.0, result=result, digest=digest
        )
    )


async def _run_for(store: Store, build: Build) -> int:
    run = Run(
        key="k", name="", job="migrate", cause="c", actor="a", build_number=build.number, created_at=0.0
    )
    return (await store.write(lambda session: runs.enqueue(session, run, [], now=1.0, nonce="n")))[0].identity


async def test_same_image_commit_and_definition_share_a_build(store: Store) -> None:
    first, second = await store.write(_need()), await store.write(_need())
    assert (second.number, second.name) == (first.number, f"build-{first.number}-nonce")
    assert first.key == f"shop@{'c' * 40}#1"


async def test_other_definition_or_commit_is_another_build(store: Store) -> None:
    numbers = [
        (await store.write(need)).identity
        for need in (_need(), _need(definition={"setup": "make"}), _need(commit="d" * 40))
    ]
    assert len(set(numbers)) == 3


async def test_succeeded_build_serves_again_and_a_failed_one_is_tried_again(store: Store) -> None:
    first = await store.write(_need())
    await _end(store, first.identity, "failed")
    second = await store.write(_need())
    assert second.key.endswith("#2")
    await _end(store, second.identity, "succeeded", "sha")
    third = await store.write(_need())
    assert (third.number, third.digest) == (second.number, "sha")


async def test_build_that_is_being_stopped_serves_nobody_new(store: Store) -> None:
    first = await store.write(_need())
    await store.write(_claim)
    await store.write(lambda session: builds.request_stop(session, first.identity, by="a", now=3.0))
    assert (await store.write(_need())).number != first.number


@pytest.mark.parametrize(("result", "word"), [("failed", "failed"), ("cancelled", "was cancelled")])
async def test_runs_end_with_the_build_they_wait_for(store: Store, result: str, word: str) -> None:
    build = await store.write(_need())
    number = await _run_for(store, build)
    await _end(store, build.identity, result)
    run = await store.read(lambda session: runs.get(session, number))
    assert run is not None
    assert (run.state, run.result, run.reason) == ("finished", "error", "BuildFailed")
    assert message(run) == f"Build #{build.number} of shop {word}."
    assert run.message is None


async def test_stopping_a_build_that_nobody_began_ends_it_and_its_runs(store: Store) -> None:
    build = await store.write(_need())
    number = await _run_for(store, build)
    stopped = await store.write(lambda session: builds.request_stop(session, build.identity, by="a", now=3.0))
    assert (stopped.state, stopped.result) == ("finished", "cancelled")
    run = await store.read(lambda session: runs.get(session, number))
    assert run is not None
    assert run.state == "finished"


async def test_only_the_holder_moves_a_build(store: Store) -> None:
    build = await store.write(_need())
    assert (
        await store.write(
            lambda session: builds.move(session, build.identity, State.BUILDING, owner="one", now=2.0)
        )
        is None
    )
    await store.write(_claim)
    moved = await store.write(
        lambda session: builds.move(session, build.identity, State.BUILDING, owner="one", now=2.0)
    )
    assert moved is not None
    assert moved.started_at == 2.0


async def test_finished_build_is_not_active(store: Store) -> None:
    first = await store.write(_need())
    await store.write(_need(commit="d" * 40))
    assert await store.read(active_builds) == 2
    await _end(store, first.identity, "failed")
    assert await store.read(active_builds) == 1


async def test_attempt_is_counted_on_where_earlier_ones_were_forgotten(store: Store) -> None:
    for number in (1, 2):
        await store.write(_need())
        await _end(store, number, "failed")
    assert await store.write(lambda s: history.forget_builds(s, before=9.0, images=["shop"])) == [
        "build-1-nonce"
    ]
    assert (await store.write(_need())).key.endswith("#3")


async def test_build_that_nothing_needs_is_forgotten_with_its_posts(store: Store) -> None:
    def forget(session: Session) -> list[str]:
        return history.forget_builds(session, before=5.0, images=["shop"])

    ended = [("1" * 40, "succeeded"), ("2" * 40, "succeeded"), ("3" * 40, "failed"), ("4" * 40, "failed")]
    for number, (commit, result) in enumerate(ended, 1):
        await store.write(_need(commit))
        await _end(store, number, result, f"sha-{number}" if result == "succeeded" else None)
        await store.write(
            lambda s, number=number: posts.add_cards(  # type: ignore[misc]
                s, [Post(key="k", kind="github_check", nonce="", created_at=0.0)], build=number
            )
        )
    run = await _run_for(store, await store.read(lambda s: s.get_one(Build, 1)))
    assert await store.write(forget) == ["build-3-nonce"]  # 1 has a run, 2 is the newest good, 4 the newest
    assert await store.read(lambda s: sorted(s.scalars(select(POST.build_number)))) == [1, 2, 4]
    await store.write(lambda s: runs.request_stop(s, run, by="a", now=3.0))
    assert await store.write(forget) == []
    await store.write(lambda s: history.forget(s, [run]))
    assert await store.write(forget) == ["build-1-nonce"]
    assert await store.write(lambda s: history.forget_builds(s, before=4.0, images=[])) == []
    assert len(await store.write(lambda s: history.forget_builds(s, before=5.0, images=[]))) == 2


def _pushed(
    commit: str, ref: str | None = "main", cause: str = "push", actor: str = "github:a"
) -> Callable[[Session], Build]:
    build = Build(
        key="", name="", image="shop", repository="acme/shop", commit=commit * 40, ref=ref,
        definition={}, cause=cause, actor=actor, created_at=0.0,
    )  # fmt: skip
    return lambda session: builds.need(session, build, now=1.0, nonce=f"nonce-{commit}")


async def _build(store: Store, number: int) -> Build:
    found = await store.read(lambda session: builds.get(session, number))
    assert found is not None
    return found


async def _under_way(store: Store, commit: str) -> Build:
    """A build of a push that somebody carries."""
    await store.write(_pushed(commit))
    (claimed,) = await store.write(_claim)
    moved = await store.write(
        lambda session: builds.move(session, claimed.identity, State.BUILDING, owner="one", now=3.0)
    )
    assert moved is not None
    return moved


async def _push(store: Store, commit: str, ref: str = "main") -> Build:
    """A newer push: its build is needed, and takes the place of the older ones."""

    def write(session: Session) -> Build:
        build = _pushed(commit, ref)(session)
        builds.supersede(session, build, ref=ref, now=3.0)
        return build

    return await store.write(write)


async def test_newer_push_stops_a_build_under_way_and_its_runs_end_as_superseded(store: Store) -> None:
    old = await _under_way(store, "c")
    number = await _run_for(store, old)
    store.wakeup("stops").clear()
    new = await _push(store, "d")
    asked = await _build(store, old.identity)
    assert (asked.state, asked.stop_by, asked.reason) == ("building", "github:a", "Superseded")
    assert store.wakeup("stops").is_set()
    held = await store.write(lambda s: leases.renew(s, Build, owner="one", ids=[1], now=3.0, lease=9.0))
    assert held.stopping == {old.identity}
    ended = await _end(store, old.identity, "cancelled")
    assert ended is not None
    said = f"A newer push is built instead: {'d' * 12}, build #{new.number}."
    assert (ended.result, ended.reason, message(ended)) == ("cancelled", "Superseded", said)
    run = await store.read(lambda session: runs.get(session, number))
    assert run is not None
    assert (run.result, run.reason, message(run)) == ("cancelled", "Superseded", said)
    assert (ended.message, run.message) == (None, None)


async def test_sentence_that_an_older_version_stored_of_a_superseded_build_stays(store: Store) -> None:
    old = await _under_way(store, "c")
    number = await _run_for(store, old)
    why = {"reason": "Superseded", "message": "A newer push is built instead: d, build #2."}
    await store.write(lambda s: s.execute(update(Build).values(stop_by="github:a", **why)))
    ended = await store.write(
        lambda session: builds.move(
            session, old.identity, State.FINISHED, owner="one", now=4.0, result="cancelled", message="stopped"
        )
    )
    run = await store.read(lambda session: runs.get(session, number))
    assert ended is not None
    assert run is not None
    assert [(row.reason, message(row)) for row in (ended, run)] == [tuple(why.values())] * 2


async def test_build_that_fails_before_a_newer_push_could_stop_it_tells_why(store: Store) -> None:
    old = await _under_way(store, "c")
    number = await _run_for(store, old)
    await _push(store, "d")
    ended = await store.write(
        lambda session: builds.move(
            session, old.identity, State.FINISHED, owner="one", now=4.0, result="failed",
            reason="BuildFailed", message="The disk is full.", exit_code=2,
        )
    )  # fmt: skip
    run = await store.read(lambda session: runs.get(session, number))
    assert ended is not None
    assert run is not None
    assert message(ended) == "The disk is full."
    assert message(run) == "Build #1 of shop failed with exit code 2. The disk is full."


async def test_build_that_was_done_before_it_could_be_stopped_serves_its_runs(store: Store) -> None:
    old = await _under_way(store, "c")
    number = await _run_for(store, old)
    await _push(store, "d")
    ended = await store.write(
        lambda session: builds.move(
            session, old.identity, State.FINISHED, owner="one", now=4.0, result="succeeded", digest="sha",
            reason=None, message=None,
        )
    )  # fmt: skip
    assert ended is not None
    assert (ended.result, ended.reason) == ("succeeded", None)
    run = await store.read(lambda session: runs.get(session, number))
    assert run is not None
    assert (run.state, run.digest) == ("waiting", "sha")


@pytest.mark.parametrize("other", [{"cause": "comment", "actor": "github:b"}, {"ref": "release"}])
async def test_build_under_way_that_somebody_else_needs_as_well_goes_on(
    store: Store, other: dict[str, str]
) -> None:
    old = await _under_way(store, "c")
    shared = await store.write(_pushed("c", **other))
    assert shared.number == old.number
    await _push(store, "d")
    assert (await _build(store, old.identity)).stop_by is None


async def test_push_to_another_branch_stops_nothing(store: Store) -> None:
    old = await _under_way(store, "c")
    await _push(store, "d", ref="topic")
    assert (await _build(store, old.identity)).stop_by is None


async def test_push_of_the_commit_whose_build_is_being_stopped_builds_it_anew(store: Store) -> None:
    old = await _under_way(store, "c")
    await _push(store, "d")
    again = await _push(store, "c")
    assert again.number != old.number
    assert again.key == f"shop@{'c' * 40}#2"
    assert (await _build(store, 2)).reason == "Superseded"  # nobody began that one


async def test_build_that_somebody_stopped_is_not_told_as_superseded(store: Store) -> None:
    old = await _under_way(store, "c")
    await store.write(lambda session: builds.request_stop(session, old.identity, by="github:b", now=3.0))
    await _push(store, "d")
    asked = await _build(store, old.identity)
    assert (asked.stop_by, asked.reason) == ("github:b", None)
