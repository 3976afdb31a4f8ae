"""Whatever happens in whatever order, nothing runs without the yes that its rule asked for.

Requests, yeses and noes through every door, expiry, changed definitions, moved heads, freezes, crashes, and
rights that are lost and come back: after each step a model of who said what, and to what, says which runs
may have been let through.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.handlers.authorization import RequestContext
from bot.states import Cause, State
from bot.store import Session, freezes, runs
from bot.tables import ManualFreeze
from tests.bot.handlers.approving import approve, approving, ask, deny, look, on_github, tell_of_pull
from tests.bot.house import SHOP, House

T = TypeVar("T")
PEOPLE = ("octocat", "hubber", "third", "fourth")
EXPIRES, COUNT = 600.0, 2
HEADS = ("c" * 40, "d" * 40)
DOORS = (Cause.COMMENT, Cause.CHECK, Cause.SLACK, Cause.PAGE)

people = st.sampled_from(PEOPLE)
CHANGES = st.one_of(
    st.tuples(st.just("time"), st.sampled_from([1.0, 200.0, 599.0])),
    st.tuples(st.just("definition"), st.integers(0, 1)),
    st.tuples(st.just("head"), st.sampled_from(HEADS)),
    st.tuples(st.just("frozen"), st.booleans()),
    st.tuples(people, st.booleans()),
)
"""What else may happen between two things that people do, each to whatever value."""


@dataclass
class Asked:
    """What a run was when it was asked for, and who has said yes to it since, as it counts."""

    asker: str
    at: float
    definition: int
    head: str | None
    yes: set[str] = field(default_factory=set)
    over: bool = False


@dataclass
class World:
    """A house that outlives one example, since making one takes longer than living in it."""

    home: House
    loop: asyncio.Runner
    definition: int = 0
    head: str = HEADS[0]
    frozen: bool = False
    may: set[str] = field(default_factory=lambda: set(PEOPLE))

    def do(self, work: Any) -> Any:
        return self.loop.run(work)

    def define(self, number: int) -> None:
        if number == self.definition:
            return
        file = self.home.home / "app.yaml"
        old, new = (f'"description": "version {each}"' for each in (self.definition, number))
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        self.do(self.home.reread())
        self.definition = number

    def move(self, head: str) -> None:
        self.home.github.add_pull(SHOP, 7, head, "topic")
        self.head = head
        self.do(tell_of_pull(self.home, head, "synchronize"))

    def let(self, login: str, may: bool) -> None:
        self.home.github.add_person(SHOP, login, "write" if may else "read")
        (self.may.add if may else self.may.discard)(login)

    def freeze(self, frozen: bool) -> None:
        def change(session: Session) -> None:
            if frozen:
                row = ManualFreeze(actor="github:octocat", created_at=self.home.now)
                freezes.begin(session, row, now=self.home.now)
            else:
                freezes.end(session, freezes.going(session, now=self.home.now), now=self.home.now)

        self.do(self.home.write(change))
        self.frozen = frozen


class Approvals(RuleBasedStateMachine):
    """People who ask and answer, and all that may change meanwhile."""

    world: ClassVar[World]
    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, Asked] = {}
        self.released: set[int] = set()

    @property
    def home(self) -> House:
        return self.world.home

    @initialize(target=asked)
    def begin(self) -> Any:
        world = self.world
        world.freeze(False)
        world.move(HEADS[0])
        for login in PEOPLE:
            world.let(login, True)
        self.first = int(world.do(self._last())) + 1
        return multiple(*(self._ask(PEOPLE[index % 2], index % 2 == 0) for index in range(3)))

    async def _last(self) -> int:
        rows = await self.home.store.read(lambda s: runs.page(s, limit=1))
        return rows[0].identity if rows else 0

    def _context(self, login: str, cause: Cause = Cause.COMMENT) -> RequestContext:
        context = on_github(login, cause=cause)
        return replace(context, actor=f"slack:{login}", place=None) if cause is Cause.SLACK else context

    # What people do -------------------------------------------------------------------------------

    @rule(target=asked, login=people, on_pull=st.booleans())
    def ask(self, login: str, on_pull: bool) -> Any:
        world = self.world
        if login not in world.may or world.frozen:
            return multiple()
        return self._ask(login, on_pull)

    def _ask(self, login: str, on_pull: bool) -> int:
        world = self.world
        pull = world.do(self.home.bot.host.required.pull(SHOP, 7)) if on_pull else None
        who = on_github(login, key=f"k{self.first}:{len(self.known)}:{self.home.now}", pull=pull)
        number = int(world.do(ask(self.home, who)))
        self.known[number] = Asked(login, self.home.now, world.definition, world.head if on_pull else None)
        return number

    @rule(number=asked, login=people, cause=st.sampled_from(DOORS), times=st.integers(1, 2))
    def approve(self, number: int, login: str, cause: Cause, times: int) -> None:
        for _ in range(times):
            self._approve(number, login, cause)

    def _approve(self, number: int, login: str, cause: Cause) -> None:
        world, run = self.world, self.known[number]
        said = world.do(approve(self.home, number, self._context(login, cause)))
        counts = "counts" in said and not said.startswith("no:") and "does not count" not in said
        if counts:
            assert not run.over, said
            assert number not in self.released, said
            assert login != run.asker, said
            assert login in world.may, said
            assert self._is_as_it_was(run), said
            assert self.home.now < run.at + EXPIRES, said
            run.yes.add(login)
        elif "does not count: since" in said.replace("\\", ""):
            assert not self._is_as_it_was(run), said
            run.over = True

    @rule(number=asked, cause=st.sampled_from(DOORS), change=st.one_of(st.none(), CHANGES))
    def all_approve(self, number: int, cause: Cause, change: tuple[str, Any] | None) -> None:
        """And it is looked at, as things are or have become in between."""
        for login in PEOPLE:
            self._approve(number, login, cause)
        if change is not None:
            self._change(*change)
        self.world.do(look(self.home))

    @rule(number=asked, login=people)
    def deny(self, number: int, login: str) -> None:
        said = self.world.do(deny(self.home, number, self._context(login)))
        if not said.startswith("no:"):
            assert login != self.known[number].asker
            assert login in self.world.may
            self.known[number].over = True

    # What else happens ----------------------------------------------------------------------------

    @rule(change=CHANGES)
    def change(self, change: tuple[str, Any]) -> None:
        self._change(*change)

    def _change(self, what: str, value: Any) -> None:
        world = self.world
        if what == "time":
            self.home.now += value
        elif what == "definition":
            world.define(value)
        elif what == "head":
            world.move(value)
        elif what == "frozen":
            world.freeze(value)
        else:
            world.let(what, value)

    @rule(bots=st.integers(1, 3))
    def look(self, bots: int) -> None:
        """Some bots look at what is held, none of which remembers anything: each began a moment ago."""

        async def together() -> None:
            await asyncio.gather(*(look(self.home) for _ in range(bots)))

        self.world.do(together())
        for number, run in self.known.items():
            row = self.world.do(self.home.run(number))
            assert row.hold is None or self._is_as_it_was(run), "what has changed voids it"

    @rule(number=asked)
    def crash_before_the_release_is_stored(self, number: int) -> None:
        """A bot that has asked everybody dies; another one finds what it left."""
        if number in self.released:
            return

        async def dies(_: Any) -> None:
            raise ConnectionError("killed")

        home, bot = self.home, self.home.bot
        bot.approvals.holds._approvals._store = _Dying(home.store)  # type: ignore[assignment]
        run = self.world.do(home.run(number))
        with suppress(ConnectionError):
            self.world.do(bot.approvals.holds.look(run))

    # What holds -----------------------------------------------------------------------------------

    def _is_as_it_was(self, run: Asked) -> bool:
        return run.definition == self.world.definition and run.head in (None, self.world.head)

    @invariant()
    def nothing_is_let_through_without_its_yes(self) -> None:
        if not hasattr(self, "first"):
            return
        world = self.world
        for number, run in self.known.items():
            row = world.do(self.home.run(number))
            through = row.hold is None and (row.state != State.FINISHED or row.started_at is not None)
            assert not (row.admitted and row.hold is not None)
            if row.state == State.FINISHED:
                run.over = True
            if not through or number in self.released:
                continue
            self.released.add(number)
            assert not world.frozen
            assert self._is_as_it_was(run)
            assert self.home.now < run.at + EXPIRES
            assert run.asker in world.may
            assert len({each for each in run.yes if each in world.may and each != run.asker}) >= COUNT
            assert len(row.approval["given"]) >= COUNT

    def teardown(self) -> None:
        """What waits still is ended, so that no example meets another's."""
        for number in self.known:
            self.world.do(self._end(number))

    async def _end(self, number: int) -> None:
        by, now = "github:octocat", self.home.now
        await self.home.write(lambda s: runs.request_stop(s, number, by=by, now=now))


class _Dying:
    """A store to which nothing is written any more."""

    def __init__(self, store: Any) -> None:
        self.read = store.read

    async def write(self, work: Any) -> Any:
        raise ConnectionError("killed")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    job = """
migrate: {image: shop, command: "true", description: "version 0", approval: %s}
"""
    with asyncio.Runner() as loop:
        stack = AsyncExitStack()
        rule_ = f"{{count: {COUNT}, expires: {int(EXPIRES)}s}}"
        home = loop.run(stack.enter_async_context(approving(tmp_path, rule_, job=job)))
        yield World(home, loop)
        loop.run(stack.aclose())


def test_nothing_runs_without_the_yes_that_its_rule_asked_for(world: World) -> None:
    Approvals.world = world
    run_state_machine_as_test(
        Approvals, settings=settings(max_examples=15, stateful_step_count=25, deadline=None)
    )
