"""When a Job has to be stopped, and how: the node sends SIGTERM, after the pod's own grace SIGKILL.

What it is stopped for is noted at the Job first, so that every bot tells the same outcome. Where there is no
pod yet the Job is suspended, and gets none.
"""

import asyncio
import math
from dataclasses import dataclass, replace
from typing import Any

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.controller.masking import Mask
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import JOBS, PODS, REASON, STOP, WORDS
from executor.kubernetes.watching.outcomes import OVERDUE, Reading, Runs, Waits
from executor.kubernetes.watching.states import Job, Pod
from executor.progress import ProgressFeed
from executor.spec import Result

_COARSE = 1.0
"""Seconds by which a time of the API may be before the true one: it has no fractions."""
_AGAIN = 10.0
"""Seconds after which what was asked for and is not seen is asked for once more."""

ALONE = "SIGTERM went to the job's first process only: its image has no sh with kill."


@dataclass(frozen=True, slots=True)
class Stop:
    """Why: the result, with the `reason` and the sentence of its outcome, if there are any."""

    result: Result
    reason: str = ""
    words: str = ""


def noted(job: Job) -> Stop | None:
    """Give what a Job is stopped for already."""
    return Stop(Result(job.stop), job.reason, job.words) if job.stop in set(Result) else None


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


class Stopper:
    """Has one Job stopped when its time is up or when `stopped`, and remembers that it did."""

    def __init__(
        self, client: Client, deadlines: Deadlines, feed: ProgressFeed, mask: Mask, stopped: asyncio.Event
    ) -> None:
        self._client = client
        self._deadlines = deadlines
        self._feed = feed
        self._mask = mask
        self._stopped = stopped
        self.why: Stop | None = None  # for what it was stopped here
        self._request: tuple[str, float] = ("", -math.inf)  # for which pod a stop was requested, and when

    def created(self, now: float) -> None:
        """Its Job was made just now."""
        self._deadlines.created(now)

    async def step(self, job: Job, pod: Pod | None, reading: Reading, now: float, due: float) -> float:
        """Do what is due; gives the seconds until something is, `due` at the latest.

        Raises EngineUnavailable.
        """
        if pod is not None and pod.deleted_at is not None:
            due = min(due, pod.deleted_at + OVERDUE + 1.0)
        why = noted(job)
        if why is None:
            is_asked = self._stopped.is_set()
            why = Stop(Result.CANCELLED) if is_asked else self._deadlines.step(job, reading, now)
            due = min(due, self._deadlines.due)
        if why is None:
            return max(due - now, 0.0)
        about = pod.uid if pod is not None else ""
        if self._request[0] != about or now >= self._request[1] + _AGAIN:
            why = replace(why, words=self._mask.sentence(why.words))
            try:
                await stop(self._client, job, pod, why)
            except EngineUnavailable as problem:
                words = f"It is stopped as soon as the API server takes that: {problem}."
                self._feed.wait(self._mask.sentence(words))
                return min(problem.delay, _AGAIN)
            except Refused as refused:
                raise EngineUnavailable(f"a Job could not be stopped: {refused.message}") from refused
            self._request, self.why = (about, now), why
            self._feed.resume()
        later = self._request[1] + _AGAIN
        return max(min(due if due > now else later, later) - now, 0.1)


async def stop(client: Client, job: Job, pod: Pod | None, why: Stop) -> None:
    """Do what is left to do; raises EngineUnavailable, and `Refused` where that is not allowed."""
    change: dict[str, Any] = {}
    if not job.stop:
        notes = {STOP: why.result.value, REASON: why.reason or None, WORDS: why.words or None}
        change["metadata"] = {"annotations": notes}
    if pod is None and not (job.stop and job.is_suspended):
        change["spec"] = {"suspend": True}
    if change:
        await client.change(JOBS, job.namespace, job.name, change)
    if pod is not None and pod.deleted_at is None and not pod.has_ended:
        await client.delete(PODS, pod.namespace, pod.name)
