"""What bots on one PostgreSQL owe each other: leases by one clock, settled once, told at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.errors import Unmet
from bot.registry import Registry
from bot.states import State
from bot.store import Session, Store, clocks, deliveries, history, leases, payloads, posts, runs, versions
from bot.store.leases import LeaseLost
from bot.store.watchers import Listener
from bot.tables import Delivery, Post, Run
from demo.watched import PATIENCE
from tests.bot.house import House
from tests.bot.store.test_history import add

pytestmark = pytest.mark.postgres

_END_LISTENERS = """\
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'LISTEN%'
"""
AHEAD = 300.0
"""Seconds by which a clock is wrong."""


@pytest.fixture
async def bots(postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two bots on one database."""
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(await Store.open(postgres_url, owner=owner))
            for owner in ("one", "two")
        ]
        yield one, two


async def _asked(store: Store, key: str = "a") -> int:
    run = Run(key=key, name="", job="migrate", cause="c", actor="a", created_at=0.0)
    return (await store.write(lambda s: runs.enqueue(s, run, [], now=1.0, nonce=key)))[0].identity


async def _claim(store: Store, now: float, lease: float = 10.0) -> list[Run]:
    return await store.write(lambda s: runs.claim(s, owner=store.owner, now=now, lease=lease, limit=9))


async def _now(store: Store) -> float:
    return await store.read(clocks.database_time)


async def _rings(wakeup: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        await wakeup.wait()


async def test_runs_that_two_bots_forget_at_once_are_forgotten_once(bots: tuple[Store, Store]) -> None:
    await bots[0].write(lambda s: add(s, "s" * 200))
    numbers = range(1, 201)
    logs = await asyncio.gather(*(bot.write(lambda s: history.forget(s, numbers)) for bot in bots * 4))
    assert sorted(map(len, logs)) == [0] * 7 + [200]


# Clocks -----------------------------------------------------------------------------------------------


async def test_bot_whose_clock_is_ahead_cannot_steal_what_another_holds(bots: tuple[Store, Store]) -> None:
    one, two = bots
    number, now = await _asked(one), await _now(one)
    (mine,) = await _claim(one, now)
    assert now + 9 < mine.lease_until < now + 60
    assert await _claim(two, now + AHEAD) == []
    ended = await two.write(lambda s: runs.request_stop(s, number, by="github:b", now=now + AHEAD))
    assert ended.state == State.WAITING  # asked to stop, and not taken for one that nobody carries
    assert ended.stop_by == "github:b"


async def test_bot_whose_clock_is_ahead_cannot_keep_what_it_does_not_renew(bots: tuple[Store, Store]) -> None:
    one, two = bots
    number, now = await _asked(one), await _now(one)
    await _claim(one, now + AHEAD, lease=60.0)
    held = await one.write(
        lambda s: leases.renew(s, Run, owner="one", ids=[number], now=now + AHEAD, lease=0.0)
    )
    assert held.ours == {number}
    assert [run.number for run in await _claim(two, await _now(two))] == [number]


async def test_bot_whose_clock_is_behind_keeps_what_it_renews(bots: tuple[Store, Store]) -> None:
    one, two = bots
    number, now = await _asked(one), await _now(one)
    await _claim(one, now - AHEAD, lease=0.0)
    await one.write(lambda s: leases.renew(s, Run, owner="one", ids=[number], now=now - AHEAD, lease=60.0))
    assert await _claim(two, await _now(two)) == []


async def test_wrong_clock_is_put_right_and_told(bots: tuple[Store, Store]) -> None:
    real = await _now(bots[0])
    with capture_logs() as told:
        clock = await bots[0].in_step(lambda: real + AHEAD)
    assert clock() == pytest.approx(real, abs=20)
    assert [(each["event"], each["log_level"]) for each in told] == [("clock.differs", "warning")]
    assert told[0]["seconds"] == pytest.approx(AHEAD, abs=20)


def test_clock_that_differs_by_less_than_an_answer_takes_is_left_alone() -> None:
    skew = clocks.Skew(lambda: 100.0)
    skew.measure(100.0, 100.2, 100.0)
    assert skew.now() == 100.0
    skew.measure(100.0, 103.0, 106.0)  # somewhere within six seconds
    assert skew.now() == 100.0
    with capture_logs():
        skew.measure(100.0, 160.0, 100.0)
    assert skew.now() == 160.0
    with capture_logs():
        skew.measure(100.0, 100.1, 100.0)  # somebody set it right
    assert skew.now() == 100.0


# Who lost the lease -----------------------------------------------------------------------------------


async def test_delivery_that_another_bot_took_over_is_decided_by_that_alone(
    bots: tuple[Store, Store],
) -> None:
    one, two = bots
    await one.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)

    def take(owner: str) -> Callable[[Session], list[Delivery]]:
        return lambda s: deliveries.claim(s, owner=owner, now=2.0, lease=0.0, limit=1)

    (mine,) = await one.write(take("one"))
    (theirs,) = await two.write(take("two"))

    def decide(session: Session, owner: str) -> None:
        run = Run(key=owner, name="", job="migrate", cause="c", actor="a", created_at=0.0)
        runs.enqueue(session, run, [], now=1.0, nonce=owner)
        deliveries.settle(session, mine.identity, owner=owner, state="handled")

    with pytest.raises(LeaseLost):
        await one.write(lambda s: decide(s, "one"))
    with pytest.raises(LeaseLost):
        await one.write(lambda s: deliveries.retry(s, mine.identity, owner="one", due_at=1e9, note="502"))
    await two.write(lambda s: decide(s, "two"))
    with pytest.raises(LeaseLost):
        await one.write(lambda s: decide(s, "one"))
    settled = await one.read(lambda s: s.get(Delivery, theirs.identity))
    assert settled is not None
    assert (settled.state, settled.note) == ("handled", None)
    assert [run.key for run in await one.read(lambda s: runs.page(s))] == ["two"]


