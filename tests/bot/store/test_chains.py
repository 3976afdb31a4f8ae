"""What follows a success is asked for in the transaction of that end, once, on both databases."""

from functools import partial
from typing import Any

import pytest

from bot.states import State
from bot.store import Session, Store, chains, deliveries, runs
from bot.tables import Delivery, Run

NOW = 1_800_000_000.0


async def start(store: Store, *, then: object, key: str = "k", chain: int | None = None) -> int:
    """A run that goes on, with its number."""
    row = Run(
        key=key,
        name="",
        job="stage",
        cause="comment",
        actor="github:octocat",
        created_at=NOW,
        chain=chain,
        follows=chain,
    )
    row.definition = {"then": then} if then else {}
    run, _ = await store.write(lambda s: runs.enqueue(s, row, [], now=NOW, nonce=key))
    await store.write(lambda s: runs.claim(s, owner="one", now=NOW, lease=60.0, limit=1))
    for state in (State.STARTING, State.RUNNING):
        await store.write(partial(move, number=run.identity, to=state))
    return run.identity


def move(session: Session, number: int, to: State, **more: Any) -> None:
    runs.move(session, number, to, owner="one", now=NOW, **more)


async def asked(store: Store) -> list[Delivery]:
    return await store.write(lambda s: deliveries.claim(s, owner="one", now=NOW, lease=0.0, limit=9))


@pytest.mark.parametrize(("result", "many"), [("succeeded", 1), ("failed", 0), ("cancelled", 0)])
async def test_only_a_success_is_followed(store: Store, result: str, many: int) -> None:
    number = await start(store, then=[{"job": "deploy", "parameters": {}}])
    await store.write(partial(move, number=number, to=State.FINISHED, result=result))
    found = await asked(store)
    assert [(each.key, each.source, each.body) for each in found] == [
        (f"chain:{number}", "chain", b'{"run": %d}' % number)
    ] * many


async def test_job_that_nothing_follows_asks_for_nothing(store: Store) -> None:
    number = await start(store, then=None)
    await store.write(partial(move, number=number, to=State.FINISHED, result="succeeded"))
    assert await asked(store) == []


async def test_end_that_was_not_stored_is_followed_by_nothing(store: Store) -> None:
    number = await start(store, then={"job": "deploy"})

    def fails(session: Session) -> None:
        move(session, number, State.FINISHED, result="succeeded")
        raise RuntimeError("the bot is killed here")

    with pytest.raises(RuntimeError):
        await store.write(fails)
    assert await asked(store) == []


async def test_chain_is_given_in_order_with_what_does_not_follow(store: Store) -> None:
    first = await start(store, then=["deploy", "gone"])
    await store.write(partial(move, number=first, to=State.FINISHED, result="succeeded"))
    links = await store.read(lambda s: chains.of_run(s, s.get_one(Run, first)))
    assert [(link.job, link.number) for link in links] == [("stage", first), ("deploy", None), ("gone", None)]
    second = await start(store, then=None, key="c", chain=first)
    followed: list[dict[str, Any]] = [
        {"job": "deploy", "run": second},
        {"job": "gone", "why": {"kind": "answer", "text": "no"}},
    ]
    await store.write(lambda s: chains.settle(s, first, followed))
    links = await store.read(lambda s: chains.of_run(s, s.get_one(Run, second)))
    assert [(link.job, link.number, link.after) for link in links] == [
        ("stage", first, None),
        ("gone", None, first),
        ("stage", second, first),
    ]
    members = await store.read(lambda s: chains.members(s, first, jobs=None, limit=9, before=None))
    assert [run.number for run in members] == [second, first]
    assert await store.read(lambda s: chains.members(s, first, jobs=["x"], limit=9, before=None)) == []
