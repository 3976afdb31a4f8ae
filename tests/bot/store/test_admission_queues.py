"""Limits with a number and a key, and several locks, on both databases."""

from typing import Any

import pytest

from bot.catalog.concurrency import Turn
from bot.messages import waiting_for
from bot.messages.reasons import message
from bot.messages.waits import not_alone
from bot.states import Hold
from bot.store import Session, Store, admission, holds, locks, queue_positions, runs
from bot.store.holds import Holding
from bot.tables import Run
from tests.bot.store.asking import Desk


@pytest.fixture
def desk(store: Store) -> Desk:
    """Somebody at work."""
    return Desk(store)


def _of(limit: int, queue: str | None = None, over: str = "queue") -> dict[str, Any]:
    return {"way": "queue", "at_most": limit, "queue": queue, "over": over}


def _locks(*names: str) -> dict[str, Any]:
    return {"lock": names[0], "locks": list(names)}


async def test_so_many_are_under_way_and_the_oldest_that_waits_is_next(desk: Desk) -> None:
    asked = [await desk.ask(**_of(2)) for _ in range(4)]
    assert await desk.claim() == asked[:2]
    assert waiting_for(await desk.run(asked[2])) == "#1 or another to end; place 1 in the queue"
    await desk.end(asked[1])
    assert await desk.claim() == [asked[2]]
    assert waiting_for(await desk.run(asked[3])) == "#1 or another to end; place 1 in the queue"
    await desk.end(asked[0])
    await desk.end(asked[2])
    assert await desk.claim() == [asked[3]]


async def test_queues_of_other_values_of_the_key_go_on_beside(desk: Desk) -> None:
    first, second = await desk.ask(**_of(1, "REGION=eu")), await desk.ask(**_of(1, "REGION=us"))
    behind = await desk.ask(**_of(1, "REGION=us"))
    assert await desk.claim() == [first, second]
    assert waiting_for(await desk.run(behind)) == "#2 to end (REGION=us); place 1 in the queue"
    await desk.end(first)
    assert await desk.claim() == []
    await desk.end(second)
    assert await desk.claim() == [behind]


