"""The bell: heard by who listens, once for many rings, and free of those who left."""

import asyncio

import pytest

from bot.store.watchers import ChangeFeed
from bot.tables import Build, Run
from demo.watched import PATIENCE


def run(number: int | None) -> Run:
    return Run(
        number=number,
        key="k",
        name="n",
        job="migrate",
        cause="comment",
        actor="github:octocat",
        created_at=0.0,
    )


def build(number: int) -> Build:
    return Build(
        number=number, key="k", name="n", image="shop", repository="acme/shop", commit="c", cause="push",
        actor="github:octocat", created_at=0.0,
    )  # fmt: skip


async def test_a_change_before_the_wait_is_heard() -> None:
    changes = ChangeFeed()
    with changes.listen(("run", 1)) as listener:
        changes.publish(run(1))

        async with asyncio.timeout(PATIENCE):
            await listener.wait()


async def test_a_change_during_the_wait_is_heard() -> None:
    changes = ChangeFeed()
    with changes.listen(("run", 1), ("build", 7)) as listener:
        waiting = asyncio.ensure_future(listener.wait())
        await asyncio.sleep(0)
        changes.publish(build(7))

        async with asyncio.timeout(PATIENCE):
            await waiting


async def test_many_changes_are_one_ring_for_who_is_slow() -> None:
    changes = ChangeFeed()
    with changes.listen(("run", 1)) as listener:
        for _ in range(1000):
            changes.publish(run(1))
        await listener.wait()

        second = asyncio.ensure_future(listener.wait())
        await asyncio.sleep(0)
        assert not second.done()
        second.cancel()


async def test_other_runs_and_builds_of_the_same_number_do_not_ring() -> None:
    changes = ChangeFeed()
    with changes.listen(("run", 1)) as listener:
        changes.publish(run(2))
        changes.publish(build(1))
        waiting = asyncio.ensure_future(listener.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()


async def test_who_left_costs_nothing() -> None:
    changes = ChangeFeed()
    with changes.listen(("run", 1), ("run", 1), ("build", 1)), changes.listen(("run", 1)):
        assert changes.listeners == 3

    assert changes.listeners == 0
    changes.publish(run(1))


async def test_who_closes_twice_disturbs_nobody() -> None:
    changes = ChangeFeed()
    with changes.listen(("run", 1)) as first, changes.listen(("run", 1)) as second:
        first.close()
        first.close()
        changes.publish(run(1))
        await second.wait()


async def test_a_row_that_is_not_stored_cannot_be_published() -> None:
    with pytest.raises(ValueError, match="stored"):
        ChangeFeed().publish(run(None))


async def test_backlog_names_the_runs_that_changed_once_and_rings() -> None:
    changes, wakeup = ChangeFeed(), asyncio.Event()
    backlog = changes.backlog(wakeup)
    assert (backlog.take(), wakeup.is_set()) == (frozenset(), False)
    for number in (1, 2, 2):
        changes.wake("run", number)
    changes.wake("build", 3)
    assert wakeup.is_set()
    assert (backlog.take(), wakeup.is_set(), backlog.take()) == (frozenset({1, 2}), False, frozenset())


async def test_backlog_is_bounded_and_says_that_it_was_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.watchers.MOST", 2)
    changes = ChangeFeed()
    backlog = changes.backlog(asyncio.Event())
    for number in (1, 2, 3):
        changes.wake("run", number)
    assert (backlog.take(), backlog.take()) == (None, frozenset())
    changes.ring_all()  # whatever happened while the connection to the others was lost
    assert backlog.take() is None


def test_what_stands_whatever_runs_is_heard_of_by_lists_and_by_who_wants_to() -> None:
    changes, runs_only, both = ChangeFeed(), asyncio.Event(), asyncio.Event()
    kept = [changes.backlog(runs_only), changes.backlog(both, standing=True)]
    for queue in ("locks", "ticks"):
        turn = changes.turn
        changes.turned({queue})
        assert (runs_only.is_set(), both.is_set(), changes.turn) == (False, True, turn + 1)
        assert kept[1].take() is None
    changes.turned({"journal", "runs"})
    assert not both.is_set()
