"""What runs share with a workload that runs now, read from its objects. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from executor import references
from executor.kubernetes.client import Object
from executor.kubernetes.objects.secretrefs import SecretRef, secret_refs
from executor.words import hidden, plain

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
    `secrets` are those whose values its environment or its files have, `masked` names the variables whose
    values are written in it and look like secrets. `has_token`: a pod has the token of the service account.
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
    masked: tuple[str, ...] = ()


def container(pod: Mapping[str, object], name: str | None) -> str | None:
    """Name the container that is meant: `name`, or the pod's default or first one; None: there is none."""
    names = [one["name"] for one in _of(pod, "spec").get("containers") or ()]
    annotated = _of(pod, "metadata").get("annotations") or {}
    wanted = name or annotated.get(_DEFAULT) or names[0]
    if wanted not in names and name is None:
        wanted = names[0]
    return wanted if wanted in names else None


def read(namespace: str, pod: Object, name: str, template: Object | None = None) -> Workload:
    """Read a pod, or the template of one, of which the container `name` is meant.

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
    written = {item["name"]: item.get("value") or "" for item in env if "valueFrom" not in item}
    where = (template or pod)["spec"]
    return Workload(
        namespace=namespace,
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
        masked=tuple(hidden(written)),
    )


def is_ready(pod: Object) -> bool:
    """Whether the pod takes part in its workload's work now."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def waits(pods: Sequence[Object]) -> str | None:
    """Say what pods that are not ready wait for: the first that says anything."""
    for pod in pods:
        for words in _complaints(pod):
            return plain(f"{pod['metadata']['name']}: {words}")
    return None


def refusal(workload: Object) -> str | None:
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
    said = [
        *(state for state in states if state.get("reason") not in _USUAL),
        *([status] if status.get("reason") or status.get("message") else []),
        *(condition for condition in conditions if condition.get("message")),
        {"message": f"it is {status.get('phase') or 'new'}"},
    ]
    return [": ".join(filter(None, (one.get("reason"), one.get("message")))) for one in said]


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
