"""Any interleaving of requests, claims, crashes, stops, ends, locks and holds keeps the gate's promise."""

import atexit
import shutil
from collections.abc import Callable
from functools import cache
from itertools import combinations, count
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from bot.catalog.concurrency import Turn
from bot.messages.reasons import message
from bot.states import EVERYTHING, Hold, State
from bot.store import admission, attempts, builds, holds, leases, locks, runs, schema
from bot.store.columns import RUN
from bot.store.databases import Database
from bot.store.holds import Holding
from bot.store.run_locks import limit_of, locks_of
from bot.store.transitions import ACTIVE
from bot.tables import Build, Lock, Run, RunLock

LEASE = 10.0
LIMIT = 3
RETRIES = 2
T = TypeVar("T")

JOBS = st.sampled_from(["one", "two"])
LOCKS = st.sampled_from([(), (), ("prod",), ("db",), ("db", "prod")])
WAYS = st.one_of(
    st.sampled_from(["allow", "forbid", "replace", "queue"]).map(Turn),
    st.builds(
        lambda limit, queue, over: Turn("queue", limit, queue, over),
        st.sampled_from([1, 2, 3]),
        st.sampled_from([None, "REGION=eu", "REGION=us"]),
        st.sampled_from(["queue", "forbid", "replace"]),
    ),
)
HOLDS = st.sampled_from([None, None, None, Hold.APPROVAL, Hold.TIME])
OWNERS = st.sampled_from(["first", "second"])
TARGETS = st.sampled_from(["prod", "db", "one", EVERYTHING])
OWNER = "github:b"
ASKERS = st.sampled_from([("api", "token:a"), ("comment", OWNER), ("slack", "slack:B"), ("push", OWNER)])
"""Through which door, and who: of one person, by two doors, and what that only led to."""
PICK = st.integers(0, 1000)


@cache
def _template() -> Path:
    """An empty database; migrating once is enough."""
    file = Path(mkdtemp(prefix="errand-gate-")) / "errand.db"
    atexit.register(shutil.rmtree, file.parent)
    database = Database.at(f"sqlite:///{file}")
    with database.writer.connect() as connection:
        schema.migrate(connection)
    database.close()
    return file


def share_a_lock(one: Run, other: Run) -> bool:
    """Whether these two may not be under way together, whatever else is."""
    return not {*locks_of(one)}.isdisjoint(locks_of(other))


def meet(one: Run, other: Run) -> bool:
    """Whether one counts for the limit of the other."""
    return one.job == other.job and (None in (one.queue, other.queue) or one.queue == other.queue)