async def test_post_that_another_bot_took_over_is_settled_by_that_alone(bots: tuple[Store, Store]) -> None:
    one, two = bots
    card = Post(key="a", kind="github_comment", nonce="n", run_number=1, due_at=1.0, created_at=1.0)
    await one.write(lambda s: posts.add(s, [card]))
    for store in bots:
        claim = await store.write(
            lambda s, owner=store.owner: posts.claim(s, owner=owner, now=2.0, lease=0.0, limit=1)  # type: ignore[misc]
        )
        assert len(claim) == 1
    key = claim[0].identity
    late: list[Callable[[Session], None]] = [
        lambda s: posts.sent(s, key, posts.PostedState(1, posts.Remote("mine"), 0.0, done=True), owner="one"),
        lambda s: posts.retry(s, key, owner="one", due_at=1e9, error="502"),
        lambda s: posts.fail(s, key, owner="one", error="404"),
    ]
    for work in late:
        with pytest.raises(LeaseLost):
            await one.write(work)
    theirs = posts.PostedState(1, posts.Remote("theirs"), 0.0)
    await two.write(lambda s: posts.sent(s, key, theirs, owner="two"))
    for work in late:
        with pytest.raises(LeaseLost):
            await one.write(work)
    post = await one.read(lambda s: s.get(Post, key))
    assert post is not None
    assert (post.state, post.sent, post.remote_id, post.error) == ("open", 1, "theirs", None)


# Bells ------------------------------------------------------------------------------------------------


async def test_commit_of_one_bot_rings_the_bells_of_the_others(bots: tuple[Store, Store]) -> None:
    one, two = bots
    assert not two.wakeup("deliveries").is_set()
    await one.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)
    await _rings(two.wakeup("deliveries"))
    number = await _asked(one)
    await _rings(two.wakeup("runs"))
    await _claim(two, await _now(two))
    assert not two.wakeup("stops").is_set()
    await one.write(lambda s: runs.request_stop(s, number, by="github:b", now=1.0))
    await _rings(two.wakeup("stops"))


async def test_released_leases_are_told_to_the_others(bots: tuple[Store, Store]) -> None:
    one, two = bots
    number = await _asked(one)
    await _claim(one, await _now(one))
    await _rings(two.wakeup("runs"))
    two.wakeup("runs").clear()
    await one.write(lambda s: leases.release(s, owner="one"))
    await _rings(two.wakeup("runs"))
    assert [run.number for run in await _claim(two, await _now(two))] == [number]


async def test_what_fails_rings_nobody(bots: tuple[Store, Store]) -> None:
    one, two = bots

    def fail(session: Session) -> None:
        runs.enqueue(
            session,
            Run(key="b", name="", job="migrate", cause="c", actor="a", created_at=0.0),
            [],
            now=1.0,
            nonce="b",
        )
        raise KeyError

    with pytest.raises(KeyError):
        await one.write(fail)
    await one.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)
    await _rings(two.wakeup("deliveries"))  # which is told later, so the other would have been by now
    assert not two.wakeup("runs").is_set()


async def test_watchers_of_a_run_hear_of_what_another_bot_stored(bots: tuple[Store, Store]) -> None:
    one, two = bots
    number = await _asked(one)
    with two.changes.listen(("run", number)) as listener:
        await _claim(one, await _now(one))
        await one.write(lambda s: runs.move(s, number, State.STARTING, owner="one", now=2.0))
        async with asyncio.timeout(PATIENCE):
            while (await two.read(lambda s: runs.get(s, number)) or Run).state != State.STARTING:
                await listener.wait()


