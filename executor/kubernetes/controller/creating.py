"""Brings the Job of an order into being, once, for as long as that may take."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client, Object
from executor.kubernetes.controller import stopping
from executor.kubernetes.controller.masking import Mask, hidden
from executor.kubernetes.controller.orders import RunOrder, RunResources
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.kubernetes.controller.stopping import Stop
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.refusals import Deferral, Hold, Refused
from executor.kubernetes.resources import CONFIGMAPS, JOBS, SECRETS, Resource
from executor.kubernetes.watching import states
from executor.kubernetes.watching.cluster import NamespaceView
from executor.kubernetes.watching.states import Job
from executor.outcomes import RunEnded, error, lost
from executor.spec import Outcome, Result

_QUOTA = re.compile(r"exceeded quota", re.I)
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""What no object has as its uid."""
_AGAIN, _SLOWEST = 1.0, 30.0
"""Seconds before something is asked for again, at first and at most."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class BegunJob:
    """The Job that is attended, and where; `is_new`: it was made just now."""

    job: Job
    space: NamespaceView
    is_new: bool


class Patience:
    """The seconds that a run may wait, which begin when the first thing is asked for.

    `waits` is told why it does, `stopped` ends it.

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
        self._seconds = seconds
        self._until: float | None = None
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
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._seconds
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


async def begin(order: RunOrder, tools: RunResources, mask: Mask, patience: Patience) -> BegunJob:
    """Give the Job, which is created unless it or its pod is there; first what it can read is masked.

    Raises `RunEnded` where there is none, so that what was made for it goes; and EngineUnavailable.
    """
    client = tools.cluster.client
    try:
        return await _begin(order, tools, mask, patience)
    except RunEnded as ended:
        outcome = ended.outcome
        why = Stop(outcome.result, outcome.reason or "", mask.sentence(outcome.message or ""))
        tools.chore(lambda: discard(client, order, why))
        raise


async def _begin(order: RunOrder, tools: RunResources, mask: Mask, patience: Patience) -> BegunJob:
    client, directory = tools.cluster.client, RunDirectory(tools.desk.logs.path(order.key))
    begun = await directory.begun()
    space = await tools.cluster.space(order.namespace)
    job, pod, made = space.job(order.name), space.pod(order.name), None
    if job is None and pod is None and begun is not None:
        job = await space.ask(order.name)
        if job is None:
            raise lost("Its Job was deleted by somebody else: how it ended is not known.")
        space.jobs.put(job)
    if job is None and pod is None:
        patience.check()
        made = await patience.of(order.make)
    readable = states.job(made.job) if made else job or states.gone(order.name, order.key, space.namespace)
    await mask.add(await patience.of(lambda: hidden(client, readable)))
    if made is None:
        job = readable
        kinds = job.belongings if job.key == order.key and job.uid else ()
        owned = [one for one in (SECRETS, CONFIGMAPS) if one.kind in kinds]
    else:
        patience.check()
        objects = made
        job = states.job(await patience.of(lambda: create(client, objects)))
        space.jobs.put(job)
        owned = [one for one, _ in made.belongings]
    if owned:
        there = job
        tools.chore(lambda: own(client, there, owned))
    if job.key != order.key:
        raise error("NameTaken", f"There is a Job {job.name} that is not this one's.")
    if begun is None:
        await directory.begin(space.namespace)
    return BegunJob(job, space, made is not None)


async def create(client: Client, made: Manifests) -> Object:
    """Create the objects, or take those that are there; gives the Job.

    Raises `Hold` where a quota or a name leaves no room, `RunEnded` where the server refuses for good, and
    EngineUnavailable.
    """
    try:
        for resource, body in made.belongings:
            await _provide(client, resource, body)
        return await client.make_or_get(JOBS, made.job)
    except Refused as refused:
        if refused.status == HTTPStatus.FORBIDDEN and _QUOTA.search(refused.message):
            raise Hold("QuotaExceeded", refused.message) from refused
        raise _final(refused) from refused


async def _provide(client: Client, resource: Resource, body: Object) -> None:
    """Create an object, or go on with what a process left that came no further.

    Raises `Hold` if that is of another Job.
    """
    if await client.make(resource, body) is not None:
        return
    name = body["metadata"]["name"]
    leftover = Hold("NameTaken", f"The {resource.kind} {name} of a Job that was deleted is still there.")
    try:
        # It can only be read by writing it: it may not be changed once it is there.
        found = await client.patch(resource, body["metadata"]["namespace"], name, {"data": body.get("data")})
    except Refused as refused:
        if refused.status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise leftover from refused
        raise
    metadata = found.get("metadata") or {}
    if metadata.get("ownerReferences") or metadata.get("deletionTimestamp"):
        raise leftover


async def own(client: Client, job: Job, owned: Collection[Resource]) -> None:
    """Give what belongs to a Job to it, so that it goes with it; raises EngineUnavailable, `Refused`."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job.name, "uid": job.uid}
    for resource in owned:
        change = {"metadata": {"ownerReferences": [owner]}}
        await client.patch(resource, job.namespace, job.name, change)


async def discard(client: Client, order: RunOrder, why: Stop) -> None:
    """Have what was made for a Job deleted if that never came; raises EngineUnavailable.

    One that is there after all is stopped: the server may have made it without an answer that said so. Errand
    may not delete Secrets. What belongs to a Job that is not there the cluster deletes by itself.
    """
    namespace, name = order.namespace, order.name
    try:
        job = states.job(await client.get(JOBS, namespace, name))
    except Refused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            return
    else:
        if job.key == order.key:
            await stopping.stop(client, job, None, why)
        return
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": _NOBODY}
    change = [
        {"op": "test", "path": "/metadata/labels/errand~1key", "value": name},
        {"op": "add", "path": "/metadata/ownerReferences", "value": [owner]},
    ]
    for resource in (SECRETS, CONFIGMAPS):
        with contextlib.suppress(Refused):  # mostly there is none
            await client.patch(resource, namespace, name, change, "json")


def _final(refused: Refused) -> RunEnded:
    reasons = {
        HTTPStatus.FORBIDDEN: "CreateForbidden",
        HTTPStatus.UNAUTHORIZED: "CreateForbidden",
        HTTPStatus.NOT_FOUND: "NamespaceMissing",
    }
    known = HTTPStatus(refused.status) if refused.status in set(HTTPStatus) else HTTPStatus.BAD_REQUEST
    return error(reasons.get(known, "SpecRefused"), refused.message)
