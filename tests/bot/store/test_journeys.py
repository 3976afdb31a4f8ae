"""Whatever several bots do to runs in whatever order, each run belongs to one of them and ends once."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.states import State, run_sources
from bot.store import Session, Store, leases, runs
from bot.tables import Run
from tests import databases

T = TypeVar("T")
LEASE = 10.0
owners = st.sampled_from(["one", "two", "three"])
picks = st.integers(0, 5)


class Runs(RuleBasedStateMachine):
    """A model beside the store: what each run's state is, who holds it, and until when."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        url = databases.sqlite(Path(self.directory.name) / "errand.db")
        self.store = self._wait(Store.open(url, owner="test"))
        self.now = 100.0
        self.model: dict[int, tuple[State, str | None, float]] = {}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self._wait(self.store.close())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.directory.cleanup()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def _write(self, work: Callable[[Session], T]) -> T:
        return self._wait(self.store.write(work))

    @rule(key=st.integers(0, 3))
    def enqueue(self, key: int) -> None:
        run = Run(key=f"k{key}", name="", job="migrate", cause="c", actor="a", created_at=0.0)
        stored, new = self._write(lambda s: runs.enqueue(s, run, [], now=self.now, nonce=f"n{key}"))
        assert new == (stored.number not in self.model)
        if new:
            self.model[stored.identity] = (State.WAITING, None, 0.0)

    @rule(seconds=st.sampled_from([0.0, 1.0, LEASE]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(owner=owners, limit=st.integers(0, 3))
    def claim(self, owner: str, limit: int) -> None:
        got = self._write(lambda s: runs.claim(s, owner=owner, now=self.now, lease=LEASE, limit=limit))
        free = {
            number: state
            for number, (state, _, until) in self.model.items()
            if state is not State.FINISHED and until <= self.now
        }
        # What has begun goes on beyond the limit, and counts for it.
        begun = [number for number, state in free.items() if state not in (State.WAITING, State.BUILDING)]
        fresh = sorted(free.keys() - begun)[: max(0, limit - len(begun))]
        assert [run.number for run in got] == sorted(begun + fresh)
        for run in got:
            self.model[run.identity] = (State(run.state), owner, self.now + LEASE)

    @rule(pick=picks, owner=owners, to=st.sampled_from(State))
    def move(self, pick: int, owner: str, to: State) -> None:
        if not (number := self._pick(pick)):
            return
        state, holder, until = self.model[number]
        moved = self._write(lambda s: runs.move(s, number, to, owner=owner, now=self.now))
        assert (moved is not None) == (holder == owner and state in run_sources(to))
        if moved is not None:
            self.model[number] = (to, None, 0.0) if to is State.FINISHED else (to, holder, until)

    @rule(pick=picks)
    def stop(self, pick: int) -> None:
        if not (number := self._pick(pick)):
            return
        state, holder, until = self.model[number]
        self._write(lambda s: runs.request_stop(s, number, by="somebody", now=self.now))
        if state in (State.WAITING, State.BUILDING) and (holder is None or until <= self.now):
            self.model[number] = (State.FINISHED, None, 0.0)

    @rule(owner=owners)
    def renew(self, owner: str) -> None:
        mine = {number for number, (_, holder, _) in self.model.items() if holder == owner}
        held = self._write(
            lambda s: leases.renew(s, Run, owner=owner, ids=list(self.model), now=self.now, lease=LEASE)
        )
        assert held.ours == mine
        for number in mine:
            self.model[number] = (*self.model[number][:2], self.now + LEASE)

    @rule(owner=owners)
    def release(self, owner: str) -> None:
        self._write(lambda s: leases.release(s, owner=owner))
        for number, (state, holder, _) in self.model.items():
            if holder == owner:
                self.model[number] = (state, None, 0.0)

    def _pick(self, pick: int) -> int | None:
        numbers = sorted(self.model)
        return numbers[pick % len(numbers)] if numbers else None

    @invariant()
    def database_agrees(self) -> None:
        if hasattr(self, "store"):
            stored = self._wait(self.store.read(runs.page))
            assert {run.number: (run.state, run.lease_owner) for run in stored} == {
                number: (state, holder) for number, (state, holder, _) in self.model.items()
            }


Runs.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
test_runs_belong_to_one_and_end_once = Runs.TestCase
