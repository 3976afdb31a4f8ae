"""Brings the Job of an order into being, once."""

import asyncio
import base64
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from executor.errors import EngineUnavailable
from executor.kubernetes.attending.orders import Made, Order
from executor.kubernetes.client import Client, Object, Refused
from executor.kubernetes.resources import CONFIGMAPS, JOBS, SECRETS, Resource, name_of
from executor.kubernetes.watching import states
from executor.kubernetes.watching.outcomes import Ended, error
from executor.kubernetes.watching.states import Job
from executor.spec import Outcome, Result

_QUOTA = re.compile(r"exceeded quota", re.I)
_NOBODY = "00000000-0000-0000-0000-000000000000"
"""What no object has as its uid."""
_AGAIN, _SLOWEST = 2.0, 30.0
"""Seconds before what a quota refused is asked for again: doubled each time, up to the second."""
_MOST_OF_VALUE, _MOST_OF_ALL = 64 << 10, 256 << 10
"""Bytes of one value and of all that a run's log is searched for: each takes its time."""


class _Leftover(Exception):
    """There is an object of that name which goes soon."""


@dataclass(frozen=True, slots=True)
class Created:
    """The Job, and what of the order belongs to it but does not say so yet."""

    job: Job
    owned: tuple[tuple[Resource, Object], ...] = ()


async def create(
    client: Client, order: Order, made: Made, waits: Callable[[str], None], stopped: asyncio.Event
) -> Created:
    """Create the objects, waiting where a quota or a name leaves no room, which `waits` is told.

    Raises `Ended` where the server refuses for good, once `pending_timeout` is over or `stopped` while it
    waits, EngineUnavailable.
    """
    delay, reason, words = _AGAIN, "", ""
    try:
        async with asyncio.timeout(order.pending_timeout):
            while True:
                try:
                    return await _create(client, order, made)
                except _Leftover as leftover:
                    reason, words = "NameTaken", str(leftover)
                except Refused as problem:
                    if problem.status != HTTPStatus.FORBIDDEN or not _QUOTA.search(problem.message):
                        raise _final(problem) from problem
                    reason, words = "QuotaExceeded", problem.message
                waits(words)
                if await _happens(stopped, delay):
                    raise Ended(Outcome(Result.CANCELLED))
                delay = min(2 * delay, _SLOWEST)
    except TimeoutError as problem:
        if not reason:
            raise EngineUnavailable("the API server of Kubernetes takes too long") from problem
        raise error(reason, words) from problem


async def own(client: Client, created: Created) -> None:
    """Give what belongs to the Job to it, so that it goes with it; raises EngineUnavailable, `Refused`."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": created.job.name, "uid": created.job.uid}
    for resource, body in created.owned:
        metadata = body["metadata"]
        change = {"metadata": {"ownerReferences": [owner]}}
        await client.patch(resource, metadata["namespace"], metadata["name"], change)


def belongings(job: Job) -> Created:
    """Give what a Job refers to that was made for it, by whichever process."""
    metadata = {"namespace": job.namespace, "name": job.name}
    kinds = [resource for resource in (SECRETS, CONFIGMAPS) if resource.kind in job.belongings]
    return Created(job, tuple((resource, {"metadata": metadata}) for resource in kinds))


async def discard(client: Client, namespace: str, name: str) -> None:
    """Have what was made for a Job deleted if that never came; raises EngineUnavailable.

    Errand may not delete Secrets. What belongs to a Job that is not there the cluster deletes by itself.
    """
    try:
        await client.get(JOBS, namespace, name)
    except Refused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            return
    else:
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

    Raises `Ended` if one is not shown, or says too much to be searched for; EngineUnavailable.
    """
    values = [value.encode("utf-8", "surrogateescape") for value in job.masked]
    size = sum(map(len, values))
    keys: dict[str, set[str | None]] = {}
    for ref in job.secrets:
        if ref.name != job.name:
            keys.setdefault(ref.name, set()).add(ref.key)
    for name, some in keys.items():
        said = await _secret(client, job.namespace, name)
        read = [data for key, data in said.items() if data and some & {key, None}]
        for value in map(base64.b64decode, read):
            size += len(value)
            if len(value) > _MOST_OF_VALUE or size > _MOST_OF_ALL:
                raise _too_large(name)
            values.append(value)
    return values


async def _secret(client: Client, namespace: str, name: str) -> Mapping[str, str]:
    """Give what a Secret says, in base64; nothing where there is none: the pod waits for it, if it has to."""
    try:
        said = await client.get(SECRETS, namespace, name)
    except Refused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return {}
        raise error(
            "SecretUnreadable",
            f"The Secret {name} cannot be read, so its values could not be masked in the log: Errand "
            f"needs the permission to get it in the namespace {namespace}.",
        ) from refused
    return said.get("data") or {}


def _too_large(name: str) -> Ended:
    return error(
        "SecretTooLarge",
        f"The Secret {name} holds more than a log can be searched for, so it could not be masked: "
        f"{_MOST_OF_VALUE >> 10} KiB in one value, {_MOST_OF_ALL >> 10} KiB in all that a run can read. "
        "What is no secret belongs into a ConfigMap.",
    )


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most `seconds`; False if it did not come."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _create(client: Client, order: Order, made: Made) -> Created:
    owned = []
    for resource, body in ((SECRETS, made.secret), (CONFIGMAPS, made.configmap)):
        if body is None:
            continue
        if await _make(client, resource, body) is None:
            await _adopt(client, resource, body)
        owned.append((resource, body))
    namespace, name = made.job["metadata"]["namespace"], name_of(order.key)
    job = await _make(client, JOBS, made.job)
    if job is None:
        job = await client.get(JOBS, namespace, name)
    return Created(states.job(job), tuple(owned))


async def _adopt(client: Client, resource: Resource, body: Object) -> None:
    """Go on with what a process left that came no further; raises `_Leftover` if it is of another Job."""
    name = body["metadata"]["name"]
    leftover = _Leftover(f"The {resource.kind} {name} of a Job that was deleted is still there.")
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


async def _make(client: Client, resource: Resource, body: Object) -> Object | None:
    """Create an object; None if there is one of that name."""
    try:
        return await client.create(resource, body["metadata"]["namespace"], body)
    except Refused as refused:
        if refused.status == HTTPStatus.CONFLICT and refused.reason == "AlreadyExists":
            return None
        raise


def _final(refused: Refused) -> Ended:
    reasons = {
        HTTPStatus.FORBIDDEN: "CreateForbidden",
        HTTPStatus.UNAUTHORIZED: "CreateForbidden",
        HTTPStatus.NOT_FOUND: "NamespaceMissing",
    }
    known = HTTPStatus(refused.status) if refused.status in set(HTTPStatus) else HTTPStatus.BAD_REQUEST
    return error(reasons.get(known, "SpecRefused"), refused.message)
