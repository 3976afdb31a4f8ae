from collections.abc import Callable
from typing import Any

import pytest

from bot.messages.reasons import message
from bot.states import State
from bot.store import Session, Store, builds, posts, queue_positions, results, runs
from bot.tables import Build, Post, Run
from tests.bot.store.counting import active_runs


def _run(
    key: str = "k", *, job: str = "migrate", build_number: int | None = None, actor: str = "github:a"
) -> Run:
    return Run(
        key=key, name="", job=job, cause="comment", actor=actor, build_number=build_number, created_at=0.0
    )


def _build() -> Build:
    return Build(
        key="",
        name="",
        image="shop",
        repository="acme/shop",
        commit="c" * 40,
        cause="push",
        actor="github:a",
        created_at=0.0,
    )


def _card() -> Post:
    return Post(key="github_comment:acme/shop#7", kind="github_comment", nonce="n", created_at=1.0)


def _enqueue(run: Run, *cards: Post) -> Callable[[Session], Run]:
    return lambda session: runs.enqueue(session, run, cards, now=1.0, nonce="nonce")[0]


def _claim(owner: str = "one", now: float = 2.0, limit: int = 9) -> Callable[[Session], list[int]]:
    return lambda session: [
        run.identity for run in runs.claim(session, owner=owner, now=now, lease=30.0, limit=limit)
    ]


def _move(number: int, to: State, owner: str = "one", now: float = 3.0) -> Callable[[Session], Run | None]:
    return lambda session: runs.move(session, number, to, owner=owner, now=now)


async def _wanted(store: Store) -> list[int]:
    got = await store.write(lambda session: posts.claim(session, owner="p", now=1e9, lease=0.0, limit=99))
    return [post.wanted for post in got]


async def test_run_is_named_after_job_number_and_nonce(store: Store) -> None:
    run = await store.write(_enqueue(_run()))
    assert run.name == f"migrate-{run.number}-nonce"
    assert (run.state, run.created_at) == ("waiting", 1.0)


async def test_same_key_gives_the_same_run_and_no_second_card(store: Store) -> None:
    first = await store.write(_enqueue(_run(), _card()))
    second, new = await store.write(
        lambda session: runs.enqueue(session, _run(), [_card()], now=9.0, nonce="other")
    )
    assert (second.number, second.name, new) == (first.number, first.name, False)
    assert len(await _wanted(store)) == 1


async def test_numbers_grow_and_repetitions_use_none_up(store: Store) -> None:
    first = await store.write(_enqueue(_run("a")))
    await store.write(_enqueue(_run("a")))
    second = await store.write(_enqueue(_run("b")))
    assert second.identity == first.identity + 1


async def test_card_key_carries_the_run(store: Store) -> None:
    run = await store.write(_enqueue(_run(), _card()))
    (post,) = await store.write(lambda session: posts.claim(session, owner="p", now=9.0, lease=1.0, limit=9))
    assert post.key == f"run:{run.number}:github_comment:acme/shop#7"
    assert post.run_number == run.number


async def test_run_is_claimed_by_one_until_its_lease_has_passed(store: Store) -> None:
    number = (await store.write(_enqueue(_run()))).identity
    assert await store.write(_claim("one", now=2.0)) == [number]
    assert await store.write(_claim("two", now=31.9)) == []
    assert await store.write(_claim("two", now=32.0)) == [number]
    assert await store.write(_move(number, State.STARTING, "one")) is None


async def test_claims_are_oldest_first_and_limited(store: Store) -> None:
    numbers = [(await store.write(_enqueue(_run(f"k{n}")))).identity for n in range(5)]
    assert await store.write(_claim(limit=2)) == numbers[:2]
    assert await store.write(_claim(limit=0)) == []
    assert await store.write(_claim(limit=9)) == numbers[2:]


async def test_run_goes_its_way_and_every_move_is_to_be_shown(store: Store) -> None:
    number = (await store.write(_enqueue(_run(), _card()))).identity
    await store.write(_claim())
    before = await _wanted(store)
    for to in (State.STARTING, State.RUNNING, State.STOPPING, State.FINISHED):
        moved = await store.write(_move(number, to))
        assert moved is not None
        assert moved.state == to
    assert await _wanted(store) == [before[0] + 4]
    run = await store.read(lambda session: runs.get(session, number))
    assert run is not None
    assert (run.started_at, run.finished_at, run.lease_owner) == (3.0, 3.0, None)


