"""What is held is in nobody's way, and is released or ended once; on both databases."""

from typing import Any

import pytest

from bot import messages
from bot.catalog.concurrency import Turn
from bot.states import NOT_RELEASED, Hold, State
from bot.store import Session, Store, admission, boards, holds, locks, overviews, runs
from bot.store.holds import Holding
from bot.tables import Run
from tests.bot.store.asking import Desk


@pytest.fixture
def desk(store: Store) -> Desk:
    """Somebody at work."""
    return Desk(store)


async def held(desk: Desk, kind: Hold = Hold.APPROVAL, **about: Any) -> int:
    """A run that waits for a yes, or for its time."""
    desk.asked += 1
    key = f"h{desk.asked}"
    job = about.pop("job", "migrate")

    def ask(session: Session) -> int:
        run = Run(key=key, name="", job=job, cause="comment", actor="github:octocat", created_at=0.0, **about)
        Holding(kind, 100.0, 100.0, {"moment": 100.0}).put(run)
        return runs.enqueue(session, run, [], now=desk.now, nonce=key)[0].identity

    return await desk.store.write(ask)


async def release(desk: Desk, number: int) -> Run | None:
    return await desk.store.write(lambda s: holds.release(s, number, Hold.APPROVAL, now=desk.now))


@pytest.mark.parametrize("way", ["allow", "queue", "forbid", "replace"])
async def test_held_run_is_never_claimed_and_in_nobodys_way(desk: Desk, way: str) -> None:
    waits = await held(desk, concurrency=way, lock="database")
    assert await desk.claim() == []
    assert await desk.store.write(lambda s: admission.refusal(s, "migrate", Turn("forbid"))) is None
    other = await desk.ask(way=way, lock="database")
    assert await desk.claim() == [other]
    (standing,) = await desk.store.read(lambda s: locks.standing(s, now=desk.now))
    assert (standing.holder and standing.holder.number, standing.waiting) == (other, 0)
    ended = await desk.run(waits)
    assert ended.state == State.WAITING


async def test_neither_an_end_nor_a_start_of_a_bot_lets_it_through(desk: Desk) -> None:
    first = await desk.ask(way="queue", lock="database")
    await desk.claim()
    waits = await held(desk, concurrency="queue", lock="database")
    await desk.lock("migrate")
    await desk.store.write(lambda s: locks.remove(s, "migrate", now=desk.now))
    await desk.begin(first)
    await desk.end(first)
    await desk.store.write(lambda s: admission.sweep(s, now=desk.now))
    assert await desk.claim() == []
    run = await desk.run(waits)
    assert (run.hold, run.admitted, run.due_at) == (Hold.APPROVAL, False, 100.0)


async def test_released_run_comes_to_the_gate_as_any_other(desk: Desk) -> None:
    waits = await held(desk, concurrency="queue", lock="database")
    first = await desk.ask(way="queue", lock="database")
    await desk.claim()
    await desk.begin(first)
    run = await release(desk, waits)
    assert run is not None
    assert (run.hold, run.admitted) == (None, False)
    assert (
        messages.waiting_for(run)
        == "the lock database, held by migrate #2, asked by octocat; place 1 in the queue"
    )
    assert await release(desk, waits) is None
    await desk.end(first)
    assert await desk.claim() == [waits]


async def test_released_run_that_nothing_stops_starts_at_once(desk: Desk) -> None:
    waits = await held(desk)
    run = await release(desk, waits)
    assert run is not None
    assert (run.admitted, run.waiting_for) == (True, None)
    assert await desk.claim() == [waits]


async def test_build_goes_on_while_its_run_is_held(desk: Desk) -> None:
    build = await desk.build()
    waits = await held(desk, build_number=build)
    await desk.built(build, result="succeeded", digest="sha256:1")
    run = await desk.run(waits)
    assert (run.state, run.digest, run.hold) == (State.WAITING, "sha256:1", Hold.APPROVAL)
    assert messages.waiting_for(run) is not None
    assert await desk.claim() == []
    await release(desk, waits)
    assert await desk.claim() == [waits]