async def test_place_and_time_are_those_of_the_queue_with_as_many_at_a_time(desk: Desk) -> None:
    desk.now = 1000.0
    done = await desk.ask(**_of(2, "REGION=eu"))
    await desk.claim()
    await desk.begin(done)
    desk.now += 600.0  # what a run takes
    await desk.end(done)
    asked = [await desk.ask(**_of(2, "REGION=eu")) for _ in range(5)]
    await desk.ask(**_of(1, "REGION=us"))
    await desk.claim()
    for number in asked[:2]:
        await desk.begin(number)
        desk.now += 120.0

    def tell(session: Session) -> None:
        queue_positions.tell(session, job="migrate", queues=["REGION=eu"], locks=[], now=desk.now)

    await desk.store.write(tell)
    on = [(await desk.run(number)).waiting_on or {} for number in asked[2:]]
    begun = 1600.0
    turns = [begun + 600.0, begun + 720.0, begun + 1200.0]
    assert [(each["place"], each["around"]) for each in on] == [
        (place, turn // 60 * 60) for place, turn in enumerate(turns, 1)
    ]


async def test_forbid_refuses_the_one_that_is_too_many_of_its_queue(desk: Desk) -> None:
    eu, us = (Turn("queue", 2, queue, "forbid") for queue in ("REGION=eu", "REGION=us"))

    async def why(turn: Turn) -> dict[str, Any] | None:
        return await desk.store.write(lambda s: admission.refusal(s, "migrate", turn))

    for _ in range(2):
        assert await why(eu) is None
        await desk.ask(**_of(2, "REGION=eu", "forbid"))
    assert await why(us) is None
    refused = await why(eu)
    assert refused is not None
    assert not_alone(refused) == (
        "`migrate` is not started: #1 is waiting (asked by `octocat`), and only 2 at a time are allowed for"
        " `REGION=eu` (`over: forbid`)."
    )


async def test_replace_keeps_the_newest_of_its_queue(desk: Desk) -> None:
    asked = [await desk.ask(**_of(2, "REGION=eu", "replace")) for _ in range(2)]
    other = await desk.ask(**_of(2, "REGION=us", "replace"))
    assert await desk.claim() == [*asked, other]
    for number in (*asked, other):
        await desk.begin(number)
    third = await desk.ask(**_of(2, "REGION=eu", "replace"))
    assert [(await desk.run(each)).stop_by for each in (*asked, other)] == [f"run:{third}", None, None]
    fourth, fifth = [await desk.ask(**_of(2, "REGION=eu", "replace")) for _ in range(2)]
    assert message(await desk.run(third)) == f"Replaced by #{fifth}."
    assert (await desk.run(asked[1])).stop_by == f"run:{fourth}"
    await desk.end(asked[0], "cancelled")
    assert await desk.claim() == [fourth]
    await desk.end(asked[1], "cancelled")
    assert await desk.claim() == [fifth]


async def test_smallest_limit_counts_where_the_definition_has_changed(desk: Desk) -> None:
    """A run of an older definition said that it wants to be alone, and has no key."""
    old = await desk.ask(way="queue")
    new = [await desk.ask(**_of(3, queue)) for queue in ("REGION=eu", "REGION=us")]
    beside = await desk.ask(way="allow")
    assert await desk.claim() == [old]
    await desk.end(old)
    assert await desk.claim() == [*new, beside]
    last = await desk.ask(way="queue")
    for number in (*new, beside):
        assert await desk.claim() == []
        await desk.end(number)
    assert await desk.claim() == [last]


async def test_several_locks_are_taken_together_or_not_at_all(desk: Desk) -> None:
    one = await desk.ask("one", lock="db")
    both = await desk.ask("both", **_locks("db", "prod"))
    assert await desk.claim() == [one]
    other = await desk.ask("other", lock="prod")  # younger than one that waits only for a lock
    assert await desk.claim() == []
    assert waiting_for(await desk.run(both)) == (
        "the lock db, held by one #1, asked by octocat; place 1 in the queue"
    )
    assert waiting_for(await desk.run(other)) == (
        "the lock prod, after both #2, asked by octocat, which gets it first; place 2 in the queue"
    )
    await desk.end(one)
    assert await desk.claim() == [both]
    assert waiting_for(await desk.run(other)) == (
        "the lock prod, held by both #2, asked by octocat; place 1 in the queue"
    )
    stands = await desk.store.read(lambda s: locks.standing(s, now=desk.now))
    assert [(each.target, each.holder.number if each.holder else None, each.waiting) for each in stands] == [
        ("db", both, 0),
        ("prod", both, 1),
    ]
    await desk.end(both)
    assert await desk.claim() == [other]


async def test_locks_in_any_order_never_lead_to_a_circle(desk: Desk) -> None:
    asked = [
        await desk.ask(f"job-{n}", **_locks(*sorted(pair)))
        for n, pair in enumerate([("a", "b"), ("b", "c"), ("a", "c"), ("a", "b"), ("c", "d"), ("a", "d")])
    ]
    order: list[int] = []
    while len(order) < len(asked):
        got = await desk.claim()
        assert got
        held = [lock for number in got for lock in (await desk.run(number)).locks or ()]
        assert len(held) == len({*held})
        order += got
        for number in got:
            await desk.end(number)
    assert sorted(order) == asked


async def test_lock_of_a_person_closes_whoever_has_it_among_several(desk: Desk) -> None:
    both = await desk.ask("both", **_locks("db", "prod"))
    await desk.lock("prod", reason="a sale")
    assert await desk.claim() == []
    assert waiting_for(await desk.run(both)) == "the lock prod, closed by octocat for everybody (a sale)"
    other = await desk.ask("other", lock="db")
    assert await desk.claim() == [other]  # a person keeps the older one back, not a lock of its own
    assert await desk.store.write(lambda s: locks.remove(s, "prod", now=desk.now))
    assert await desk.claim() == []
    await desk.end(other)
    assert await desk.claim() == [both]


async def test_locks_that_were_promised_are_free_once_a_person_keeps_that_run_back(desk: Desk) -> None:
    holder = await desk.ask("one", lock="db")
    await desk.ask("both", **_locks("db", "prod"))
    other = await desk.ask("other", lock="prod")
    assert await desk.claim() == [holder]
    await desk.lock("both")
    assert await desk.claim() == [other]


async def test_cancelled_run_gives_up_what_was_promised_to_it(desk: Desk) -> None:
    await desk.ask("one", lock="db")
    both = await desk.ask("both", **_locks("db", "prod"))
    other = await desk.ask("other", lock="prod")
    await desk.claim()
    await desk.store.write(lambda s: runs.request_stop(s, both, by="github:octocat", now=desk.now))
    assert await desk.claim() == [other]


async def test_held_run_has_no_lock_and_no_place_and_nothing_is_promised_to_it(desk: Desk) -> None:
    await desk.ask("one", lock="db")

    def hold(session: Session) -> int:
        run = Run(
            key="held",
            name="",
            job="both",
            cause="api",
            actor="token:a",
            created_at=0.0,
            **_locks("db", "prod"),
        )
        Holding(Hold.APPROVAL, due_at=1e9).put(run)
        return runs.enqueue(session, run, [], now=desk.now, nonce="held")[0].identity

    held = await desk.store.write(hold)
    other = await desk.ask("other", lock="prod")
    assert await desk.claim() == [1, other]
    await desk.store.write(lambda s: holds.release(s, held, Hold.APPROVAL, now=desk.now))
    await desk.end(1)
    assert await desk.claim() == []
    await desk.end(other)
    assert await desk.claim() == [held]


async def test_start_puts_right_what_a_version_without_these_rows_left(desk: Desk) -> None:
    """It ends a run with several locks, and frees the first of them alone."""
    both, other = await desk.ask("both", **_locks("db", "prod")), await desk.ask("other", lock="prod")
    await desk.claim()

    def end(session: Session) -> None:
        run = session.get_one(Run, both)
        run.state, run.result, run.lease_owner = "finished", "succeeded", None

    await desk.store.write(end)
    assert await desk.claim() == []
    await desk.store.write(lambda s: admission.sweep(s, now=desk.now))
    assert await desk.claim() == [other]
