"""What may stand in `pod`: the fields of a pod of Kubernetes, as far as that is known without a cluster.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodSpec What lies deeper than
these tables is checked by the API server, which refuses what it does not know. A value of null takes away
what would stand there.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import WithJsonSchema

from bot.config.document import Document, Path, Value
from bot.text.wording import nearest

TEXT, NUMBER, FLAG = "a text", "a whole number", "true or false"
TEXTS, LABELS, AMOUNTS = "a list of texts", "names and texts", "names and amounts"
OBJECT, OBJECTS = "keys and values", "a list of keys and values"

_IS = {
    TEXT: lambda value: isinstance(value, str),
    NUMBER: lambda value: isinstance(value, int) and not isinstance(value, bool),
    FLAG: lambda value: isinstance(value, bool),
    TEXTS: lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
    LABELS: lambda value: _maps(value, str),
    AMOUNTS: lambda value: _maps(value, (str, int, float)),
    OBJECT: lambda value: isinstance(value, dict),
    OBJECTS: lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
}


def _fields(**names: str) -> dict[str, str]:
    """What each field is to be, from the names of those that are the same."""
    kinds = {
        "text": TEXT,
        "number": NUMBER,
        "flag": FLAG,
        "texts": TEXTS,
        "labels": LABELS,
        "amounts": AMOUNTS,
        "object": OBJECT,
        "objects": OBJECTS,
    }
    return {name: kinds[kind] for kind, listed in names.items() for name in listed.split()}


PODS = _fields(
    text="dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName restartPolicy"
    " runtimeClassName schedulerName serviceAccount serviceAccountName subdomain",
    number="activeDeadlineSeconds priority terminationGracePeriodSeconds",
    flag="automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers"
    " setHostnameAsFQDN shareProcessNamespace",
    object="affinity dnsConfig os resources schedulingGroup securityContext",
    objects="containers ephemeralContainers evictionResponders hostAliases imagePullSecrets initContainers"
    " readinessGates resourceClaims schedulingGates tolerations topologySpreadConstraints volumes",
    labels="nodeSelector",
    amounts="overhead",
)
CONTAINERS = _fields(
    text="image imagePullPolicy name restartPolicy terminationMessagePath terminationMessagePolicy"
    " workingDir",
    flag="stdin stdinOnce tty",
    texts="args command",
    object="lifecycle livenessProbe readinessProbe resources securityContext startupProbe",
    objects="env envFrom ports resizePolicy restartPolicyRules volumeDevices volumeMounts",
)
TOLERATIONS = _fields(text="effect key operator value", number="tolerationSeconds")
AFFINITY = _fields(object="nodeAffinity podAffinity podAntiAffinity")
RESOURCES = _fields(objects="claims", amounts="limits requests")

_INSIDE = {
    (): PODS,
    ("affinity",): AFFINITY,
    ("containers",): CONTAINERS,
    ("containers", "resources"): RESOURCES,
    ("initContainers",): CONTAINERS,
    ("initContainers", "resources"): RESOURCES,
    ("tolerations",): TOLERATIONS,
}
"""What is known of the objects at a path, list items left out of it."""

_NAMED = ("containers", "initContainers", "volumes", "imagePullSecrets")
"""Lists that are merged by the names in them."""

_OURS = {
    "restartPolicy": "a run starts once; retries of the job are attempts of their own",
    "activeDeadlineSeconds": "timeout of the job says it",
    "terminationGracePeriodSeconds": "grace of the job says it",
    "ephemeralContainers": "no pod is created with them",
}
"""Fields that no patch may set, and why."""


_FORMS: dict[str, dict[str, Any]] = {
    TEXT: {"type": "string"},
    NUMBER: {"type": "integer"},
    FLAG: {"type": "boolean"},
    TEXTS: {"type": "array", "items": {"type": "string"}},
    LABELS: {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
    AMOUNTS: {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}},
    OBJECT: {"type": "object"},
    OBJECTS: {"type": "array", "items": {"type": "object"}},
}
"""The same as JSON Schema. What stands in `${NAME}` is a text, which fields that are none do not take."""


def _schema(inside: tuple[str, ...]) -> dict[str, Any]:
    """What is known of the objects at a path."""
    properties: dict[str, Any] = {}
    for key, kind in _INSIDE[inside].items():
        if not inside and key in _OURS:
            continue
        form = dict(_FORMS[kind])
        if (*inside, key) in _INSIDE:
            known = _schema((*inside, key))
            form |= {"items": known} if kind == OBJECTS else known
        properties[key] = form | {"type": [form["type"], "null"]}
    return {"type": "object", "properties": properties, "additionalProperties": False}


PodPatch = Annotated[dict[str, Any], WithJsonSchema({**_schema(()), "x-whole": True})]
"""A part of a pod's spec, as it is written in the file."""


def check_pods(document: Document, data: Mapping[str, Value]) -> None:
    """Add to the mistakes of `document` what no pod can have in `pod` of the engine and of its builder."""
    engine = data.get("engine")
    cluster = engine.get("kubernetes") if isinstance(engine, dict) else None
    if not isinstance(cluster, dict):
        return
    at: Path = ("engine", "kubernetes")
    builder = cluster.get("builder")
    for path, holder in ((at, cluster), ((*at, "builder"), builder)):
        pod = holder.get("pod") if isinstance(holder, dict) else None
        if isinstance(pod, dict):  # anything else is told already
            _check(document, (*path, "pod"), pod, ())


def _check(document: Document, path: Path, value: Mapping[str, Value], inside: tuple[str, ...]) -> None:
    known = _INSIDE.get(inside)
    if known is None:
        return
    for key, item in value.items():
        at = (*path, key)
        if key not in known:
            near = nearest(key, known)
            hint = f"; did you mean {near}?" if near else ""
            document.wrong(at, f"no such field{hint}" if inside else f"no field of a pod{hint}", key=True)
        elif not inside and key in _OURS:
            document.wrong(at, f"{key} cannot be set here: {_OURS[key]}", key=True)
        elif item is not None and not _IS[known[key]](item):
            document.wrong(at, f"expected {known[key]}")
        else:
            _check_items(document, at, item, (*inside, key))


def _check_items(document: Document, path: Path, value: Value, inside: tuple[str, ...]) -> None:
    if isinstance(value, dict):
        _check(document, path, value, inside)
    for index, item in enumerate(value) if isinstance(value, list) else ():
        if not isinstance(item, dict):
            continue
        if len(inside) == 1 and inside[0] in _NAMED and not isinstance(item.get("name"), str):
            document.wrong((*path, index), "name is required: by it this is merged")
        _check(document, (*path, index), item, inside)


def _maps(value: Value, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, dict) and all(
        item is None or (isinstance(item, kinds) and not isinstance(item, bool)) for item in value.values()
    )