async def test_build_that_fails_ends_what_is_held(desk: Desk) -> None:
    build = await desk.build()
    waits = await held(desk, build_number=build)
    await desk.built(build, result="failed", exit_code=1)
    run = await desk.run(waits)
    assert (run.state, run.result, run.hold) == (State.FINISHED, "error", None)
    late = await held(desk, build_number=build)
    assert ((await desk.run(late)).state, (await desk.run(late)).hold) == (State.FINISHED, None)
    assert await desk.store.read(holds.next_due) is None


async def test_held_run_is_cancelled_as_any_other(desk: Desk) -> None:
    waits = await held(desk)
    run = await desk.store.write(lambda s: runs.request_stop(s, waits, by="github:a", now=desk.now))
    assert (run.result, run.hold, run.hold_until) == ("cancelled", None, None)
    assert await release(desk, waits) is None


async def test_newer_run_replaces_what_waits_for_a_yes_but_not_for_its_time(desk: Desk) -> None:
    waits = await held(desk, concurrency="replace")
    later = await held(desk, Hold.TIME, concurrency="replace")
    going = await desk.ask(way="replace")
    await desk.claim()
    await desk.begin(going)
    newest = await desk.ask(way="replace")
    states = [(await desk.run(number)).state for number in (waits, later, going, newest)]
    assert states == [State.FINISHED, State.WAITING, State.RUNNING, State.WAITING]
    assert (await desk.run(going)).stop_by == f"run:{newest}"


async def test_the_next_due_is_known_and_what_is_due_is_given(desk: Desk) -> None:
    first, second = await held(desk), await held(desk, Hold.TIME)
    await desk.store.write(lambda s: holds.look_at(s, second, Hold.TIME, at=50.0))
    assert await desk.store.read(holds.next_due) == 50.0
    due = await desk.store.read(lambda s: [run.number for run in holds.due(s, now=99.0)])
    assert due == [second]
    due = await desk.store.read(lambda s: [run.number for run in holds.due(s, now=100.0)])
    assert due == [second, first]
    assert await desk.store.write(lambda s: holds.look_at(s, second, Hold.APPROVAL, at=1.0)) is None


async def test_another_hold_takes_the_place_of_the_first(desk: Desk) -> None:
    waits = await held(desk, Hold.TIME)
    holding = Holding(Hold.APPROVAL, 300.0, 300.0, {"whose": "ops", "until": 300.0})
    run = await desk.store.write(lambda s: holds.hold_again(s, waits, Hold.TIME, holding))
    assert run is not None
    assert messages.waiting_for(run) == "a yes of ops until 1970-01-01 00:05 UTC"
    assert await desk.store.write(lambda s: holds.hold_again(s, waits, Hold.TIME, holding)) is None
    assert [r.number for r in await desk.store.read(lambda s: holds.of_kind(s, Hold.APPROVAL, limit=9))] == [
        waits
    ]


async def test_what_may_not_start_when_its_time_has_come_says_why(desk: Desk) -> None:
    waits = await held(desk)
    why = {"kind": "alone", "job": "migrate", "run": 7, "state": "running", "actor": "github:a"}
    end = await desk.store.write(
        lambda s: holds.end(s, waits, Hold.APPROVAL, now=20.0, reason=NOT_RELEASED, on=why)
    )
    assert end is not None
    assert (end.state, end.result, end.hold) == (State.FINISHED, "cancelled", None)
    assert "It might not start: migrate is not started: #7 is running" in str(messages.run_view(end).message)


async def test_boards_show_who_waits_for_a_yes_but_not_for_its_time(desk: Desk) -> None:
    waits = await held(desk, repository="acme/shop")
    await held(desk, Hold.TIME, repository="acme/shop")
    for jobs in (None, {"migrate"}, {str(number) for number in range(200)} | {"migrate"}):
        assert await desk.store.read(lambda s, jobs=jobs: boards.waiting(s, jobs, limit=9)) == [waits]  # type: ignore[misc]
    rows = await desk.store.read(lambda s: overviews.under_way(s, overviews.Scope(["acme/shop"]), limit=9))
    assert [row.number for row in rows] == [waits]
