"""Brings the Job of an order into being, once."""

import base64
import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from executor.kubernetes.client import Client, Object
from executor.kubernetes.controller import stopping
from executor.kubernetes.controller.masking import Mask
from executor.kubernetes.controller.orders import RunOrder
from executor.kubernetes.controller.patience import Hold, Patience
from executor.kubernetes.controller.stopping import Stop
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.refusals import Deferral, Refused
from executor.kubernetes.resources import CONFIGMAPS, JOBS, SECRETS, Resource
from executor.kubernetes.watching import states
from executor.kubernetes.watching.cluster import NamespaceView
from executor.kubernetes.watching.states import Job
from executor.outcomes import RunEnded, error, lost

_QUOTA = re.compile(r"exceeded quota", re.I)
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""What no object has as its uid."""
_MOST_OF_VALUE, _MOST_OF_ALL = 64 << 10, 256 << 10
"""Bytes of one value and of all that a run's log is searched for: each takes its time."""


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """The Job, what of the order belongs to it but does not say so yet, and whether it was made just now."""

    job: Job
    owned: tuple[tuple[Resource, Object], ...] = ()
    is_new: bool = False


async def begin(
    order: RunOrder, space: NamespaceView, patience: Patience, mask: Mask, was_begun: bool
) -> CreatedJob:
    """Give the Job, which is created unless it or its pod is there, and hide what it can read.

    `was_begun`: there was one, as this machine knows. Raises `RunEnded`, EngineUnavailable.
    """
    job, pod = space.job(order.name), space.pod(order.name)
    if job is None and pod is None and was_begun:
        job = await space.ask(order.name)
        if job is None:
            raise lost("Its Job was deleted by somebody else: how it ended is not known.")
        space.jobs.put(job)
    made: Manifests | None = None
    if job is None and pod is None:
        patience.check()
        made = await patience.of(order.make)
        job = states.job(made.job)
    job = job or states.gone(order.name, order.key, space.namespace)
    await mask.add(await patience.of(partial(hidden, space.client, job)))
    if made is None:
        return _found(order, job)
    patience.check()
    created = await patience.of(partial(create, space.client, made))
    space.jobs.put(created.job)
    return created


def _found(order: RunOrder, job: Job) -> CreatedJob:
    """Give what a Job refers to that was made for it: who made it may have died before that was said."""
    kinds = job.belongings if job.key == order.key and job.uid else ()
    body = {"metadata": {"namespace": job.namespace, "name": job.name}}
    return CreatedJob(job, tuple((one, body) for one in (SECRETS, CONFIGMAPS) if one.kind in kinds))


async def create(client: Client, made: Manifests) -> CreatedJob:
    """Create the objects, or take those that are there.

    Raises `Hold` where a quota or a name leaves no room, `RunEnded` where the server refuses for good, and
    EngineUnavailable.
    """
    owned = [(one, body) for one, body in ((SECRETS, made.secret), (CONFIGMAPS, made.configmap)) if body]
    try:
        for resource, body in owned:
            if await client.make(resource, body) is None:
                await _adopt(client, resource, body)
        return CreatedJob(states.job(await client.make_or_get(JOBS, made.job)), tuple(owned), is_new=True)
    except Refused as refused:
        if refused.status == HTTPStatus.FORBIDDEN and _QUOTA.search(refused.message):
            raise Hold("QuotaExceeded", refused.message) from refused
        raise _final(refused) from refused


async def own(client: Client, created: CreatedJob) -> None:
    """Give what belongs to the Job to it, so that it goes with it; raises EngineUnavailable, `Refused`."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": created.job.name, "uid": created.job.uid}
    for resource, body in created.owned:
        metadata = body["metadata"]
        change = {"metadata": {"ownerReferences": [owner]}}
        await client.patch(resource, metadata["namespace"], metadata["name"], change)


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


async def hidden(client: Client, job: Job) -> list[bytes]:
    """Give what no log of the run shows: what the Secrets say that its pod can read, except its own.

    Raises `RunEnded` if one is not shown, or says too much to be searched for; `Hold` if it may be shown
    again, as that of a Job was before that was made; EngineUnavailable.
    """
    values = [value.encode("utf-8", "surrogateescape") for value in job.masked]
    size = sum(map(len, values))
    keys: dict[str, set[str | None]] = {}
    for ref in job.secrets:
        if ref.name != job.name:
            keys.setdefault(ref.name, set()).add(ref.key)
    for name, some in keys.items():
        said = await _secret(client, job, name)
        read = [data for key, data in said.items() if data and some & {key, None}]
        for value in map(base64.b64decode, read):
            size += len(value)
            if len(value) > _MOST_OF_VALUE or size > _MOST_OF_ALL:
                raise _too_large(name)
            values.append(value)
    return values


async def _secret(client: Client, job: Job, name: str) -> Mapping[str, str]:
    """Give what a Secret says, in base64; nothing where there is none: the pod waits for it, if it has to."""
    try:
        said = await client.get(SECRETS, job.namespace, name)
    except (Refused, Deferral) as problem:
        if isinstance(problem, Refused) and problem.status == HTTPStatus.NOT_FOUND:
            return {}
        if isinstance(problem, Deferral) and not problem.is_of_right:
            raise
        words = (
            f"The Secret {name} cannot be read, so its values could not be masked in the log: Errand "
            f"needs the permission to get it in the namespace {job.namespace}."
        )
        may_be_shown = job.uid or isinstance(problem, Deferral)
        raise (Hold if may_be_shown else error)("SecretUnreadable", words) from problem
    return said.get("data") or {}


def _too_large(name: str) -> RunEnded:
    return error(
        "SecretTooLarge",
        f"The Secret {name} holds more than a log can be searched for, so it could not be masked: "
        f"{_MOST_OF_VALUE >> 10} KiB in one value, {_MOST_OF_ALL >> 10} KiB in all that a run can read. "
        "What is no secret belongs into a ConfigMap.",
    )


async def _adopt(client: Client, resource: Resource, body: Object) -> None:
    """Go on with what a process left that came no further; raises `Hold` if it is of another Job."""
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


def _final(refused: Refused) -> RunEnded:
    reasons = {
        HTTPStatus.FORBIDDEN: "CreateForbidden",
        HTTPStatus.UNAUTHORIZED: "CreateForbidden",
        HTTPStatus.NOT_FOUND: "NamespaceMissing",
    }
    known = HTTPStatus(refused.status) if refused.status in set(HTTPStatus) else HTTPStatus.BAD_REQUEST
    return error(reasons.get(known, "SpecRefused"), refused.message)