async def test_no_run_starts_before_it_was_asked_for_though_its_node_says_so(store: Store) -> None:
    number = (await store.write(_enqueue(_run()))).identity
    await store.write(_claim())
    await store.write(_move(number, State.STARTING))
    run = await store.write(
        lambda s: runs.move(s, number, State.RUNNING, owner="one", now=3.0, started_at=0.25)
    )
    assert run is not None
    assert (run.created_at, run.started_at) == (1.0, 1.0)
    end: runs.RunUpdate = {"started_at": 0.25, "finished_at": 0.75}
    run = await store.write(lambda s: runs.move(s, number, State.FINISHED, owner="one", now=3.0, **end))
    assert run is not None
    assert (run.started_at, run.finished_at) == (1.0, 1.0)


@pytest.mark.parametrize("to", [State.WAITING, State.RUNNING, State.STOPPING])
async def test_illegal_move_changes_nothing(store: Store, to: State) -> None:
    number = (await store.write(_enqueue(_run(), _card()))).identity
    await store.write(_claim())
    before = await _wanted(store)
    assert await store.write(_move(number, to)) is None
    assert await _wanted(store) == before


async def test_finished_run_never_moves_again(store: Store) -> None:
    number = (await store.write(_enqueue(_run()))).identity
    await store.write(_claim())
    await store.write(_move(number, State.FINISHED))
    assert await store.write(_move(number, State.FINISHED)) is None
    assert await store.write(_claim(now=1e9)) == []


async def test_note_is_shown_only_when_it_is_news(store: Store) -> None:
    number = (await store.write(_enqueue(_run()))).identity
    await store.write(_claim())
    says = lambda session: runs.note(session, number, owner="one", waiting_for="a free place")  # noqa: E731
    assert (await store.write(says)) is not None
    assert (await store.write(says)) is None


async def test_unclaimed_run_is_cancelled_at_once(store: Store) -> None:
    number = (await store.write(_enqueue(_run(), _card()))).identity
    run = await store.write(lambda session: runs.request_stop(session, number, by="github:b", now=2.0))
    assert (run.state, run.result, run.stop_by, run.finished_at) == ("finished", "cancelled", "github:b", 2.0)
    assert await store.write(_claim()) == []


async def test_claimed_run_is_asked_to_stop_and_the_first_to_ask_is_remembered(store: Store) -> None:
    number = (await store.write(_enqueue(_run()))).identity
    await store.write(_claim())
    for by in ("github:b", "github:c"):
        run = await store.write(lambda session, by=by: runs.request_stop(session, number, by=by, now=2.0))  # type: ignore[misc]
    assert (run.state, run.stop_by) == ("waiting", "github:b")
    assert store.wakeup("stops").is_set()


async def test_stopping_what_never_was_is_an_error(store: Store) -> None:
    with pytest.raises(LookupError):
        await store.write(lambda session: runs.request_stop(session, 99, by="github:b", now=2.0))


async def test_run_waits_for_its_build(store: Store) -> None:
    def ask(session: Session) -> Run:
        build = builds.need(session, _build(), now=1.0, nonce="b")
        return runs.enqueue(session, _run(build_number=build.number), [], now=1.0, nonce="n")[0]

    run = await store.write(ask)
    assert await store.write(_claim()) == []
    (build,) = await store.write(
        lambda session: builds.claim(session, owner="b", now=2.0, lease=9.0, limit=9)
    )
    number = build.identity
    await store.write(lambda session: builds.move(session, number, State.BUILDING, owner="b", now=3.0))
    waiting = await store.read(lambda session: runs.get(session, run.identity))
    assert waiting is not None
    assert waiting.state == "building"
    assert await store.write(_claim()) == []
    await store.write(
        lambda session: builds.move(
            session, number, State.FINISHED, owner="b", now=4.0, result="succeeded", digest="sha"
        )
    )
    assert await store.write(_claim()) == [run.number]


async def test_run_for_a_build_that_has_ended_starts_where_that_stands(store: Store) -> None:
    build = await store.write(lambda session: builds.need(session, _build(), now=1.0, nonce="b"))
    await store.write(lambda session: builds.claim(session, owner="b", now=2.0, lease=9.0, limit=9))
    await store.write(
        lambda session: builds.move(
            session, build.identity, State.FINISHED, owner="b", now=4.0, result="failed"
        )
    )
    run = await store.write(_enqueue(_run(build_number=build.number)))
    assert (run.state, run.result, run.reason) == ("finished", "error", "BuildFailed")
    assert (message(run), run.message) == ("Build #1 of shop did not succeed.", None)