class Gate(RuleBasedStateMachine):
    """One database, people, and two bots: who lets a lease run out while time passes has crashed."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = TemporaryDirectory()
        file = Path(self._directory.name) / "errand.db"
        shutil.copy(_template(), file)
        self._database = Database.at(f"sqlite:///{file}")
        event.listen(
            self._database.writer, "connect", lambda c, _: c.execute("PRAGMA synchronous = OFF").close()
        )
        self._numbers = count()
        self.seen: dict[int, tuple[State, int]] = {}
        self.now = 100.0

    def write(self, work: Callable[[Session], T]) -> T:
        with Session(self._database.writer, expire_on_commit=False) as session:
            value = work(session)
            session.commit()
            return value

    def unfinished(self) -> list[Run]:
        query = select(Run).where(RUN.state != State.FINISHED)
        return sorted(self.write(lambda s: list(s.scalars(query))), key=lambda run: run.identity)

    # What happens ---------------------------------------------------------------------------------

    @rule(
        asked=st.lists(st.tuples(JOBS, LOCKS, WAYS, HOLDS, st.booleans()), min_size=2, max_size=4), by=ASKERS
    )
    def requests(
        self, asked: list[tuple[str, tuple[str, ...], Turn, Hold | None, bool]], by: tuple[str, str]
    ) -> None:
        for job, several, way, held, builds_first in asked:
            self.request(job, several, way, held, builds_first, by)

    def request(
        self,
        job: str,
        several: tuple[str, ...],
        way: Turn,
        held: Hold | None,
        builds_first: bool,
        by: tuple[str, str],
    ) -> None:
        key = str(next(self._numbers))
        draft = Run(
            key=key, name="", job=job, lock=several[0] if several else None,
            locks=list(several) if len(several) > 1 else None, concurrency=way.word, at_most=way.limit,
            queue=way.queue, over=way.over, cause=by[0], actor=by[1],
            definition={"retries": RETRIES}, created_at=0.0,
        )  # fmt: skip

        def ask(session: Session) -> None:
            why = admission.refusal(session, job, way)
            there = select(Run).where(RUN.job == job, RUN.state != State.FINISHED, RUN.hold.is_(None))
            mates = [run for run in session.scalars(there) if way.queue is None or meet(run, draft)]
            forbidden = (way.over or way.word) == "forbid"
            assert (why is not None) == (forbidden and len(mates) >= (way.limit or 1))
            if why is not None:
                return
            run = Run(**draft.model_dump())
            if held is not None:
                Holding(held, self.now + 30.0).put(run)
            if builds_first:
                build = Build(
                    key="", name="", image="shop", repository="acme/shop", commit=key, cause="api",
                    actor="token:a", created_at=0.0,
                )  # fmt: skip
                run.build_number = builds.need(session, build, now=self.now, nonce=key).identity
            runs.enqueue(session, run, [], now=self.now, nonce=key)

        self.write(ask)

    @rule(owner=OWNERS)
    def claim(self, owner: str) -> None:
        got = self.write(lambda s: runs.claim(s, owner=owner, now=self.now, lease=LEASE, limit=LIMIT))
        assert all(run.admitted for run in got)

    @rule(pick=PICK)
    def carry(self, pick: int) -> None:
        """Whoever holds a run brings it one step further: starting, running, finished."""
        if held := [run for run in self.unfinished() if run.lease_owner is not None]:
            run = held[pick % len(held)]
            owner = run.lease_owner or ""
            if run.state in (State.WAITING, State.BUILDING):
                self.write(lambda s: attempts.begin(s, run.identity, owner=owner))
            else:
                to = State.RUNNING if run.state == State.STARTING else State.FINISHED
                self.write(lambda s: runs.move(s, run.identity, to, owner=owner, now=self.now))

    @rule(pick=PICK, pause=st.sampled_from([1.0, 30.0]))
    def attempt_fails(self, pick: int, pause: float) -> None:
        """The attempt of a run ends, and there is another unless it was the last or somebody stops it."""
        if held := [run for run in self.unfinished() if run.lease_owner and run.state in ACTIVE]:
            run = held[pick % len(held)]
            owner, again = run.lease_owner or "", pause if run.attempt <= RETRIES else None
            ended = self.write(
                lambda s: attempts.end(
                    s, run.identity, run.attempt, owner=owner, now=self.now, pause=again, result="failed"
                )
            )
            assert ended is not None
            goes_on = again is not None and run.stop_by is None and run.state != State.STOPPING
            assert ended.state == (State.WAITING if goes_on else State.FINISHED)
            assert ended.admitted  # nobody takes its turn or its lock between two attempts
            if goes_on:
                assert (ended.due_at, ended.lease_owner) == (self.now + pause, None)

    @rule(pick=PICK)
    def finish(self, pick: int) -> None:
        if held := [run for run in self.unfinished() if run.lease_owner is not None]:
            run = held[pick % len(held)]
            self.end(run, "cancelled" if run.stop_by else "succeeded")

    def end(self, run: Run, result: str) -> None:
        owner = run.lease_owner or ""
        ended = self.write(
            lambda s: runs.move(s, run.identity, State.FINISHED, owner=owner, now=self.now, result=result)
        )
        assert ended is not None
        replaced = result == "cancelled" and (run.stop_by or "").startswith("run:")
        assert message(ended) == (f"Replaced by #{(run.stop_by or '')[4:]}." if replaced else None)

    @rule(pick=PICK)
    def is_stopping(self, pick: int) -> None:
        """Who carries a run heard that it is to stop."""
        asked = [run for run in self.unfinished() if run.stop_by and run.lease_owner and run.state in ACTIVE]
        if asked:
            run = asked[pick % len(asked)]
            owner = run.lease_owner or ""
            self.write(lambda s: runs.move(s, run.identity, State.STOPPING, owner=owner, now=self.now))

    @rule(pick=PICK)
    def image_is_gone(self, pick: int) -> None:
        waits = [
            run for run in self.unfinished() if run.state == State.WAITING and run.lease_owner and run.digest
        ]
        if waits:
            run = waits[pick % len(waits)]
            owner, nonce = run.lease_owner or "", f"again-{next(self._numbers)}"
            self.write(lambda s: builds.again(s, run.identity, owner=owner, now=self.now, nonce=nonce))

    @rule(good=st.booleans(), ends=st.booleans())
    def build(self, good: bool, ends: bool) -> None:
        def make(session: Session) -> None:
            for build in builds.claim(session, owner="builder", now=self.now, lease=0.0, limit=1):
                builds.move(session, build.identity, State.BUILDING, owner="builder", now=self.now)
                result, digest = ("succeeded", "sha") if good else ("failed", None)
                if ends:
                    builds.move(
                        session, build.identity, State.FINISHED, owner="builder", now=self.now,
                        result=result, digest=digest,
                    )  # fmt: skip

        self.write(make)

    @rule(pick=PICK)
    def stop(self, pick: int) -> None:
        if open_ := self.unfinished():
            number = open_[pick % len(open_)].identity
            self.write(lambda s: runs.request_stop(s, number, by="github:b", now=self.now))

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        if held := [run for run in self.unfinished() if run.hold is not None]:
            run = held[pick % len(held)]
            kind = Hold(run.hold or "")
            self.write(lambda s: holds.release(s, run.identity, kind, now=self.now))

    @rule()
    def start_anew(self) -> None:
        self.write(leases.release_all)
        self.write(lambda s: admission.sweep(s, now=self.now))

    @rule(what=TARGETS, life=st.sampled_from([None, 5.0, 50.0]), owner=st.sampled_from([None, OWNER]))
    def lock(self, what: str, life: float | None, owner: str | None) -> None:
        until = None if life is None else self.now + life
        lock = Lock(target=what, actor="github:a", created_at=self.now, until=until, person=owner)
        self.write(lambda s: locks.add(s, lock, now=self.now))

    @rule(what=TARGETS)
    def unlock(self, what: str) -> None:
        self.write(lambda s: locks.remove(s, what, now=self.now))

    @rule(seconds=st.sampled_from([1.0, 6.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    # What always holds ----------------------------------------------------------------------------

    @invariant()
    def no_run_is_lost_and_none_goes_back(self) -> None:
        """What has ended has ended, and what has begun only waits again for another attempt of it."""
        found = {run.identity: run for run in self.write(lambda s: list(s.scalars(select(Run))))}
        kept = self.write(lambda s: attempts.of_runs(s, list(found)))
        for number, (state, ended) in self.seen.items():
            now = found[number]
            assert state != State.FINISHED or now.state == State.FINISHED, now
            if state in ACTIVE and now.state not in (*ACTIVE, State.FINISHED):
                assert len(kept[number]) == ended + 1, now
        for number, run in found.items():
            assert [each.attempt for each in kept[number]] == list(range(1, len(kept[number]) + 1))
            assert len(kept[number]) <= run.attempt <= len(kept[number]) + 1 <= RETRIES + 2
        self.seen = {number: (State(run.state), len(kept[number])) for number, run in found.items()}

    @invariant()
    def none_that_exclude_each_other_are_admitted(self) -> None:
        admitted = [run for run in self.unfinished() if run.admitted]
        assert not [(a.number, b.number) for a, b in combinations(admitted, 2) if share_a_lock(a, b)]
        for run in admitted:
            limit = limit_of(run)
            assert limit is None or sum(meet(run, other) for other in admitted) <= limit, run

    @invariant()
    def locks_of_several_are_held_by_who_was_let_through(self) -> None:
        rows = self.write(lambda s: list(s.scalars(select(RunLock))))
        several = [run for run in self.unfinished() if run.locks]
        kept = {(run.identity, lock, run.admitted) for run in several for lock in run.locks or ()}
        assert {(row.run_number, row.target, row.held) for row in rows} == kept

    @invariant()
    def nobody_begins_without_the_gate(self) -> None:
        for run in self.unfinished():
            assert run.admitted or run.state in (State.WAITING, State.BUILDING)
            assert run.admitted or run.lease_owner is None
            assert run.hold is not None or run.admitted == (run.due_at < admission.CLOSED)
            assert run.hold is None or not run.admitted

    @invariant()
    def whoever_is_ready_and_waits_has_a_cause_that_is_told(self) -> None:
        """What could go is let through at once, so nobody waits for an event that never comes."""
        self.write(lambda s: locks.expire(s, now=self.now))
        for run in self.unfinished():
            ready = run.build_number is None or run.digest is not None
            if run.admitted or not ready or run.hold is not None:
                continue
            each = run
            assert self.write(lambda s, each=each: admission.waits_for(s, each, now=self.now)), run  # type: ignore[misc]
            assert run.waiting_for, run

    def teardown(self) -> None:
        """With locks opened and builds made, every run gets its turn in the end, whoever died."""
        try:
            for target in ("prod", "db", "one", EVERYTHING):
                self.unlock(target)
            while any(run.hold is not None for run in self.unfinished()):
                self.release(0)
            for _ in range(200):
                if not self.unfinished():
                    return
                self.now += 30.0  # longer than leases and pauses
                self.build(good=True, ends=True)
                for run in self.write(
                    lambda s: runs.claim(s, owner="first", now=self.now, lease=LEASE, limit=LIMIT)
                ):
                    self.end(run, "succeeded")
            raise AssertionError(f"these wait for ever: {self.unfinished()}")
        finally:
            self._database.close()
            self._directory.cleanup()


TestGate = Gate.TestCase
TestGate.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
