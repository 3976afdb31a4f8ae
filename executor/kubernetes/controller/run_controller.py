"""One run or build as this process attends it, shared by all who ask for it here."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from executor.errors import EngineUnavailable
from executor.kubernetes.controller import creating, stopping
from executor.kubernetes.controller.beside import Beside
from executor.kubernetes.controller.creating import Created
from executor.kubernetes.controller.deadlines import Deadlines
from executor.kubernetes.controller.log_collector import LogResources, PodLogCollector
from executor.kubernetes.controller.orders import Order
from executor.kubernetes.controller.patience import Patience
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.kubernetes.controller.stopping import Stop
from executor.kubernetes.objects.pods import SIGNALLED
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import JOBS, name_of
from executor.kubernetes.watching import outcomes, states
from executor.kubernetes.watching.cluster import Cluster, Space
from executor.kubernetes.watching.outcomes import OVERDUE, Reading, Runs, Waits
from executor.kubernetes.watching.states import Job, Pod
from executor.logs.redaction import Redactor
from executor.outcomes import LOST, Ended, error, lost
from executor.progress import ProgressFeed
from executor.spec import Outcome, Pending, Progress, Result, Secret, Started
from executor.threads import shielded

_AGAIN = 10.0
"""Seconds after which what was asked for and is not seen is asked for once more."""
_USUAL = 1.0
"""Seconds that what every run waits for has to stand until it is told: mostly it has passed by then."""
_SEEN = 5.0
"""Seconds in which the pod of a Job that failed has to be seen."""


@dataclass(frozen=True, slots=True)
class RunResources:
    """What every life works with. `chore` does in the background what nobody waits for."""

    cluster: Cluster
    desk: LogResources
    clock: Callable[[], float]
    chore: Callable[[Callable[[], Awaitable[None]]], None]


class RunController:
    """Creates the Job or attaches to it, keeps its log, stops it in time, and tells how it ended.

    Any number of processes may do that at once: all ask for the same, and one of them writes the log.
    """

    def __init__(self, order: Order, tools: RunResources) -> None:
        self.users = 0
        self._order = order
        self._name = name_of(order.key)
        self._tools = tools
        self._client = tools.cluster.client
        self._place = RunDirectory(tools.desk.logs.path(order.key))
        self._feed = ProgressFeed()
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._job: Job | None = None
        self._pod: Pod | None = None
        self._secrets: list[bytes] = []
        self._redactor = Redactor(())  # of words for other places than the log
        self._keeper: PodLogCollector | None = None
        self._beside: Beside | None = None
        self._deadlines = Deadlines(order.timeout, order.pending_timeout)
        self._usual: tuple[str, float] = ("", math.inf)  # what it waits for as every run does, and since when
        self._failed_at = math.inf
        self._why: Stop | None = None  # it was stopped by this process
        self._asked: tuple[str, float] = ("", -math.inf)  # for which pod a stop was asked, and when
        self._task = asyncio.create_task(self._live())
        self._task.add_done_callback(lambda _: self._feed.changed())

    def wake(self) -> None:
        """Say that something about it has changed."""
        self._woken.set()
        if self._keeper is not None:
            self._keeper.look()

    def stop(self) -> None:
        """Have it stopped, now or as soon as there is something to stop."""
        self._stopped.set()
        self._woken.set()

    def story(self) -> AsyncIterator[Progress]:
        """Give what happened and what happens; raises EngineUnavailable."""
        return self._feed.told(self._task)

    async def close(self) -> None:
        """Leave it, which goes on."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        try:
            await self._hide(_values(self._order.secrets))
            space = await self._tools.cluster.space(self._order.namespace)
            try:
                self._job = await self._begin(space)
                self._keeper, self._beside = self._kept(), self._kept_beside()
                outcome = await self._attend(space, self._job)
                outcome = self._order.finish(outcome, outcomes.message_of(self._pod))
            except Ended as ended:
                outcome = ended.outcome
                if self._job is None:
                    why = Stop(outcome.result, outcome.reason or "", self._masked(outcome.message or ""))
                    self._tools.chore(lambda: creating.discard(self._client, self._order, why))
            outcome = replace(outcome, message=outcome.message and self._masked(outcome.message))
            self._keeper = self._keeper or self._kept()
            problem, _ = await asyncio.gather(self._keeper.end(self._notes(outcome)), self._end_beside())
        finally:
            if self._beside is not None:
                await self._beside.close()
            if self._keeper is not None:
                await self._keeper.close()
        if problem:
            outcome = replace(outcome, message=" ".join(filter(None, (outcome.message, problem))))
        if outcome.started_at is not None:
            self._start(outcome.started_at)
        self._feed.outcome = outcome
        self._feed.changed()

    def _kept(self) -> PodLogCollector:
        return PodLogCollector(
            self._order.key, self._place, self._tools.desk, lambda: self._pod, self._secrets
        )

    def _kept_beside(self) -> Beside:
        return Beside(self._order.key, self._tools.desk, lambda: self._pod, self._secrets)

    async def _end_beside(self) -> None:
        if self._beside is not None:
            await self._beside.end()

    async def _begin(self, space: Space) -> Job:
        """Give the Job, which is created unless it or its pod is there; raises `Ended`, EngineUnavailable."""
        job, pod = space.job(self._name), space.pod(self._name)
        begun = await shielded(self._place.begun)
        if job is None and pod is None and begun is not None:
            job = await self._asked_for(space.namespace)  # the watch may not have told of it yet
            if job is None:
                raise lost("Its Job was deleted by somebody else: how it ended is not known.")
            space.jobs.put(job)
        is_found = job is not None or pod is not None
        if job is None and pod is None:
            job = await self._create(space)
        else:
            job = job or states.gone(self._name, self._order.key, space.namespace)
            await self._hide(await self._hidden(job, self._patience()))
        if job.key != self._order.key:
            raise error("NameTaken", f"There is a Job {job.name} that is not this one's.")
        if is_found and job.uid:  # the process that made it may have died before it did this
            self._own(creating.belongings(job))
        if begun is None:
            await shielded(lambda: self._place.begin(space.namespace))
        return job

    async def _create(self, space: Space) -> Job:
        patience = self._patience()
        self._check_stopped()
        made = await patience.of(self._order.make)
        await self._hide(_values(made.secrets))
        await self._hide(await self._hidden(states.job(made.job), patience))
        self._check_stopped()
        created = await patience.of(lambda: creating.create(self._client, self._order, made))
        self._deadlines.created(self._tools.clock())
        space.jobs.put(created.job)
        self._own(created)
        return created.job

    def _patience(self) -> Patience:
        return Patience(self._order.pending_timeout, self._wait, self._stopped)

    async def _hidden(self, job: Job, patience: Patience) -> list[bytes]:
        return await patience.of(lambda: creating.hidden(self._client, job))

    def _own(self, created: Created) -> None:
        if created.owned:
            self._tools.chore(lambda: creating.own(self._client, created))

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Ended(Outcome(Result.CANCELLED))

    def _wait(self, words: str) -> None:
        pending = Pending(self._masked(words))
        if pending != self._feed.pending:
            self._feed.pending = pending
            self._feed.changed()

    async def _attend(self, space: Space, job: Job) -> Outcome:
        """Tell what becomes of it and stop it in time, until it has ended; raises EngineUnavailable."""
        while True:
            self._woken.clear()
            now = self._tools.clock()
            job = self._job = self._as_stopped(space.job(self._name) or job)
            reading = self._read(space, job, now)
            if self._beside is not None:
                self._beside.look()
            if isinstance(reading, Outcome) and self._is_deleted(job, reading):
                # The watch of pods may be ahead of that of Jobs.
                job = self._job = await self._asked_for(space.namespace) or job
                reading = self._read(space, job, now)
            if isinstance(reading, Outcome):
                return reading
            if isinstance(reading, Runs):
                self._start(reading.at)
            quiet = self._tell(reading, now) if isinstance(reading, Waits) and not job.stop else math.inf
            wait = min(await self._step(space, job, reading, now), quiet)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, 86_400.0)):
                    await self._woken.wait()

    def _is_deleted(self, job: Job, outcome: Outcome) -> bool:
        """Whether somebody deleted what ended, and it is not known yet that a stop was asked for."""
        is_deleted = self._pod is not None and self._pod.deleted_at is not None
        return not job.stop and (is_deleted or outcome.reason == LOST)

    async def _asked_for(self, namespace: str) -> Job | None:
        """Give the Job as the server has it; None where there is none. Raises EngineUnavailable."""
        try:
            return states.job(await self._client.get(JOBS, namespace, self._name))
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise EngineUnavailable(f"a Job could not be read: {refused.message}") from refused
            return None

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

    def _start(self, at: float) -> None:
        if self._feed.started is None:
            self._feed.pending, self._feed.started = None, Started(at)
            self._feed.changed()

    def _as_stopped(self, job: Job) -> Job:
        """Give the Job as this process has stopped it: what becomes of its pod may be seen before that is."""
        if job.stop or self._why is None:
            return job
        return replace(job, stop=self._why.result.value, reason=self._why.reason, words=self._why.words)

    def _read(self, space: Space, job: Job, now: float) -> Reading:
        """Read what has become of it, also where what would say so is gone."""
        pod, last = space.pod(self._name), self._pod
        self._pod = pod or last
        reading = outcomes.read(job, self._pod, space.told(self._name, self._pod), now)
        if isinstance(reading, Outcome) or pod is not None:
            return reading
        if last is not None:
            return outcomes.vanished(job, "Its pod was deleted by somebody else while it ran.")
        if space.job(self._name) is None:
            return outcomes.vanished(job, "Its Job was deleted by somebody else before it started.")
        if job.failed is not None:
            self._failed_at = min(self._failed_at, now)
            if now >= self._failed_at + _SEEN:
                return outcomes.vanished(job, f"It has no pod: {job.failed[1] or job.failed[0]}")
        return reading

    async def _step(self, space: Space, job: Job, reading: Reading, now: float) -> float:
        """Do what is due; gives the seconds until something is. Raises EngineUnavailable."""
        due = self._failed_at + _SEEN
        if self._pod is not None and self._pod.deleted_at is not None:
            due = min(due, self._pod.deleted_at + OVERDUE + 1.0)
        why = stopping.noted(job)
        if why is None:
            why = (
                Stop(Result.CANCELLED) if self._stopped.is_set() else self._deadlines.step(job, reading, now)
            )
            due = min(due, self._deadlines.due)
        if why is None:
            return max(due - now, 0.0)
        about = self._pod.uid if self._pod is not None else ""
        if self._asked[0] != about or now >= self._asked[1] + _AGAIN:
            try:
                why = replace(why, words=self._masked(why.words))
                await stopping.stop(self._client, job, self._pod, why)
            except EngineUnavailable as problem:
                self._wait(f"It is stopped as soon as the API server takes that: {problem}.")
                return min(problem.delay, _AGAIN)
            except Refused as refused:
                raise EngineUnavailable(f"a Job could not be stopped: {refused.message}") from refused
            self._asked, self._why = (about, now), why
            if self._feed.started is not None and self._feed.pending is not None:
                self._feed.pending = None
                self._feed.changed()
        later = self._asked[1] + _AGAIN
        return max(min(due if due > now else later, later) - now, 0.1)

    async def _hide(self, secrets: list[bytes]) -> None:
        """Have no log and no sentence show `secrets`; large ones take time to prepare for."""
        if secrets:
            self._secrets += secrets
            self._redactor = await shielded(lambda: Redactor(self._secrets))

    def _masked(self, words: str) -> str:
        return self._redactor.sentence(words)

    def _notes(self, outcome: Outcome) -> list[str]:
        """Give the lines of Errand's own at the end of its log."""
        if outcome.started_at is None:  # nothing else says it
            return [outcome.message] if outcome.message else []
        pod, stopped = self._pod, self._job is not None and self._job.stop
        is_alone = stopped and pod is not None and pod.has_hook and SIGNALLED not in outcomes.message_of(pod)
        return [stopping.ALONE] if is_alone else []


def _values(secrets: Sequence[Secret]) -> list[bytes]:
    return [secret.reveal().encode("utf-8", "surrogateescape") for secret in secrets]
