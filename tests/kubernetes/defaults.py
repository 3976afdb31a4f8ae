"""What a server fills in where an object says nothing."""

import base64
from typing import Any
from uuid import uuid4

from tests.kubernetes import kinds
from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Object

_TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for key in ("not-ready", "unreachable")
]
_MODE = 0o644


def fill(kind: Kind, item: Object) -> None:
    """Fill in a new object, in place."""
    match kind:
        case kinds.JOB:
            _job(item)
        case kinds.POD:
            _pod(item)
        case kinds.CRON_JOB:
            spec = item.setdefault("spec", {})
            _defaults(spec, concurrencyPolicy="Allow", suspend=False)
            _defaults(spec, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
            inner = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
            pod_spec(inner.setdefault("template", {}).setdefault("spec", {}))
        case kinds.DEPLOYMENT | kinds.STATEFUL_SET | kinds.DAEMON_SET:
            _workload(kind, item)
        case kinds.SECRET:
            texts = item.pop("stringData", None) or {}
            coded = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
            if coded or item.get("data"):
                item["data"] = {**(item.get("data") or {}), **coded}
            item.setdefault("type", "Opaque")
        case kinds.NAMESPACE:
            item["spec"] = {"finalizers": ["kubernetes"]}
            item["status"] = {"phase": "Active"}
            item["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = item["metadata"][
                "name"
            ]


def _defaults(target: Object, **values: Any) -> None:
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def _job(item: Object) -> None:
    metadata = item["metadata"]
    uid = metadata.setdefault("uid", str(uuid4()))
    metadata["generation"] = 1
    spec = item.setdefault("spec", {})
    _defaults(spec, backoffLimit=6, completionMode="NonIndexed", suspend=False, manualSelector=False)
    _defaults(spec, parallelism=1)
    if spec.get("completions") is None and spec["parallelism"] == 1:
        spec["completions"] = 1
    template = spec.setdefault("template", {})
    ours = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": metadata["name"],
        "controller-uid": uid,
        "job-name": metadata["name"],
    }
    meta = template.setdefault("metadata", {}) or {}
    template["metadata"] = {**meta, "labels": {**(meta.get("labels") or {}), **ours}}
    if not metadata.get("labels"):
        metadata["labels"] = dict(template["metadata"]["labels"])
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    _defaults(spec, podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    pod_spec(template.setdefault("spec", {}))
    item["status"] = {}


def _workload(kind: Kind, item: Object) -> None:
    item["metadata"]["generation"] = 1
    spec = item.setdefault("spec", {})
    if kind != kinds.DAEMON_SET:
        _defaults(spec, replicas=1)
    inner = spec.setdefault("template", {}).setdefault("spec", {})
    _defaults(inner, restartPolicy="Always")
    pod_spec(inner)
    item["status"] = {}


def _pod(item: Object) -> None:
    item["metadata"]["generation"] = 1
    spec = item.setdefault("spec", {})
    pod_spec(spec)
    _defaults(spec, restartPolicy="Always", serviceAccountName="default", priority=0, enableServiceLinks=True)
    _defaults(spec, preemptionPolicy="PreemptLowerPriority")
    spec["serviceAccount"] = spec["serviceAccountName"]
    has = {toleration.get("key") for toleration in spec.get("tolerations") or []}
    missing = [dict(known) for known in _TOLERATIONS if known["key"] not in has]
    spec["tolerations"] = [*(spec.get("tolerations") or []), *missing]
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        resources = container["resources"]
        if limits := resources.get("limits"):
            resources["requests"] = {**limits, **(resources.get("requests") or {})}
    item["status"] = {"phase": "Pending", "qosClass": _quality(spec)}


def pod_spec(spec: Object) -> None:
    """Fill in the spec of a pod or of a pod's template, in place."""
    _defaults(spec, terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst", securityContext={})
    _defaults(spec, schedulerName="default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        if not isinstance(container, dict):
            continue
        tag = str(container.get("image", "")).rpartition("/")[2]
        newest = "@" not in tag and (":" not in tag or tag.endswith(":latest"))
        _defaults(container, resources={}, terminationMessagePath="/dev/termination-log")
        _defaults(container, terminationMessagePolicy="File")
        _defaults(container, imagePullPolicy="Always" if newest else "IfNotPresent")
        for variable in container.get("env") or []:
            if reference := (variable.get("valueFrom") or {}).get("fieldRef"):
                _defaults(reference, apiVersion="v1")
    for volume in spec.get("volumes") or []:
        if set(volume) == {"name"}:
            volume["emptyDir"] = {}
        for source in ("secret", "configMap", "downwardAPI", "projected"):
            if volume.get(source) is not None:
                _defaults(volume[source], defaultMode=_MODE)


def _quality(spec: Object) -> str:
    containers = spec.get("containers") or []
    asked = [container["resources"] for container in containers]
    if not any(item.get("requests") or item.get("limits") for item in asked):
        return "BestEffort"
    full = all(
        {"cpu", "memory"} <= set(item.get("limits") or {}) and item.get("requests") == item.get("limits")
        for item in asked
    )
    return "Guaranteed" if full else "Burstable"
