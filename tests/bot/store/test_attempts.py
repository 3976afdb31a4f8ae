"""The end of an attempt and what follows are one transaction, on every database."""

from collections.abc import Callable

import pytest

from bot.messages import waiting_for
from bot.states import State, attempt_name, attempts_allowed
from bot.store import Session, Store, attempts, posts, runs
from bot.tables import Post, Run


@pytest.fixture
async def number(store: Store) -> int:
    """A running run of the bot `one`, with a card."""
    card = Post(key="github_comment:acme/shop#7", kind="github_comment", nonce="n", created_at=1.0)
    run = Run(
        key="k", name="", job="migrate", definition={"retries": 2}, cause="comment", actor="github:a",
        created_at=0.0,
    )  # fmt: skip
    stored, _ = await store.write(lambda s: runs.enqueue(s, run, [card], now=1.0, nonce="nonce"))
    found = stored.identity
    await store.write(lambda s: runs.claim(s, owner="one", now=2.0, lease=30.0, limit=9))
    for state in (State.STARTING, State.RUNNING):
        await store.write(lambda s, to=state: runs.move(s, found, to, owner="one", now=3.0))  # type: ignore[misc]
    return found


def _end(
    number: int, attempt: int = 1, *, owner: str = "one", pause: float | None = 5.0
) -> Callable[[Session], Run | None]:
    return lambda session: attempts.end(
        session, number, attempt, owner=owner, now=9.0, pause=pause, result="failed", exit_code=3, tail=["x"]
    )


async def _claimed(store: Store, now: float) -> list[int]:
    got = await store.write(lambda s: runs.claim(s, owner="one", now=now, lease=30.0, limit=9))
    return [run.identity for run in got]


async def test_run_waits_for_its_next_attempt_where_the_last_one_is_kept(store: Store, number: int) -> None:
    run = await store.write(_end(number))
    assert run is not None
    assert (run.state, run.attempt, run.result, run.started_at) == ("waiting", 1, None, 3.0)
    assert (run.lease_owner, run.admitted, run.due_at) == (None, True, 14.0)
    assert waiting_for(run) == "attempt 2 of 3 to begin 5s after the one before"
    (kept,) = (await store.read(lambda s: attempts.of_runs(s, [number])))[number]
    assert (kept.attempt, kept.name, kept.result, kept.exit_code, kept.tail) == (
        *(1, run.name, "failed", 3, ["x"]),
    )
    assert (kept.started_at, kept.finished_at) == (3.0, 9.0)
    (card,) = await store.write(lambda s: posts.claim(s, owner="p", now=1e9, lease=0.0, limit=9))
    assert card.wanted == 4  # enqueued, starting, running, and now


async def test_no_attempt_starts_before_its_run_was_asked_for(store: Store, number: int) -> None:
    end: runs.RunUpdate = {"result": "failed", "started_at": 0.25, "finished_at": 0.5}
    await store.write(lambda s: attempts.end(s, number, 1, owner="one", now=9.0, pause=None, **end))
    (kept,) = (await store.read(lambda s: attempts.of_runs(s, [number])))[number]
    run = await store.read(lambda s: runs.get(s, number))
    assert run is not None
    assert (kept.started_at, kept.finished_at, run.started_at, run.finished_at) == (1.0, 1.0, 3.0, 3.0)


async def test_end_of_an_attempt_counts_once(store: Store, number: int) -> None:
    await store.write(_end(number))
    assert await store.write(_end(number)) is None  # as after a commit that was not heard of
    assert await _claimed(store, 13.9) == []
    assert await _claimed(store, 14.0) == [number]
    assert await store.write(_end(number)) is None
    assert await store.write(lambda s: attempts.begin(s, number, owner="two")) is None
    begun = await store.write(lambda s: attempts.begin(s, number, owner="one"))
    assert begun is not None
    assert (begun.state, begun.attempt, begun.waiting_for) == ("starting", 2, None)
    assert await store.write(_end(number, 2, owner="two")) is None
    ended = await store.write(_end(number, 2, pause=None))
    assert ended is not None
    assert (ended.state, ended.result, ended.attempt, ended.lease_owner) == ("finished", "failed", 2, None)
    assert ended.started_at == 3.0
    assert await store.write(_end(number, 2)) is None
    kept = (await store.read(lambda s: attempts.of_runs(s, [number, 99])))[number]
    assert [(each.attempt, each.name) for each in kept] == [(1, ended.name), (2, f"{ended.name}.2")]


async def test_run_that_somebody_asked_to_stop_gets_no_further_attempt(store: Store, number: int) -> None:
    await store.write(lambda s: runs.request_stop(s, number, by="github:a", now=4.0))
    ended = await store.write(_end(number))
    assert ended is not None
    assert (ended.state, ended.result, ended.exit_code, ended.attempt) == ("finished", "cancelled", 3, 1)
    (kept,) = (await store.read(lambda s: attempts.of_runs(s, [number])))[number]
    assert kept.result == "failed"


async def test_run_that_is_stopped_between_two_attempts_ends_at_once(store: Store, number: int) -> None:
    await store.write(_end(number))
    ended = await store.write(lambda s: runs.request_stop(s, number, by="github:a", now=10.0))
    assert (ended.state, ended.result, ended.attempt, ended.exit_code) == ("finished", "cancelled", 1, None)
    assert await _claimed(store, 1e9) == []


async def test_run_says_which_rule_gives_it_another_attempt(store: Store, number: int) -> None:
    def say(session: Session) -> None:
        row = session.get_one(Run, number)
        row.definition = {"retries": {"attempts": 2, "on": [{"exit": [3]}]}}

    await store.write(say)
    run = await store.write(_end(number))
    assert run is not None
    assert waiting_for(run) == "attempt 2 of 2 to begin 5s after the one before (exit: 3)"


def test_names_and_numbers_of_attempts() -> None:
    assert [attempt_name("a-1-x", attempt) for attempt in (1, 2, 11)] == ["a-1-x", "a-1-x.2", "a-1-x.11"]
    assert [attempts_allowed(each) for each in ({}, {"retries": 2}, {"retries": "x"})] == [1, 3, 1]
    assert attempts_allowed({"retries": {"attempts": 4}}) == 4