async def test_pages_and_latest(store: Store) -> None:
    for n in range(4):
        await store.write(_enqueue(_run(f"k{n}", job="even" if n % 2 == 0 else "odd", actor=f"github:{n}")))
    numbers = [run.identity for run in await store.read(runs.page)]
    assert numbers == sorted(numbers, reverse=True)
    even = await store.read(lambda session: runs.page(session, job="even", limit=1, before=numbers[1]))
    assert [run.key for run in even] == ["k0"]
    latest = await store.read(lambda session: runs.latest(session, job="odd", actor="github:1"))
    assert latest is not None
    assert latest.key == "k1"
    assert await store.read(lambda session: runs.latest(session, job="never")) is None
    assert await store.read(active_runs) == {"even": 2, "odd": 2}


async def test_runs_of_a_person_are_those_of_every_door(store: Store) -> None:
    mine = ("github:OctoCat", "slack:octocat")
    for n, actor in enumerate((*mine, "token:octocat", "terminal:octocat", "slack:U0OCTOCAT")):
        await store.write(_enqueue(_run(f"k{n}", actor=actor)))
    for actor in mine:
        rows = await store.read(lambda s, actor=actor: runs.unfinished(s, actor=actor, limit=9))  # type: ignore[misc]
        assert {run.key for run in rows} == {"k0", "k1"}
        rows = await store.read(lambda s, actor=actor: runs.page(s, actor=actor))  # type: ignore[misc]
        assert [run.key for run in rows] == ["k1", "k0"]
    alone = await store.read(lambda session: runs.page(session, actor="token:octocat"))
    assert [run.key for run in alone] == ["k2"]


async def test_newest_run_of_each_job_is_found_at_once(store: Store) -> None:
    for n in range(4):
        await store.write(_enqueue(_run(f"k{n}", job="even" if n % 2 == 0 else "odd")))
    found = await store.read(lambda session: results.newest(session, ["even", "never", "odd", "even"]))
    assert {job: run.key for job, run in found.items()} == {"even": "k2", "odd": "k3"}
    assert await store.read(lambda session: results.newest(session, [])) == {}
    many = [f"job-{n}" for n in range(1500)]
    assert list(await store.read(lambda session: results.newest(session, [*many, "odd"]))) == ["odd"]


async def _ended(store: Store, key: str, result: str, job: str = "migrate") -> int:
    number = (await store.write(_enqueue(_run(key, job=job)))).identity
    await store.write(_claim())
    await store.write(_move(number, State.STARTING))
    await store.write(
        lambda session: runs.move(session, number, State.FINISHED, owner="one", now=4.0, result=result)
    )
    return number


async def test_runs_are_found_by_how_they_ended(store: Store) -> None:
    ends = ["failed", "succeeded", "error", "failed", "timed_out", "succeeded"]
    one, _, three, four, five, _ = [
        await _ended(store, f"k{n}", end, job="odd" if n % 2 else "even") for n, end in enumerate(ends)
    ]
    await store.write(_enqueue(_run("goes on")))

    async def found(*words: str, **more: Any) -> list[int]:
        return [run.identity for run in await store.read(lambda s: results.page(s, words, **more))]

    assert await found("failed") == [four, one]
    assert await found("failed", "error", "timed_out", limit=3) == [five, four, three]
    assert await found("failed", "error", "timed_out", limit=3, before=three) == [one]
    assert await found("failed", "error", job="even") == [three, one]
    assert await found("failed", "timed_out", jobs=["odd"]) == [four]
    assert await found("cancelled") == await found() == await found("failed", jobs=[]) == []


async def test_durations_are_those_of_succeeded_runs(store: Store) -> None:
    for n, result in enumerate(["succeeded", "failed"]):
        number = (await store.write(_enqueue(_run(f"k{n}")))).identity
        await store.write(_claim())
        await store.write(_move(number, State.STARTING))
        await store.write(_move(number, State.RUNNING, now=10.0))
        await store.write(
            lambda session, n=number, r=result: runs.move(  # type: ignore[misc]
                session, n, State.FINISHED, owner="one", now=12.5, result=r
            )
        )
    assert await store.read(lambda session: queue_positions.durations(session, "migrate")) == [2.5]
