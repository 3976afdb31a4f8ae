"""Each rule of the gate by itself, on both databases."""

import asyncio
import math
import time
from typing import Any

import pytest
from sqlalchemy import insert

from bot import messages
from bot.catalog.concurrency import Turn
from bot.messages import waiting_for
from bot.messages.reasons import message
from bot.states import State
from bot.store import Session, Store, admission, locks, runs
from bot.store.queue_positions import COUNTED
from bot.tables import Run
from demo.watched import PATIENCE
from tests.bot.store.asking import Desk
from tests.bot.store.counting import active_runs


@pytest.fixture
def desk(store: Store) -> Desk:
    """Somebody at work."""
    return Desk(store)


async def test_queue_goes_in_order_and_one_at_a_time(desk: Desk) -> None:
    numbers = [await desk.ask(way="queue") for _ in range(3)]
    for number in numbers:
        assert await desk.claim() == [number]
        await desk.begin(number)
        assert await desk.claim() == []
        await desk.end(number)


async def test_card_in_a_queue_tells_place_and_time(desk: Desk) -> None:
    for took in (60.0, 100.0, 500.0):
        number = await desk.ask(way="queue")
        await desk.claim()
        await desk.begin(number)
        desk.now += took
        await desk.end(number)
    first, second, third = [await desk.ask(way="queue") for _ in range(3)]
    await desk.claim()
    await desk.begin(first)
    assert waiting_for(await desk.run(second)) == (
        f"#{first} to end; place 1 in the queue, its turn comes about 1970-01-01 00:12 UTC"
    )
    assert waiting_for(await desk.run(third)) == (
        f"#{first} to end; place 2 in the queue, its turn comes about 1970-01-01 00:14 UTC"
    )
    await desk.end(first)
    assert waiting_for(await desk.run(third)) == (
        f"#{second} to end; place 1 in the queue, its turn comes about 1970-01-01 00:12 UTC"
    )


async def test_long_queue_counts_only_its_beginning(desk: Desk) -> None:
    numbers = [await desk.ask(way="queue") for _ in range(COUNTED + 3)]
    assert f"place {COUNTED} " in (waiting_for(await desk.run(numbers[COUNTED])) or "")
    last = waiting_for(await desk.run(numbers[-1]))
    assert last == f"#{numbers[0]} to end; many others come first"
    await desk.store.write(lambda s: runs.request_stop(s, numbers[5], by="github:b", now=desk.now))
    assert f"place {COUNTED} " in (waiting_for(await desk.run(numbers[COUNTED + 1])) or "")


async def test_cancelled_run_frees_its_place(desk: Desk) -> None:
    first, second, third = [await desk.ask(way="queue") for _ in range(3)]
    for number in (second, first):
        await desk.store.write(lambda s, n=number: runs.request_stop(s, n, by="github:b", now=desk.now))  # type: ignore[misc]
    assert await desk.claim() == [third]


async def test_forbid_names_what_is_in_the_way_only_while_it_is(desk: Desk) -> None:
    refusal = lambda session: admission.refusal(session, "migrate", Turn("forbid"))  # noqa: E731
    assert await desk.store.write(refusal) is None
    number = await desk.ask(way="forbid")
    await desk.claim()
    await desk.begin(number)
    reason = await desk.store.write(refusal)
    assert reason is not None
    assert (reason["kind"], reason["run"]) == ("alone", number)
    assert f"#{number} is running (asked by `octocat`)" in messages.reason(reason)
    assert await desk.store.write(lambda s: admission.refusal(s, "migrate", Turn("queue"))) is None
    await desk.end(number)
    assert await desk.store.write(refusal) is None


async def test_replace_stops_what_runs_and_starts_when_that_has_ended(desk: Desk) -> None:
    old = await desk.ask(way="replace")
    await desk.claim()
    await desk.begin(old)
    new = await desk.ask(way="replace")
    assert (await desk.run(old)).stop_by == f"run:{new}"
    assert desk.store.wakeup("stops").is_set()
    assert waiting_for(await desk.run(new)) == f"#{old} to stop; place 1 in the queue"
    assert await desk.claim() == []
    ended = await desk.end(old, "cancelled")
    assert ended is not None
    assert message(ended) == f"Replaced by #{new}."
    assert await desk.claim() == [new]


