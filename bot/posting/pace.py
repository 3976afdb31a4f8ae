"""Whose turn it is to be written at GitHub or in a channel of Slack: some at once, then one at a time.

GitHub wants a second between two writes, or stops them all for minutes:
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

BURST = 10
"""What is written at once where nothing was for a while: no word of one command waits.

With one a second after that it is below the 80 a minute from which on GitHub refuses.
"""
OLDEST = 4
"""Of so many turns in a row one is for who waits longest: the newest come first, and none waits for ever."""
ACCOUNTS = 1000
"""Accounts that are remembered."""


@dataclass(slots=True)
class _Queue:
    """Those who wait for one account; `turns` may be taken at once, as of `at`."""

    at: float
    turns: float
    grants: int = 0
    waiting: dict[asyncio.Future[None], tuple[bool, int]] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None


class Pace:
    """Gives turns, one in `seconds` for each account, and `burst` at once where nothing was for a while.

    `clock` counts seconds and never goes back.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], *, burst: int = BURST) -> None:
        self._seconds = seconds
        self._burst = burst
        self._clock = clock
        self._queues: dict[str, _Queue] = {}

    async def turn(self, account: str, number: int, *, first: bool) -> bool:
        """Wait for one. Of those who wait whoever says something for the `first` time comes before those who
        correct what they said; then the higher `number`. Gives whether there was anything to wait for.
        """
        if self._seconds <= 0:
            return False
        queue = self._queue(account)
        self._refill(queue)
        if queue.turns >= 1 and not queue.waiting:
            queue.turns -= 1
            return False
        mine = asyncio.get_running_loop().create_future()
        queue.waiting[mine] = (not first, -number)
        self._wake(queue)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                queue.turns += 1  # it was given already
            self._wake(queue)
            raise
        return True

    def _queue(self, account: str) -> _Queue:
        found = self._queues.get(account)
        if found is None:
            for name in [name for name, each in self._queues.items() if self._is_idle(each)]:
                if len(self._queues) < ACCOUNTS:
                    break
                del self._queues[name]
            found = self._queues[account] = _Queue(self._clock(), self._burst)
        return found

    def _is_idle(self, queue: _Queue) -> bool:
        return not queue.waiting and self._clock() - queue.at >= self._burst * self._seconds

    def _refill(self, queue: _Queue) -> None:
        now = self._clock()
        queue.turns = min(queue.turns + max(now - queue.at, 0.0) / self._seconds, self._burst)
        queue.at = now

    def _wake(self, queue: _Queue) -> None:
        """Give the turns that there are, and come back when there is the next."""
        self._refill(queue)
        for gone in [each for each in queue.waiting if each.cancelled()]:
            del queue.waiting[gone]
        while queue.waiting and queue.turns >= 1:
            queue.turns -= 1
            queue.grants += 1
            longest, best = next(iter(queue.waiting)), min(queue.waiting, key=queue.waiting.__getitem__)
            chosen = longest if queue.grants % OLDEST == 0 else best
            del queue.waiting[chosen]
            chosen.set_result(None)
        if queue.timer is not None:
            queue.timer.cancel()
            queue.timer = None
        if queue.waiting:
            delay = (1 - queue.turns) * self._seconds
            queue.timer = asyncio.get_running_loop().call_later(delay, self._wake, queue)
