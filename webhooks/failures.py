"""How often what proves who somebody is has failed, or was begun, from one address; forgotten in a minute."""

from collections import OrderedDict
from collections.abc import Callable

MOST_FAILURES = 10
"""Logins from one address in a minute that may fail before it has to wait."""
MINUTE = 60.0

_REMEMBERED = 1024


class Failures:
    """Counts logins that failed by address, for a minute; forgets the oldest address when there are many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def too_many(self, address: str) -> bool:
        """Whether this address has to wait."""
        now = self._clock()
        since, count = self._counts.get(address, (now, 0))
        return count >= MOST_FAILURES and now - since < MINUTE

    def add(self, address: str) -> None:
        """One more wrong token, or way back from GitHub that proves nobody."""
        now = self._clock()
        since, count = self._counts.pop(address, (now, 0))
        self._counts[address] = (now, 1) if now - since >= MINUTE else (since, count + 1)
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
