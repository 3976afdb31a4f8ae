"""What runs share with a workload that runs now, read from its objects. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from executor import references
from executor.kubernetes.client import Object
from executor.kubernetes.objects.secretrefs import SecretRef, secret_refs
from executor.outcomes import error
from executor.words import plain

JOB = "batch.kubernetes.io/job-name"
"""The label of every pod of a Job."""
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where the token of the service account is mounted, by the API server itself."""
_DEFAULT = "kubectl.kubernetes.io/default-container"
_PLACEMENT = ("affinity", "tolerations", "nodeSelector")
_POD_SECURITY = (
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "fsGroup",
    "fsGroupChangePolicy",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxOptions",
)
_CONTAINER_SECURITY = ("runAsUser", "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem", "seLinuxOptions")
"""As whom a workload runs. What it may do besides that (privileged, capabilities) its runs may not."""
_USUAL = frozenset({"Completed", "PodInitializing", None})
"""Reasons that tell nothing of what is wrong with a pod."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs share with it, as the API writes it.

    `image` is by digest where a registry has it; `is_pinned` False: as it is written, since no pod tells.
    `secrets` are those whose values its environment or its files have. `has_token`: a pod has the token of
    the service account.
    """

    namespace: str
    image: str
    is_pinned: bool = True
    env: tuple[Object, ...] = ()
    env_from: tuple[Object, ...] = ()
    volumes: tuple[Object, ...] = ()
    mounts: tuple[Object, ...] = ()
    service_account: str | None = None
    has_token: bool = False
    pull_secrets: tuple[str, ...] = ()
    placement: Object = field(default_factory=dict)
    pod_security: Object = field(default_factory=dict)
    container_security: Object = field(default_factory=dict)
    secrets: tuple[SecretRef, ...] = ()


def selector(workload: Object) -> str:
    """Write the LabelSelector of a workload as a query has it."""
    labels = workload["spec"]["selector"]
    parts = [f"{name}={value}" for name, value in (labels.get("matchLabels") or {}).items()]
    for expression in labels.get("matchExpressions") or ():
        key, operator = expression["key"], expression["operator"]
        if operator in ("Exists", "DoesNotExist"):
            parts.append(key if operator == "Exists" else f"!{key}")
        else:
            values = ",".join(expression["values"])
            parts.append(f"{key} {'in' if operator == 'In' else 'notin'} ({values})")
    return ",".join(parts)


def of_pods(place: str, workload: Object, pods: Sequence[Object], container: str | None) -> Workload:
    """Give what the newest ready one of a workload's `pods` has; `place` is what people call the workload.

    Raises `RunEnded` with `WorkloadNotReady`, or with `WorkloadMissing` where there is no such container.
    """
    own = [pod for pod in pods if pod is workload or _is_owned(pod, workload)]
    ready = [pod for pod in own if _is_ready(pod)]
    if not ready:
        why = _waits(_by_age(own)) or _refusal(workload) or "it has no pod"
        raise error("WorkloadNotReady", f"{place} has no ready pod: {why}".rstrip(".") + ".")
    pod = _by_age(ready)[0]
    return _read(workload, pod, _named(pod, container, place), workload["spec"].get("template"))


def of_cronjob(place: str, cronjob: Object, pods: Sequence[Object], container: str | None) -> Workload:
    """Give what the template of a cronjob says, with the image of its newest pod if that has the template's.

    `pods` are all of any Job's. Raises `RunEnded` with `WorkloadMissing` where there is no such container.
    """
    template = cronjob["spec"]["jobTemplate"]["spec"]["template"]
    name = _named(template, container, place)
    written = _read(cronjob, template, name)
    job = re.compile(re.escape(cronjob["metadata"]["name"]) + "-[0-9]+")
    for pod in _by_age(pods):
        if not job.fullmatch(pod["metadata"]["labels"][JOB]):
            continue
        if _container(pod, name) is None:
            continue
        ran = _read(cronjob, pod, name)
        if ran.is_pinned and _image(pod, name) == written.image:
            return replace(written, image=ran.image, is_pinned=True)
    return written


def _named(pod: Object, container: str | None, place: str) -> str:
    name = _container(pod, container)
    if name is None:
        raise error("WorkloadMissing", f"{place} has no container {(container or '')[:100]!r}.")
    return name


def _container(pod: Mapping[str, object], name: str | None) -> str | None:
    """Name the container that is meant: `name`, or the pod's default or first one; None: there is none."""
    names = [one["name"] for one in _of(pod, "spec").get("containers") or ()]
    annotated = _of(pod, "metadata").get("annotations") or {}
    container = name or annotated.get(_DEFAULT) or names[0]
    if container not in names and name is None:
        container = names[0]
    return container if container in names else None


