"""What Slack does not take at the moment: each method in each channel waits by itself.

Slack limits a method of a workspace, and posting in a channel; the 429 names neither, so what it was asked
for counts: https://docs.slack.dev/apis/web-api/rate-limits
"""

from collections.abc import Callable

MOST = 1000
"""Holds that are kept; of more than these the one that ends first is forgotten."""

Place = tuple[str, str]
"""A method, and the channel that it was called for (empty where it is of none)."""


class Holds:
    """Until when what is not to be called; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[Place, float] = {}

    def add(self, place: Place, seconds: float) -> None:
        """Hold `place` for so long from now on."""
        now = self._clock()
        if len(self._until) >= MOST and place not in self._until:
            self._until = {each: until for each, until in self._until.items() if until > now}
            if len(self._until) >= MOST:
                del self._until[min(self._until, key=self._until.__getitem__)]
        self._until[place] = now + seconds

    def left(self, place: Place) -> float:
        """For how many seconds more `place` is held; 0 where it is not."""
        until = self._until.get(place)
        if until is None:
            return 0.0
        seconds = until - self._clock()
        if seconds <= 0:
            del self._until[place]
            return 0.0
        return seconds