async def test_replaced_run_that_ends_by_itself_says_nothing_of_being_replaced(desk: Desk) -> None:
    old = await desk.ask(way="replace")
    await desk.claim()
    await desk.begin(old)
    await desk.ask(way="replace")
    ended = await desk.end(old, "failed")
    assert ended is not None
    assert ended.message is None


async def test_replace_leaves_what_runs_alone_until_its_own_image_is_there(desk: Desk) -> None:
    old = await desk.ask(way="replace")
    await desk.claim()
    await desk.begin(old)
    number = await desk.build()
    new = await desk.ask(way="replace", build_number=number)
    assert (await desk.run(old)).stop_by is None
    await desk.built(number, result="succeeded", digest="sha")
    assert (await desk.run(old)).stop_by == f"run:{new}"
    assert (await desk.run(new)).state == "waiting"


async def test_lock_goes_across_jobs_and_its_holder_is_named(desk: Desk) -> None:
    first = await desk.ask("deploy", lock="prod")
    second = await desk.ask("migrate", lock="prod")
    other = await desk.ask("report", lock="stage")
    assert await desk.claim() == [first, other]
    said = waiting_for(await desk.run(second))
    assert said == f"the lock prod, held by deploy #{first}, asked by octocat; place 1 in the queue"
    await desk.end(first)
    assert await desk.claim() == [second]


async def test_public_card_names_no_run_of_another_repository(desk: Desk) -> None:
    await desk.ask("deploy", lock="prod", repository="acme/secret")
    second = await desk.ask("publish", lock="prod", repository="acme/site", public=True)
    assert waiting_for(await desk.run(second)) == "the lock prod, held by another run; place 1 in the queue"


async def test_job_that_waits_for_itself_keeps_no_lock_from_others(desk: Desk) -> None:
    running = await desk.ask("migrate", "queue")
    behind = await desk.ask("migrate", "queue", lock="prod")
    other = await desk.ask("deploy", lock="prod")
    assert await desk.claim() == [running, other]
    await desk.end(other)
    assert await desk.claim() == []
    await desk.end(running)
    assert await desk.claim() == [behind]


async def test_older_definition_that_wants_to_be_alone_is_respected(desk: Desk) -> None:
    alone = await desk.ask(way="queue")
    beside = [await desk.ask() for _ in range(2)]
    assert await desk.claim() == [alone]
    await desk.end(alone)
    assert await desk.claim() == beside


async def test_run_that_wants_to_be_alone_is_not_starved_by_those_that_do_not(desk: Desk) -> None:
    first = await desk.ask()
    alone = await desk.ask(way="queue")
    later = await desk.ask()
    assert await desk.claim() == [first]
    await desk.end(first)
    assert await desk.claim() == [alone]
    await desk.end(alone)
    assert await desk.claim() == [later]


async def test_owner_of_a_lock_goes_on_past_whatever_waits_and_nobody_else(desk: Desk) -> None:
    owner: dict[str, Any] = {"actor": "slack:Octocat", "cause": "slack"}
    unbuilt = await desk.ask(way="queue", build_number=await desk.build())
    begun = await desk.ask(way="queue", at_most=1, **owner)
    assert await desk.claim() == []
    await desk.lock("migrate", person="github:octocat")
    assert await desk.claim() == [begun]
    other = await desk.ask(way="queue", actor="github:ada")
    pushed = await desk.ask(way="queue", cause="push")
    second, third = [await desk.ask(way="queue", **owner) for _ in range(2)]
    await desk.begin(begun)
    await desk.end(begun)
    assert await desk.claim() == [second]  # also where the first in the line is none that could go
    await desk.store.write(lambda s: locks.remove(s, "migrate", now=desk.now))
    await desk.begin(second)
    await desk.end(second)
    assert await desk.claim() == []
    assert [(await desk.run(each)).admitted for each in (unbuilt, other, pushed, third)] == [False] * 4


async def test_lock_of_a_person_opens_at_its_time_when_somebody_claims(desk: Desk) -> None:
    await desk.lock("prod", reason="a sale", until=100.0)
    waiting = await desk.ask("deploy", lock="prod")
    said = waiting_for(await desk.run(waiting))
    assert said == "the lock prod, closed by octocat for everybody until 1970-01-01 00:01 UTC (a sale)"
    assert await desk.store.read(locks.next_expiry) == 100.0
    desk.now = 99.9
    assert await desk.claim() == []
    desk.now = 100.0
    assert await desk.claim() == [waiting]
    assert await desk.store.read(locks.next_expiry) is None


