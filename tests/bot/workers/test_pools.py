"""What is claimed anew while it is about to be let go of is carried at once, and once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from bot.posting import targets
from bot.store import posts
from bot.tables import Post
from bot.workers import pools, timing
from bot.workers.pools import Work, WorkerPool
from demo.watched import PATIENCE
from tests.bot.house import SHOP, House


class Carrier:
    """Says each post that it is given; the first time it takes its time after it has stored that."""

    def __init__(self, home: House) -> None:
        self.home = home
        self.said: list[int] = []
        self.stored, self.free, self.twice = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.free.set()

    async def carry(self, post: Post) -> None:
        self.said.append(post.wanted)
        said = posts.PostedState(post.wanted, None, 0.0)
        await self.home.write(lambda s: posts.sent(s, post.identity, said, owner="one"))
        self.stored.set()
        if len(self.said) > 1:
            self.twice.set()
        await self.free.wait()


@pytest.fixture
async def pool(home: House) -> AsyncIterator[tuple[WorkerPool[Post], Carrier]]:
    carrier = Carrier(home)
    place = targets.PullPlace(SHOP, 7)
    await home.write(
        lambda s: posts.add(s, [targets.comment_reply("k", place, "words", now=0.0, nonce="n" * 16)])
    )
    work = Work("posts", Post, posts.claim, carrier.carry, 8)
    made = WorkerPool(work, home.store, lambda: home.now, "one")
    running = asyncio.create_task(made.run())
    yield made, carrier
    running.cancel()
    await asyncio.gather(running, *made.let_go(), return_exceptions=True)


async def test_what_is_new_of_a_post_that_was_just_said_does_not_wait_for_its_lease(
    home: House, pool: tuple[WorkerPool[Post], Carrier]
) -> None:
    _, carrier = pool
    carrier.free.clear()
    async with asyncio.timeout(PATIENCE):
        await carrier.stored.wait()
        await home.write(lambda s: s.execute(update(Post).values(wanted=2)))
        home.store.wakeup("posts").set()
        while (await home.posts())[0].lease_owner is None:
            pass  # claiming is no change that anybody is told of
        assert carrier.said == [1]
        carrier.free.set()
        await carrier.twice.wait()
    assert carrier.said == [1, 2]


@pytest.mark.parametrize(("seconds", "lets_go"), [(timing.STALL - 0.5, False), (timing.STALL + 0.5, True)])
async def test_process_that_stood_still_for_as_long_as_a_lease_lets_go_before_anything_else(
    pool: tuple[WorkerPool[Post], Carrier], monkeypatch: pytest.MonkeyPatch, seconds: float, lets_go: bool
) -> None:
    carrying, carrier = pool
    carrier.free.clear()
    async with asyncio.timeout(PATIENCE):
        await carrier.stored.wait()
    (task,) = carrying.tasks.values()
    moments = iter([100.0, 100.0, 100.0 + seconds])
    monkeypatch.setattr(pools, "monotonic", lambda: next(moments))
    timer = pools._StallTimer([carrying])
    timer.cancel()
    timer._look(100.0)
    timer.cancel()
    assert bool(task.cancelling()) is lets_go
