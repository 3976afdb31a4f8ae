"""Turns to write at GitHub: a few at once, then one a second, the newest first, and none waits for ever."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.posting.pace import BURST, Pace


class Time:
    """A clock that goes as far as timers were set, at once."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def __call__(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        self.timers.append((self.now + delay, call, arguments))
        return asyncio.get_running_loop().call_at(1e9, lambda: None)

    async def go(self) -> None:
        """To the next timer."""
        due, call, arguments = self.timers.pop()
        self.timers.clear()
        self.now = due
        call(*arguments)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", lambda self, *rest: made.call_later(*rest))
    return made


async def _asked(pace: Pace, turns: list[tuple[int, bool]], said: list[int]) -> list[asyncio.Task[None]]:
    async def one(number: int, first: bool) -> None:
        await pace.turn("acme", number, first=first)
        said.append(number)

    tasks = [asyncio.create_task(one(number, first)) for number, first in turns]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_a_few_go_at_once_and_then_one_in_each_second(time: Time) -> None:
    pace, said = Pace(1.0, time), list[int]()
    await _asked(pace, [(number, False) for number in range(BURST + 3)], said)
    assert len(said) == BURST
    for more in (1, 2, 3):
        await time.go()
        assert (len(said), time.now) == (BURST + more, 100.0 + more)
    time.now += 60
    await _asked(pace, [(number, False) for number in range(20, 20 + BURST + 1)], said)
    assert len(said) == 2 * BURST + 3  # what was not used is not saved up


async def test_first_word_comes_before_edits_and_the_newest_before_the_older(time: Time) -> None:
    pace, said = Pace(1.0, time), list[int]()
    await _asked(pace, [(0, False)] * BURST, said)
    await _asked(pace, [(1, False), (3, False), (2, True), (9, False)], said)
    for _ in range(4):
        await time.go()
    assert said[BURST:] == [2, 9, 3, 1]


async def test_whoever_waits_longest_is_not_passed_for_ever(time: Time) -> None:
    pace, said = Pace(1.0, time), list[int]()
    await _asked(pace, [(0, False)] * BURST, said)
    await _asked(pace, [(1, False)], said)
    for number in range(2, 12):
        await _asked(pace, [(number, True)], said)
        await time.go()
    assert 1 in said


async def test_accounts_do_not_wait_for_each_other_and_a_cancelled_turn_is_the_next_one_s(time: Time) -> None:
    pace, said = Pace(1.0, time), list[int]()
    await _asked(pace, [(0, False)] * BURST, said)
    await asyncio.wait_for(pace.turn("other", 1, first=False), 1)
    gone, _ = await _asked(pace, [(9, False), (5, False)], said)
    gone.cancel()
    await time.go()
    assert said[BURST:] == [5]


async def test_without_a_pace_nobody_waits(time: Time) -> None:
    pace, said = Pace(0.0, time), list[int]()
    await _asked(pace, [(number, False) for number in range(100)], said)
    assert len(said) == 100
