"""One run or build as this process attends it, shared by all who ask for it here."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from executor.kubernetes.controller import creating, stopping
from executor.kubernetes.controller.creating import BegunJob, Patience
from executor.kubernetes.controller.log_collector import PodLogs
from executor.kubernetes.controller.masking import Mask
from executor.kubernetes.controller.orders import RunOrder, RunResources
from executor.kubernetes.controller.reports import ReportReader
from executor.kubernetes.controller.stopping import Deadlines, Stopper
from executor.kubernetes.watching import outcomes
from executor.kubernetes.watching.cluster import NamespaceView
from executor.kubernetes.watching.outcomes import Reading, Runs, Waits
from executor.kubernetes.watching.states import Job, Pod
from executor.outcomes import LOST, RunEnded
from executor.progress import ProgressFeed
from executor.reports import reading
from executor.spec import Outcome, Progress
from executor.threads import shielded

_USUAL = 1.0
"""Seconds that what every run waits for has to stand until it is told: mostly it has passed by then."""
_SEEN = 5.0
"""Seconds in which the pod of a Job that failed has to be seen."""


class RunController:
    """Creates the Job or attaches to it, keeps its log, stops it in time, and tells how it ended.

    Any number of processes may do that at once: all ask for the same, and one of them writes the log.
    """

    def __init__(self, order: RunOrder, tools: RunResources) -> None:
        self.users = 0
        self._order = order
        self._tools = tools
        self._feed = ProgressFeed()
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._mask = Mask()
        deadlines = Deadlines(order.timeout, order.pending_timeout)
        self._stopper = Stopper(tools.cluster.client, deadlines, self._feed, self._mask, self._stopped)
        self._job: Job | None = None
        self._pod: Pod | None = None
        self._usual: tuple[str, float] = ("", math.inf)  # what it waits for as every run does, and since when
        self._failed_at = math.inf
        self._reader: ReportReader | None = None
        self._task = asyncio.create_task(self._live())
        self._task.add_done_callback(lambda _: self._feed.changed())

    def wake(self) -> None:
        """Say that something about it has changed."""
        self._woken.set()
        if self._reader is not None:
            self._reader.look()

    def stop(self) -> None:
        """Have it stopped, now or as soon as there is something to stop."""
        self._stopped.set()
        self._woken.set()

    def story(self) -> AsyncIterator[Progress]:
        """Give what happened and what happens; raises EngineUnavailable."""
        return self._feed.follow(self._task)

    async def close(self) -> None:
        """Leave it, which goes on."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        order, tools, mask = self._order, self._tools, self._mask
        await mask.add_secrets(order.secrets)
        patience = Patience(order.pending_timeout, self._wait, self._stopped)
        begun: BegunJob | Outcome
        try:
            begun = await creating.begin(order, tools, mask, patience)
        except RunEnded as ended:
            begun = ended.outcome
        logs = PodLogs(order.key, tools.desk, lambda: self._pod, mask.values)
        space = None if isinstance(begun, Outcome) else begun.space
        # It goes on after the end of the job, and has to see its pod as that is then.
        reader = self._reader = ReportReader(
            tools.cluster.client, lambda: (space and space.pod(order.name)) or self._pod, self._advance
        )
        try:
            outcome = begun if isinstance(begun, Outcome) else await self._attend(begun, logs.look)
            outcome = replace(outcome, message=outcome.message and mask.sentence(outcome.message))
            notes = self._notes(outcome)
            problem, contents = await asyncio.gather(logs.end(notes), reader.end())
        finally:
            await logs.close()
            await reader.close()
        outcome = await shielded(lambda: reading.reported(outcome, contents, mask.values))
        if problem:
            outcome = replace(outcome, message=" ".join(filter(None, (outcome.message, problem))))
        if outcome.started_at is not None:
            self._feed.start(outcome.started_at)
        self._feed.outcome = outcome
        self._feed.changed()

    def _advance(self, content: bytes) -> None:
        if (headway := self._mask.headway(content)) is not None:
            self._feed.advance(headway)

    def _wait(self, words: str) -> None:
        self._feed.wait(self._mask.sentence(words))

    async def _attend(self, begun: BegunJob, look: Callable[[], None]) -> Outcome:
        """Tell what becomes of it and stop it in time, until it has ended; raises EngineUnavailable.

        `look` is called whenever its pod may be another.
        """
        job, space = begun.job, begun.space
        if begun.is_new:
            self._stopper.created(self._tools.clock())
        while True:
            self._woken.clear()
            now, quiet = self._tools.clock(), math.inf
            job, reading = await self._read(space, space.job(job.name) or job, now)
            look()
            match reading:
                case Outcome():
                    return self._order.finish(reading, self._pod.last_words if self._pod is not None else "")
                case Runs():
                    self._feed.start(reading.at)
                case Waits() if not job.stop:
                    quiet = self._tell(reading, now)
            due = self._failed_at + _SEEN
            wait = min(await self._stopper.step(job, self._pod, reading, now, due), quiet)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, 86_400.0)):
                    await self._woken.wait()

    def _tell(self, waits: Waits, now: float) -> float:
        """Tell what it waits for, trouble at once; gives the seconds until there is something to tell."""
        if not waits.is_usual:
            self._wait(waits.words)
            return math.inf
        if self._usual[0] != waits.words:
            self._usual = (waits.words, now)
        left = self._usual[1] + _USUAL - now
        if left > 0:
            return left
        self._wait(waits.words)
        return math.inf

    async def _read(self, space: NamespaceView, job: Job, now: float) -> tuple[Job, Reading]:
        """Read what has become of it; asks the server where somebody deleted what ended.

        It may not be known yet that a stop was asked for: the watch of pods may be ahead of that of Jobs.
        """
        why = self._stopper.why
        if why is not None and not job.stop:
            job = replace(job, stop=why.result.value, reason=why.reason, words=why.words)
        reading = self._seen(space, job, now)
        is_deleted = self._pod is not None and self._pod.deleted_at is not None
        if isinstance(reading, Outcome) and not job.stop and (is_deleted or reading.reason == LOST):
            job = await space.ask(job.name) or job
            reading = self._seen(space, job, now)
        self._job = job
        return job, reading

    def _seen(self, space: NamespaceView, job: Job, now: float) -> Reading:
        """Read what is known of it, also where what would say more is gone."""
        pod, last = space.pod(job.name), self._pod
        self._pod = pod or last
        reading = outcomes.read(job, self._pod, space.warnings(job.name, self._pod), now)
        if isinstance(reading, Outcome) or pod is not None:
            return reading
        words = ""
        if last is not None:
            words = "Its pod was deleted by somebody else while it ran."
        elif space.job(job.name) is None:
            words = "Its Job was deleted by somebody else before it started."
        elif job.failed is not None:
            self._failed_at = min(self._failed_at, now)
            if now >= self._failed_at + _SEEN:
                words = f"It has no pod: {job.failed[1] or job.failed[0]}"
        return outcomes.vanished(job, words) if words else reading

    def _notes(self, outcome: Outcome) -> list[str]:
        """Give the lines of Errand's own at the end of its log."""
        if outcome.started_at is None:  # nothing else says it
            return [outcome.message] if outcome.message else []
        pod, stopped = self._pod, self._job is not None and self._job.stop
        is_alone = stopped and pod is not None and pod.has_hook and not pod.is_signalled
        return [stopping.ALONE] if is_alone else []
