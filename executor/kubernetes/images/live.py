"""Finds what a workload runs now, for runs that are to share it.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from executor.kubernetes.client import Client, Object
from executor.kubernetes.objects import workloads
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import CRONJOBS, DAEMONSETS, DEPLOYMENTS, PODS, STATEFULSETS, Resource
from executor.kubernetes.settings import Settings
from executor.outcomes import error
from executor.spec import Live
from executor.words import plain

_KINDS = {
    "deployment": DEPLOYMENTS,
    "statefulset": STATEFULSETS,
    "daemonset": DAEMONSETS,
    "cronjob": CRONJOBS,
    "pod": PODS,
}
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PODS = 500
"""Pods of a workload that are looked at."""
_JOB = "batch.kubernetes.io/job-name"


async def workload(client: Client, live: Live, settings: Settings) -> Workload:
    """Give what the workload runs now: what its newest ready pod has.

    A cronjob has no pod between two ticks: what its template says counts, and the image is that of its newest
    pod if that one has the template's. Raises `Ended` with `WorkloadMissing` (no such workload, container or
    permission) or `WorkloadNotReady`, and EngineUnavailable.
    """
    kind, _, name = live.workload.partition("/")
    namespace = live.namespace or settings.namespace
    if kind not in _KINDS or not _NAME.fullmatch(name):
        said = f"{live.workload[:200]} is not KIND/NAME, where KIND is one of {', '.join(_KINDS)}."
        raise error("WorkloadMissing", said)
    if not _NAMESPACE.fullmatch(namespace):
        raise error("WorkloadMissing", f"{namespace[:100]!r} is no namespace.")
    place = f"{live.workload} in namespace {namespace}"
    found = await _get(client, _KINDS[kind], namespace, name, place)
    if kind == "pod":
        return _running(place, namespace, [found], found, live.container)
    if kind == "cronjob":
        return await _cronjob(client, found, place, live.container)
    pods = await _list(client, namespace, _selector(found["spec"]["selector"]), place)
    own = [pod for pod in pods if _is_owned(pod, found)]
    return _running(place, namespace, own, found, live.container)


def _running(
    place: str, namespace: str, pods: Sequence[Object], found: Object, container: str | None
) -> Workload:
    ready = [pod for pod in pods if workloads.is_ready(pod)]
    if not ready:
        why = workloads.waits(_by_age(pods)) or workloads.refusal(found) or "it has no pod"
        raise error("WorkloadNotReady", f"{place} has no ready pod: {why}".rstrip(".") + ".")
    pod = _by_age(ready)[0]
    return workloads.read(namespace, pod, _container(pod, container, place), found["spec"].get("template"))


async def _cronjob(client: Client, found: Object, place: str, container: str | None) -> Workload:
    namespace = found["metadata"]["namespace"]
    template = found["spec"]["jobTemplate"]["spec"]["template"]
    name = _container(template, container, place)
    written = workloads.read(namespace, template, name)
    job = re.compile(re.escape(found["metadata"]["name"]) + "-[0-9]+")
    for pod in _by_age(await _list(client, namespace, _JOB, place)):
        if not job.fullmatch(pod["metadata"]["labels"][_JOB]):
            continue
        if workloads.container(pod, name) is None:
            continue
        ran = workloads.read(namespace, pod, name)
        if ran.is_pinned and _image(pod, name) == written.image:
            return replace(written, image=ran.image, is_pinned=True)
    return written


async def _get(client: Client, resource: Resource, namespace: str, name: str, place: str) -> Object:
    try:
        return await client.get(resource, namespace, name)
    except Refused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            raise error("WorkloadMissing", f"There is no {place}.") from refused
        raise error("WorkloadMissing", f"{place}: {plain(refused.message)}") from refused


async def _list(client: Client, namespace: str, selector: str, place: str) -> list[Object]:
    try:
        found = await client.list(PODS, namespace, labelSelector=selector, limit=_PODS)
    except Refused as refused:
        raise error("WorkloadMissing", f"{place}: {plain(refused.message)}") from refused
    return list(found["items"])


def _container(pod: Object, wanted: str | None, place: str) -> str:
    name = workloads.container(pod, wanted)
    if name is None:
        raise error("WorkloadMissing", f"{place} has no container {(wanted or '')[:100]!r}.")
    return name


def _image(pod: Object, name: str) -> str:
    return next(str(one["image"]) for one in pod["spec"]["containers"] if one["name"] == name)


def _is_owned(pod: Object, found: Object) -> bool:
    """Whether the workload made the pod; one of a Deployment is that of a ReplicaSet named after its hash."""
    metadata = pod["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == "ReplicaSet":
            generation = (metadata.get("labels") or {}).get("pod-template-hash", "")
            return bool(owner["name"] == f"{found['metadata']['name']}-{generation}")
        if owner.get("controller"):
            return bool(owner["uid"] == found["metadata"]["uid"])
    return False


def _by_age(pods: Sequence[Object]) -> list[Object]:
    """The newest first."""
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)


def _selector(selector: Object) -> str:
    """Write a LabelSelector as a query has it."""
    parts = [f"{name}={value}" for name, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        key, operator = expression["key"], expression["operator"]
        if operator in ("Exists", "DoesNotExist"):
            parts.append(key if operator == "Exists" else f"!{key}")
        else:
            values = ",".join(expression["values"])
            parts.append(f"{key} {'in' if operator == 'In' else 'notin'} ({values})")
    return ",".join(parts)
