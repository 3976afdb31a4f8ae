"""What is remembered of the Jobs, pods and events that the watches tell; pure.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ Objects are read leniently: a newer server
may say more, a broken one less.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from executor.kubernetes.client import Object
from executor.kubernetes.objects.pods import REPORTER, SIGNALLED
from executor.kubernetes.objects.secretrefs import SecretRef, secret_refs
from executor.kubernetes.resources import FINALIZER, INSTALLATION, KEY, MASKED, REASON, STOP, WORDS

JOB = "job"
"""The container of a pod of ours that the work is done in; those before it are init containers."""

WAITING, RUNNING, TERMINATED = "waiting", "running", "terminated"
NO_START = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
"""Reasons of a container that could not be started: its message is the runtime's."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod. Times are whole seconds since the epoch: the API has no finer ones.

    `restarts`: it has a restart policy of its own, so its end may not be the last; `is_up`: it was told to be
    started, by its probe if it has one.
    """

    name: str
    status: str
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    restarts: bool = False
    restart_count: int = 0
    is_up: bool = False


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of ours. `containers` come in the order in which they run, the one called `job` last.

    `sidecars` are those that run beside it: init containers that are restarted always, and the other ones of
    the pod. Neither their starts nor their ends are the run's. `reporter` tells what the job reports.

    `deleted_at` is the end of the grace that its deletion gives, `grace` that in seconds. A node that is done
    with a pod takes back the grace: then `deleted_at` is when it did, and no time of the deletion is left.
    `scheduling` and `disruption` are the sentences (with their CamelCase words) of conditions that keep it
    from running, and `disrupted_at` is when the latter came; `memory` is the limit of the container `job` as
    it was written.
    """

    name: str
    namespace: str
    label: str
    uid: str
    created_at: float
    deleted_at: float | None
    grace: float
    node: str
    phase: str
    reason: str
    message: str
    scheduling: tuple[str, str] | None
    disruption: tuple[str, str] | None
    disrupted_at: float | None
    containers: tuple[Container, ...]
    sidecars: tuple[Container, ...]
    reporter: Container | None
    memory: str
    has_hook: bool
    is_held: bool

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def last_words(self) -> str:
        """What the container `job` left as its termination message, empty for none."""
        last = self.containers[-1] if self.containers else None
        return last.message if last is not None and last.reason not in NO_START else ""

    @property
    def is_signalled(self) -> bool:
        """Whether its hook says that it told the container `job` to stop, while that ran."""
        return self.has_hook and SIGNALLED in self.last_words


