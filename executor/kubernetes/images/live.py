"""Finds what a workload runs now, for runs that are to share it.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

import re
from http import HTTPStatus

from executor.kubernetes.client import Client
from executor.kubernetes.objects import workloads
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import CRONJOBS, DAEMONSETS, DEPLOYMENTS, PODS, STATEFULSETS
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


async def workload(client: Client, live: Live, settings: Settings) -> Workload:
    """Give what the workload runs now: what its newest ready pod has.

    A cronjob has no pod between two ticks: what its template says counts, and the image is that of its newest
    pod if that one has the template's. Raises `Ended` with `WorkloadMissing` (no such workload, container or
    permission) or `WorkloadNotReady`, and EngineUnavailable.
    """
    kind, _, name = live.workload.partition("/")
    namespace = live.namespace or settings.namespace
    if kind not in _KINDS or not _NAME.fullmatch(name):
        message = f"{live.workload[:200]} is not KIND/NAME, where KIND is one of {', '.join(_KINDS)}."
        raise error("WorkloadMissing", message)
    if not _NAMESPACE.fullmatch(namespace):
        raise error("WorkloadMissing", f"{namespace[:100]!r} is no namespace.")
    place = f"{live.workload} in namespace {namespace}"
    try:
        found = await client.get(_KINDS[kind], namespace, name)
        pods = [found]
        if kind != "pod":
            selector = workloads.JOB if kind == "cronjob" else workloads.selector(found)
            listed = await client.list(PODS, namespace, labelSelector=selector, limit=_PODS)
            pods = list(listed["items"])
    except Refused as refused:
        words = f"{place}: {plain(refused.message)}"
        if refused.status == HTTPStatus.NOT_FOUND:
            words = f"There is no {place}."
        raise error("WorkloadMissing", words) from refused
    if kind == "cronjob":
        return workloads.of_cronjob(place, found, pods, live.container)
    return workloads.of_pods(place, found, pods, live.container)
