"""GitHub's limits: who may not ask now, until when, and how much is left.

A limit of the hour is one of a kind of request (`resource`), a secondary one stops all. Nobody sleeps here: a
call that may not be made fails unsent, and says in how many seconds to ask again.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.errors import RetryLater
from bot.telemetry.metrics import RATE_REMAINING

LONGEST_DELAY = 300.0
"""Seconds; whoever waits asks again then."""
LONGEST_HOLD = 3600.0
"""Seconds after which a limit is asked about anew, whatever GitHub said of it: its own are of an hour."""
SECONDARY_DELAY = 60.0
"""Seconds, GitHub's minimum where it names no time; twice as many each time in a row."""
KEPT = 1000
"""Credentials that are remembered."""
_ALL = "all"


class Limits:
    """What GitHub said of each credential, by the name that it has in `bot.github.credentials`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[tuple[str, str], float] = {}
        self._strikes: dict[str, int] = {}
        self._left: dict[tuple[str, str], tuple[int, float]] = {}

    def require(self, who: str, resource: str) -> None:
        """`RetryLater` while `who` has used up a limit that counts for `resource`."""
        until = max(self._until.get((who, part), 0.0) for part in (resource, _ALL))
        delay = until - self._clock()
        if delay > 0:
            raise RetryLater(f"GitHub's rate limit for {who} is used up", delay=min(delay, LONGEST_DELAY))

    def took(self, who: str, resource: str, headers: Mapping[str, str]) -> None:
        """GitHub answered: what it says is left."""
        self._strikes.pop(who, None)
        self._note(who, resource, headers)

    def refused(self, who: str, resource: str, answer: tuple[int, Mapping[str, str], str]) -> float | None:
        """Seconds to wait where the answer (status, headers, message) is a limit's, else None."""
        status, headers, message = answer
        if status not in (403, 429):
            return None
        self._note(who, resource, headers)
        delay = seconds(headers.get("retry-after"), LONGEST_HOLD)
        if delay is not None:
            return self._hold(who, _ALL, delay)
        if headers.get("x-ratelimit-remaining") == "0":
            return self._hold(who, resource, self._until_reset(headers))
        if status == 429 or "rate limit" in message.lower():
            strikes = self._strikes.get(who, 0)
            self._strikes[who] = strikes + 1
            return self._hold(who, _ALL, min(SECONDARY_DELAY * 2 ** min(strikes, 10), LONGEST_DELAY))
        return None

    def _hold(self, who: str, resource: str, delay: float) -> float:
        delay = max(delay, 1.0)
        _bound(self._until)
        self._until[who, resource] = self._clock() + delay
        return min(delay, LONGEST_DELAY)

    def _until_reset(self, headers: Mapping[str, str]) -> float:
        reset = seconds(headers.get("x-ratelimit-reset"), float("inf"))
        return SECONDARY_DELAY if reset is None else min(reset - self._clock(), LONGEST_HOLD)

    def _note(self, who: str, resource: str, headers: Mapping[str, str]) -> None:
        """Show what is left, of several installations the least; where that is nothing, send no more."""
        left = seconds(headers.get("x-ratelimit-remaining"), float("inf"))
        if left is None:
            return
        now, until = self._clock(), self._until_reset(headers)
        _bound(self._left)
        self._left[who, resource] = (int(left), now + until)
        if left == 0 and until > 0:
            self._hold(who, resource, until)
        alike = [
            count
            for (each, part), (count, ends) in self._left.items()
            if (part, _kind(each)) == (resource, _kind(who)) and (ends > now or each == who)
        ]
        RATE_REMAINING.labels(_kind(who), resource).set(min(alike))


def _kind(who: str) -> str:
    """`app`, `installation`, `token`, `client`, `person` or `nobody`."""
    return who.removeprefix("the ").split()[0]


def _bound(kept: dict[tuple[str, str], Any]) -> None:
    while len(kept) >= KEPT:
        del kept[next(iter(kept))]


def seconds(text: str | None, most: float) -> float | None:
    """A header's whole number, capped; None where it holds none."""
    if text is None or not text.isdecimal() or len(text) > 12:
        return None
    return min(float(text), most)
