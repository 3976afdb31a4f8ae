"""Places for what waits: so many, given in the order in which they were asked for.

As `asyncio.Semaphore`, which makes a coroutine and a generator for each: that is felt at thousands a second.
"""

import asyncio
from collections import deque


class Places:
    """`free` places, for the tasks of one event loop."""

    def __init__(self, free: int) -> None:
        self._free = free  # none while somebody waits
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take one that is free; False where none is."""
        if self._free < 1:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Take one as soon as it is this task's turn."""
        if self.take():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came, and nobody is left to use it
                self.give_back(1)
            raise

    def give_back(self, count: int) -> None:
        """So many are free again, and go to who has waited longest."""
        self._free += count
        while self._free and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
