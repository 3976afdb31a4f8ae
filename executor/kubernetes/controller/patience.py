"""Asks again for what has no room yet or is refused for now, as long as a run may wait for its start."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from executor.errors import EngineUnavailable
from executor.kubernetes.refusals import Deferral
from executor.outcomes import RunEnded, error
from executor.spec import Outcome, Result

_AGAIN, _SLOWEST = 1.0, 30.0
"""Seconds before something is asked for again, at first and at most."""

_T = TypeVar("_T")


class Hold(Exception):
    """What is asked for has no room yet: `reason` and `words` are those of the end that comes of it."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


class Patience:
    """The seconds that a run may wait, which begin now; `waits` is told why it does, `stopped` ends it.

    `first`: seconds before something is asked for again, doubled each time.
    """

    def __init__(
        self,
        seconds: float,
        waits: Callable[[str], None],
        stopped: asyncio.Event,
        *,
        first: float = _AGAIN,
    ) -> None:
        self._first = first
        self._until = asyncio.get_running_loop().time() + seconds
        self._waits = waits
        self._stopped = stopped

    def check(self) -> None:
        """Raise `RunEnded` where it is stopped already."""
        if self._stopped.is_set():
            raise RunEnded(Outcome(Result.CANCELLED))

    async def of(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Give what `ask` gives, which raises `Hold` or `Deferral` while there is nothing to give.

        Raises `RunEnded` once it has waited long enough, or is stopped meanwhile, and what else `ask` raises:
        EngineUnavailable where the server does not answer at all, which says nothing of the run.
        """
        delay, end = self._first, EngineUnavailable("the API server of Kubernetes takes too long")
        last: Exception = end
        try:
            async with asyncio.timeout_at(self._until):
                while True:
                    least = 0.0
                    try:
                        return await ask()
                    except Hold as hold:
                        last = error(hold.reason, hold.words)
                        self._waits(hold.words)
                    except Deferral as deferral:
                        last, least = _end(deferral), deferral.later
                        self._waits(str(deferral))
                    if await _happens(self._stopped, max(delay, least)):
                        raise RunEnded(Outcome(Result.CANCELLED))
                    delay = min(2 * delay, _SLOWEST)
        except TimeoutError as problem:
            raise last from problem


def _end(deferral: Deferral) -> RunEnded:
    reason = "CreateForbidden" if deferral.is_of_right else "CreateDeferred"
    return error(reason, deferral.refused.message)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most `seconds`; False if it did not come."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