async def test_lost_listener_comes_back_and_looks_at_everything(bots: tuple[Store, Store]) -> None:
    one, two = bots
    number = await _asked(one)
    await _rings(two.wakeup("runs"))
    with two.changes.listen(("run", number)) as listener:
        two.wakeup("runs").clear()
        with capture_logs() as told:
            await one.write(lambda s: s.execute(text(_END_LISTENERS)) and None)
            await _rings(two.wakeup("runs"))
        await _heard(listener)
        two.wakeup("deliveries").clear()
        await one.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)
        await _rings(two.wakeup("deliveries"))
    assert "notices.lost" in {each["event"] for each in told}


async def _heard(listener: Listener) -> None:
    async with asyncio.timeout(PATIENCE):
        await listener.wait()


async def test_what_strangers_send_on_the_channel_does_no_harm(bots: tuple[Store, Store]) -> None:
    one, two = bots
    for payload in ("", "{", "[]", "7", '["x",["nonsense"],[["run","y"]]]', '["x",5,5]', '["x",[[]],[]]'):
        await one.write(
            lambda s, payload=payload: (
                s.execute(text("SELECT pg_notify('errand', :p)"), {"p": payload}) and None
            )  # type: ignore[misc]
        )
    await one.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)
    await _rings(two.wakeup("deliveries"))


def test_notices_fit_into_what_postgresql_takes() -> None:
    many = [
        Run(number=10**15 + n, key="", name="", job="j", cause="c", actor="a", created_at=0.0)
        for n in range(1000)
    ]
    told = list(payloads.payloads("h" * 64 + "-4194304-0123abcd", {"runs", "posts"}, many))
    assert max(len(each.encode()) for each in told) < 8000
    found = [payloads.heard(each) for each in told]
    assert {subject for each in found if each for subject in each[2]} == {
        ("run", run.identity) for run in many
    }
    assert [sorted(each[1]) for each in found if each] == [["posts", "runs"], [], [], []]
    assert list(payloads.payloads("one", [], [])) == []
    assert payloads.heard(json.dumps(["one", ["runs", "of a newer version"], []])) == ("one", {"runs"}, [])


# Jobs -------------------------------------------------------------------------------------------------


async def test_of_two_changes_of_one_job_at_once_one_comes_second(
    home: House, bots: tuple[Store, Store]
) -> None:
    config = home.tools.registry.config
    books = [await Registry.open(config, store, lambda: 1.0) for store in bots]
    job = config.jobs["plain"].model_copy(update={"name": "new"})
    for turn in range(10):
        held = books[0].entry("new")
        version = None if held is None else held.row.version
        came = await asyncio.gather(
            *(
                registry.put(
                    job.model_copy(update={"description": f"{turn} of {name}"}),
                    actor=f"token:{name}",
                    expected=lambda found: found == version,  # noqa: B023
                )
                for name, registry in zip("ab", books, strict=True)
            ),
            return_exceptions=True,
        )
        made = [each for each in came if not isinstance(each, BaseException)]
        (refused,) = [each for each in came if isinstance(each, BaseException)]
        assert isinstance(refused, Unmet)
        assert made[0][0].version == turn + 1
        for registry in books:
            await registry.refresh()


async def test_changes_of_one_job_at_once_that_expect_nothing_are_all_kept(
    home: House, bots: tuple[Store, Store]
) -> None:
    books = [await Registry.open(home.tools.registry.config, store, lambda: 1.0) for store in bots]
    job = home.tools.registry.config.jobs["plain"].model_copy(update={"name": "new"})
    await asyncio.gather(
        *(
            registry.put(
                job.model_copy(update={"description": str(n)}), actor="token:x", expected=lambda _: True
            )
            for n, registry in enumerate(books * 10)
        )
    )
    found = await bots[0].read(lambda s: versions.of(s, "new"))
    assert found is not None
    assert found.version == 20


async def test_files_that_differ_are_written_one_after_the_other_and_the_last_one_holds(
    home: House, bots: tuple[Store, Store]
) -> None:
    old = home.tools.registry.config
    jobs = {name: job for name, job in old.jobs.items() if name != "words"}
    jobs["plain"] = jobs["plain"].model_copy(update={"description": "new"})
    new = old.model_copy(update={"jobs": jobs})
    first = await Registry.open(old, bots[0], lambda: 1.0)
    bots[0].wakeup("jobs").clear()
    second = await Registry.open(new, bots[1], lambda: 2.0)
    await _rings(bots[0].wakeup("jobs"))
    await first.refresh()
    for registry in (first, second):
        assert registry.catalog.jobs["plain"].description == "new"
        assert "words" not in registry.catalog.jobs
    before = await bots[0].read(versions.mark)
    for _ in range(3):  # looking writes nothing, so nothing flaps
        await first.refresh()
        await second.refresh()
    assert await bots[0].read(versions.mark) == before
    assert await _versions(bots[0], "plain") == [1, 2]


async def _versions(store: Store, job: str) -> list[int]:
    def read(session: Session) -> list[int]:
        query = text("SELECT version FROM job_versions WHERE job = :job ORDER BY version")
        return list(session.scalars(query, {"job": job}))

    return await store.read(read)
