"""Somebody who asks for runs and builds, carries them and locks: what the tests of the gate share."""

from typing import Any

from bot.states import State
from bot.store import Session, Store, builds, locks, runs
from bot.tables import Build, Lock, Run


class Desk:
    """Asks for runs and carries them, each with a key of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = 10.0
        self.asked = 0

    async def ask(self, job: str = "migrate", way: str = "allow", **about: Any) -> int:
        self.asked += 1
        key = f"k{self.asked}"
        facts = {"cause": "comment", "actor": "github:octocat"} | about

        def ask(session: Session) -> int:
            run = Run(key=key, name="", job=job, concurrency=way, created_at=0.0, **facts)
            return runs.enqueue(session, run, [], now=self.now, nonce=key)[0].identity

        return await self.store.write(ask)

    async def run(self, number: int) -> Run:
        found = await self.store.read(lambda s: runs.get(s, number))
        assert found is not None
        return found

    async def claim(self) -> list[int]:
        got = await self.store.write(
            lambda s: runs.claim(s, owner="one", now=self.now, lease=1000.0, limit=100)
        )
        return [run.identity for run in got]

    async def begin(self, number: int) -> None:
        for to in (State.STARTING, State.RUNNING):
            await self.store.write(lambda s, to=to: runs.move(s, number, to, owner="one", now=self.now))  # type: ignore[misc]

    async def end(self, number: int, result: str = "succeeded") -> Run | None:
        return await self.store.write(
            lambda s: runs.move(s, number, State.FINISHED, owner="one", now=self.now, result=result)
        )

    async def build(self) -> int:
        """A build that nobody has begun."""
        self.asked += 1
        build = Build(
            key="", name="", image="shop", repository="acme/shop", commit=str(self.asked), cause="push",
            actor="github:a", created_at=0.0,
        )  # fmt: skip
        nonce = f"b{self.asked}"
        return (await self.store.write(lambda s: builds.need(s, build, now=1.0, nonce=nonce))).identity

    async def built(self, number: int, **end: Any) -> None:
        """It began and ended so; nobody else waits to be begun before it."""
        await self.store.write(lambda s: builds.claim(s, owner="b", now=2.0, lease=9.0, limit=100))
        for to, facts in ((State.BUILDING, {}), (State.FINISHED, end)):
            await self.store.write(
                lambda s, to=to, facts=facts: builds.move(s, number, to, owner="b", now=3.0, **facts)  # type: ignore[misc]
            )

    async def lock(self, target: str, **about: Any) -> None:
        lock = Lock(target=target, actor="github:octocat", created_at=self.now, **about)
        await self.store.write(lambda s: locks.add(s, lock, now=self.now))
