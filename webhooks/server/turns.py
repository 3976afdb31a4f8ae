"""Turns for connections that have more to be done than others: a few in each round of the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable

AT_ONCE = 8
"""Turns in one round. The loop takes one new connection in each, so a long round keeps everybody waiting."""


class Turns:
    """Calls what it is given, in order, a few in each round of the loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._has_round = False

    def add(self, call: Callable[[], None]) -> None:
        """Calls it when its turn comes."""
        self._waiting.append(call)
        self._ask_for_round()

    def _round(self) -> None:
        self._has_round = False
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._waiting.popleft()()
        if self._waiting:
            self._ask_for_round()

    def _ask_for_round(self) -> None:
        if not self._has_round:
            self._has_round = True
            asyncio.get_running_loop().call_soon(self._round)