def _read(workload: Object, pod: Object, name: str, template: Object | None = None) -> Workload:
    """Read a pod of a workload, or the template of one, of which the container `name` is meant.

    Where pods go is what `template` says if there is one: a pod may be bound to its node.
    """
    spec = pod["spec"]
    one = next(item for item in spec["containers"] if item["name"] == name)
    mounts = tuple(
        {key: value for key, value in item.items() if key != "mountPropagation"}  # for the privileged only
        for item in one.get("volumeMounts") or ()
        if item["mountPath"] != _ACCOUNT
    )
    mounted = {item["name"] for item in mounts}
    env = tuple(_own(item) for item in one.get("env") or ())
    env_from = tuple(one.get("envFrom") or ())
    volumes = tuple(item for item in spec.get("volumes") or () if item["name"] in mounted)
    shared = {"env": env, "envFrom": env_from, "volumeMounts": mounts}
    image = _running(pod, name)
    where = (template or pod)["spec"]
    return Workload(
        namespace=workload["metadata"]["namespace"],
        image=image or one["image"],
        is_pinned=image is not None,
        env=env,
        env_from=env_from,
        volumes=volumes,
        mounts=mounts,
        service_account=spec.get("serviceAccountName"),
        has_token=_has_token(spec, one, is_template="status" not in pod),
        pull_secrets=tuple(item["name"] for item in spec.get("imagePullSecrets") or () if item.get("name")),
        placement={key: where[key] for key in _PLACEMENT if where.get(key)},
        pod_security=_some(spec, _POD_SECURITY),
        container_security=_some(one, _CONTAINER_SECURITY),
        secrets=secret_refs({"containers": [shared], "volumes": volumes}),
    )


def _is_ready(pod: Object) -> bool:
    """Whether the pod takes part in its workload's work now."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _waits(pods: Sequence[Object]) -> str | None:
    """Say what pods that are not ready wait for: the first that says anything."""
    for pod in pods:
        for words in _complaints(pod):
            return plain(f"{pod['metadata']['name']}: {words}")
    return None


def _refusal(workload: Object) -> str | None:
    """Say why a workload has no pods."""
    if workload["spec"].get("replicas") == 0:
        return "it is scaled to 0"
    for condition in workload.get("status", {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return plain(str(condition.get("message") or condition.get("reason") or ""))
    return None


def _complaints(pod: Object) -> list[str]:
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return ["it is being deleted"]
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    states = [state for one in containers for state in (one.get("state") or {}).values()]
    conditions = [one for one in status.get("conditions") or () if one["status"] == "False"]
    complaints = [
        *(state for state in states if state.get("reason") not in _USUAL),
        *([status] if status.get("reason") or status.get("message") else []),
        *(condition for condition in conditions if condition.get("message")),
        {"message": f"it is {status.get('phase') or 'new'}"},
    ]
    return [": ".join(filter(None, (one.get("reason"), one.get("message")))) for one in complaints]


def _running(pod: Object, name: str) -> str | None:
    """Give what a container runs: by digest, or as it is written where no registry gave it."""
    for status in pod.get("status", {}).get("containerStatuses") or ():
        if status["name"] != name or not status.get("imageID"):
            continue
        identity = status["imageID"].rpartition("://")[2]
        try:
            reference = references.parse(identity)
        except ValueError:  # the id of an image that was loaded into the node
            reference = None
        if reference is not None and reference.digest and not reference.is_local:
            return str(reference)
        spec = next(one for one in pod["spec"]["containers"] if one["name"] == name)
        return str(spec["image"])
    return None


def _own(variable: Object) -> Object:
    """Have what tells a container's own resources tell those of the run's."""
    source = variable.get("valueFrom") or {}
    if "resourceFieldRef" not in source:
        return variable
    field = {key: value for key, value in source["resourceFieldRef"].items() if key != "containerName"}
    return {**variable, "valueFrom": {"resourceFieldRef": field}}


def _has_token(spec: Object, one: Object, *, is_template: bool) -> bool:
    if is_template:
        return spec.get("automountServiceAccountToken") is not False
    return any(mount["mountPath"] == _ACCOUNT for mount in one.get("volumeMounts") or ())


def _some(holder: Object, names: tuple[str, ...]) -> Object:
    security = holder.get("securityContext") or {}
    return {name: security[name] for name in names if name in security}


def _of(pod: Mapping[str, object], part: str) -> Object:
    found = pod.get(part)
    return found if isinstance(found, dict) else {}


def _image(pod: Object, name: str) -> str:
    return next(str(one["image"]) for one in pod["spec"]["containers"] if one["name"] == name)


def _is_owned(pod: Object, workload: Object) -> bool:
    """Whether the workload made the pod; one of a Deployment is that of a ReplicaSet named after its hash."""
    metadata = pod["metadata"]
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == "ReplicaSet":
            generation = (metadata.get("labels") or {}).get("pod-template-hash", "")
            return bool(owner["name"] == f"{workload['metadata']['name']}-{generation}")
        if owner.get("controller"):
            return bool(owner["uid"] == workload["metadata"]["uid"])
    return False


def _by_age(pods: Sequence[Object]) -> list[Object]:
    """The newest first."""
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