@dataclass(frozen=True, slots=True)
class Job:
    """One Job of ours. `stop` is the result that it was stopped with, `reason` and `words` go with it.

    `failed` is why the cluster ended it. `secrets` are the Secrets that its pod can read, `masked` the values
    written in its environment that no log shows; `belongings` are the kinds of what its pod has that is
    called as it is. At `ends_by` the cluster ends it.
    """

    name: str
    namespace: str
    uid: str
    key: str
    installation: str
    created_at: float
    finished_at: float | None
    stop: str
    reason: str
    words: str
    failed: tuple[str, str] | None
    is_suspended: bool
    active: int
    secrets: tuple[SecretRef, ...] = ()
    masked: tuple[str, ...] = ()
    belongings: frozenset[str] = frozenset()
    ends_by: float = math.inf


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the cluster says of an object: `about` is its name."""

    kind: str
    about: str
    reason: str
    message: str


def pod(item: Object) -> Pod:
    """Read a pod; raises KeyError, TypeError, ValueError for what is none."""
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    ours: Object = next((one for one in spec.get("containers") or () if one.get("name") == JOB), {})
    containers, sidecars, reporter = _containers(spec, status)
    disrupted = next(_conditions(status, ("DisruptionTarget",)), {})
    deleted_at, grace = _deletion(metadata)
    return Pod(
        name=metadata["name"],
        namespace=metadata["namespace"],
        label=str((metadata.get("labels") or {}).get(KEY, "")),
        uid=str(metadata.get("uid", "")),
        created_at=moment(metadata.get("creationTimestamp")) or 0.0,
        deleted_at=deleted_at,
        grace=grace,
        node=str(spec.get("nodeName") or ""),
        phase=str(status.get("phase") or ""),
        reason=str(status.get("reason") or ""),
        message=str(status.get("message") or ""),
        scheduling=_condition(status, "PodScheduled", "False"),
        disruption=_condition(status, "DisruptionTarget", "True"),
        disrupted_at=moment(disrupted.get("lastTransitionTime")),
        containers=containers,
        sidecars=sidecars,
        reporter=reporter,
        memory=str(((ours.get("resources") or {}).get("limits") or {}).get("memory") or ""),
        has_hook="preStop" in (ours.get("lifecycle") or {}),
        is_held=FINALIZER in (metadata.get("finalizers") or ()),
    )


def _deletion(metadata: Object) -> tuple[float | None, float]:
    return moment(metadata.get("deletionTimestamp")), float(metadata.get("deletionGracePeriodSeconds") or 0.0)


def job(item: Object) -> Job:
    """Read a Job; raises KeyError, TypeError, ValueError for what is none."""
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    annotations = metadata.get("annotations") or {}
    ends = [moment(one.get("lastTransitionTime")) for one in _conditions(status, ("Complete", "Failed"))]
    template = (spec.get("template") or {}).get("spec") or {}
    secrets = secret_refs(template)
    return Job(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=str(metadata.get("uid", "")),
        key=str(annotations.get(KEY, "")),
        installation=str((metadata.get("labels") or {}).get(INSTALLATION, "")),
        created_at=moment(metadata.get("creationTimestamp")) or 0.0,
        finished_at=next(iter(ends), None),
        stop=str(annotations.get(STOP, "")),
        reason=str(annotations.get(REASON, "")),
        words=str(annotations.get(WORDS, "")),
        failed=_condition(status, "Failed", "True"),
        ends_by=(moment(status.get("startTime")) or math.inf)
        + float(spec.get("activeDeadlineSeconds") or math.inf),
        is_suspended=_condition(status, "Suspended", "True") is not None,
        active=int(status.get("active") or 0),
        secrets=secrets,
        masked=tuple(_masked(annotations, template)),
        belongings=frozenset(_belongings(metadata["name"], secrets, template)),
    )


def gone(name: str, key: str, namespace: str) -> Job:
    """Give what is known of a Job that was deleted before its pod."""
    return Job(name, namespace, "", key, "", 0.0, None, "", "", "", None, False, 0)


def event(item: Object) -> Event:
    """Read an event; raises KeyError, TypeError for what is none."""
    about = item["involvedObject"]
    return Event(
        kind=str(about.get("kind") or ""),
        about=str(about.get("name") or ""),
        reason=str(item.get("reason") or ""),
        message=str(item.get("message") or ""),
    )


def moment(text: Any) -> float | None:
    """Give the seconds since the epoch of a time as the API writes it; None for what has not been."""
    if not text:
        return None
    return datetime.fromisoformat(str(text)).timestamp() or None


def _conditions(status: Object, kinds: tuple[str, ...]) -> Iterator[Object]:
    for one in status.get("conditions") or ():
        if one.get("type") in kinds and one.get("status") == "True":
            yield one


def _condition(status: Object, kind: str, value: str) -> tuple[str, str] | None:
    for one in status.get("conditions") or ():
        if one.get("type") == kind and one.get("status") == value:
            return str(one.get("reason") or ""), str(one.get("message") or "")
    return None


def _containers(
    spec: Object, status: Object
) -> tuple[tuple[Container, ...], tuple[Container, ...], Container | None]:
    """Give those that the run consists of, those beside it, and the one that tells what it reports.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
    """
    run: list[Container] = []
    beside: list[Container] = []
    for part, kind in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        statuses = {one.get("name"): one for one in status.get(kind) or ()}
        for ours in spec.get(part) or ():
            name = str(ours.get("name") or "")
            is_init = part == "initContainers"
            is_beside = ours.get("restartPolicy") == "Always" if is_init else name != JOB
            (beside if is_beside else run).append(_container(ours, statuses.get(name) or {}))
    reporter = next((one for one in beside if one.name == REPORTER), None)
    return tuple(run), tuple(one for one in beside if one is not reporter), reporter


def _container(spec: Object, entry: Object) -> Container:
    state = entry.get("state") or {}
    policy = spec.get("restartPolicy") or "Never"
    status = next((one for one in (TERMINATED, RUNNING) if state.get(one) is not None), WAITING)
    details = state.get(status) or {}
    return Container(
        name=str(spec.get("name") or ""),
        status=status,
        reason=str(details.get("reason") or ""),
        message=str(details.get("message") or ""),
        exit_code=int(details.get("exitCode") or 0),
        started_at=moment(details.get("startedAt")),
        finished_at=moment(details.get("finishedAt")),
        restart_count=int(entry.get("restartCount") or 0),
        restarts=policy != "Never" or bool(spec.get("restartPolicyRules")),
        is_up=bool(entry.get("started")),
    )


def _masked(annotations: Object, template: Object) -> Iterator[str]:
    """Give the values of the variables that the Job names as secret, as the pod has them."""
    try:
        names = set(json.loads(annotations.get(MASKED) or "[]"))
    except (ValueError, TypeError):  # somebody else wrote it
        return
    for container in template.get("containers") or ():
        for variable in container.get("env") or ():
            if variable.get("name") in names and variable.get("value"):
                yield str(variable["value"]).replace("$$", "$")


def _belongings(name: str, secrets: tuple[SecretRef, ...], template: Object) -> Iterator[str]:
    if any(secret.name == name for secret in secrets):
        yield "Secret"
    if any((volume.get("configMap") or {}).get("name") == name for volume in template.get("volumes") or ()):
        yield "ConfigMap"
