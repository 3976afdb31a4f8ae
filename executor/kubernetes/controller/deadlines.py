"""When a run or a build has to have started, and when it has to have ended. Pure."""

import math

from executor.kubernetes.controller.stopping import Stop
from executor.kubernetes.watching.outcomes import Reading, Runs, Waits
from executor.kubernetes.watching.states import Job
from executor.spec import Result

_COARSE = 1.0
"""Seconds by which a time of the API may be before the true one: it has no fractions."""


class Deadlines:
    """The times of one Job, in seconds; those that are told it are since the epoch.

    They count from when its Job was made and its container was seen to start, where this process was there,
    and from what the API says elsewhere.
    """

    def __init__(self, timeout: float, pending_timeout: float) -> None:
        self.due = math.inf  # when to look at them again
        self._timeout = timeout
        self._pending_timeout = pending_timeout
        self._created: float | None = None
        self._started: float | None = None
        self._waited = False
        self._vain: tuple[str, float] | None = None  # for what it waits in vain, and since when

    def created(self, now: float) -> None:
        """Its Job was made just now."""
        self._created = now

    def step(self, job: Job, reading: Reading, now: float) -> Stop | None:
        """Tell what it is to be stopped for by now, if so."""
        if isinstance(reading, Runs):
            if self._started is None:
                self._started = now if self._waited else reading.at + _COARSE
            self.due = self._started + self._timeout
            late = Stop(Result.TIMED_OUT, "DeadlineExceeded")
        elif isinstance(reading, Waits):
            self._waited = True
            self.due = (self._created or job.created_at + _COARSE) + self._pending_timeout
            late = Stop(Result.ERROR, reading.reason, f"It did not start in time: {reading.words}")
            if (until := self._until(reading, now)) < self.due:
                self.due, late = (
                    until,
                    Stop(Result.ERROR, reading.reason, f"It cannot start: {reading.words}"),
                )
        else:
            return None
        return late if now >= self.due else None

    def _until(self, reading: Waits, now: float) -> float:
        """Give the time until which it may wait for this, as far as that has seconds of its own."""
        if math.isinf(reading.patience):
            self._vain = None
            return math.inf
        if self._vain is None or self._vain[0] != reading.reason:
            self._vain = (reading.reason, now)
        return self._vain[1] + reading.patience