async def test_lock_takes_back_what_nobody_has_begun(desk: Desk) -> None:
    begun = await desk.ask("deploy")
    assert await desk.claim() == [begun]
    left = await desk.ask("deploy")
    await desk.lock("deploy")
    assert await desk.claim() == []
    assert ((await desk.run(begun)).admitted, (await desk.run(left)).admitted) == (True, False)
    await desk.end(begun)
    assert await desk.store.write(lambda s: locks.remove(s, "deploy", now=desk.now))
    assert await desk.claim() == [left]


async def test_taking_back_a_run_gives_its_lock_to_another_job(desk: Desk) -> None:
    await desk.ask("deploy", lock="prod")
    other = await desk.ask("migrate", lock="prod")
    await desk.lock("deploy")
    assert await desk.claim() == [other]


async def test_start_puts_right_what_an_older_version_left(desk: Desk) -> None:
    """Its runs know nothing of the gate: those that run count, those that wait are looked at."""

    def left(session: Session) -> None:
        for name, state in (("a", "running"), ("b", "waiting")):
            values = Run(
                key=name, name=name, job="migrate", concurrency="queue", cause="push", actor="a",
                state=state, created_at=0.0,
            ).model_dump(exclude={"number"})  # fmt: skip
            session.execute(insert(Run).values(values))
        admission.sweep(session, now=desk.now)

    await desk.store.write(left)
    assert await desk.claim() == [1]
    await desk.end(1)
    assert await desk.claim() == [2]


@pytest.mark.postgres
async def test_two_bots_never_let_two_through(postgres_url: str) -> None:
    async with (
        await Store.open(postgres_url, owner="one") as one,
        await Store.open(postgres_url, owner="two") as two,
    ):
        admitted: list[int] = []

        async def live(store: Store, name: int) -> None:
            desk = Desk(store)
            desk.asked = name * 1000
            await asyncio.gather(*(desk.ask(way="queue", lock="prod") for _ in range(25)))
            while True:
                got = await store.write(
                    lambda s: runs.claim(s, owner=store.owner, now=10.0, lease=1000.0, limit=100)
                )
                assert len(got) <= 1
                for run in got:
                    alive = await store.read(lambda s: runs.page(s, limit=100))
                    assert [each.number for each in alive if each.admitted and each.state != "finished"] == [
                        run.number
                    ]
                    admitted.append(run.identity)
                    number = run.identity
                    await store.write(
                        lambda s, number=number: runs.move(  # type: ignore[misc]
                            s, number, State.FINISHED, owner=store.owner, now=11.0, result="succeeded"
                        )
                    )
                if not got and not await store.read(active_runs):
                    return

        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(live(one, 1), live(two, 2))
        assert len(admitted) == len(set(admitted)) == 50


async def test_ten_thousand_waiting_runs_slow_nothing_down(desk: Desk) -> None:
    first = await desk.ask(way="queue", lock="prod")
    waiting = Run(
        key="", name="", job="migrate", concurrency="queue", lock="prod", cause="push",
        actor="a", due_at=admission.CLOSED, created_at=0.0,
    ).model_dump(exclude={"number"})  # fmt: skip
    rows = [waiting | {"key": f"w{n}", "name": f"w{n}"} for n in range(10_000)]
    await desk.store.write(lambda s: s.execute(insert(Run), rows))
    free = await desk.ask("other")
    took: dict[str, float] = {}

    async def timed(what: str, work: Any) -> Any:
        began = time.process_time()  # what others do on the machine does not count
        value = await work
        took[what] = min(took.get(what, math.inf), time.process_time() - began)
        return value

    assert await timed("first claim", desk.claim()) == [first, free]
    for _ in range(3):
        assert await timed("claim", desk.claim()) == []
    await timed("ask", desk.ask(way="queue", lock="prod"))
    holder = first
    for _ in range(3):
        await timed("end", desk.end(holder))
        (holder,) = await timed("next claim", desk.claim())
    print({what: f"{seconds * 1000:.1f} ms" for what, seconds in took.items()})
    assert max(took["claim"], took["next claim"]) < 0.2  # 20 ms on a machine that does nothing else
