"""The objects that a run is made of: a Job, and what its environment and its files lie in. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from executor.kubernetes.client import Object
from executor.kubernetes.objects import pods
from executor.kubernetes.objects.pods import UNKNOWN, ImageFacts
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.resources import (
    CONFIGMAPS,
    ERRAND,
    FINALIZER,
    INSTALLATION,
    KEY,
    MANAGED_BY,
    MASKED,
    SECRETS,
    STOP,
    Resource,
    name_of,
)
from executor.kubernetes.settings import Settings
from executor.spec import About, RunSpec
from executor.words import hidden

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"

Component = Literal["run", "build"]

_WEEK = 7 * 24 * 3600
"""Seconds for which a Job that nobody removes stays."""
_ODD = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST = 63
"""Characters of a label."""
_TEXT = 4096
"""Characters of an annotation; all annotations of an object may have 256 KiB."""
_MOST = 16
"""Labels and annotations that an `About` may have of its own."""


@dataclass(frozen=True, slots=True)
class Manifests:
    """The objects of a run or a build as the API takes them; all have the same name and namespace.

    `secret` and `configmap` have to exist before `job` is created and belong to it afterwards; they are None
    where nothing needs them.
    """

    job: Object
    secret: Object | None = None
    configmap: Object | None = None

    @property
    def belongings(self) -> list[tuple[Resource, Object]]:
        """What is created before the Job, with its kind."""
        return [(one, body) for one, body in ((SECRETS, self.secret), (CONFIGMAPS, self.configmap)) if body]


def of_run(
    spec: RunSpec,
    files: Mapping[str, str],
    settings: Settings,
    workload: Workload | None = None,
    facts: ImageFacts = UNKNOWN,
) -> Manifests:
    """Give the objects of a run; raises ValueError where no pod can have what `spec` says.

    `files` are its texts by absolute path.
    """
    namespace = workload.namespace if workload else settings.namespace
    ours = metadata(spec.key, namespace, spec.about, settings.installation, "run")
    kept = pods.data(spec, ours["name"], files)
    pod = pods.spec(spec, settings, workload, facts, kept)
    deadline = settings.pending_timeout + spec.timeout + spec.grace
    return Manifests(
        job=job(ours, pod, deadline, _marks(spec, workload)),
        secret=secret(ours, kept.secret_data),
        configmap=_configmap(ours, kept.public_data),
    )


def metadata(key: str, namespace: str, about: About, installation: str, component: Component) -> Object:
    """Give the metadata of all that the run or the build `key` is made of."""
    name = name_of(key)
    return {
        "name": name,
        "namespace": namespace,
        "labels": labels(name, about, installation, component),
        "annotations": annotations(key, about),
    }


def labels(name: str, about: About, installation: str, component: Component) -> dict[str, str]:
    """Give the labels of what is called `name`.

    The name is `errand-run`, not that of the job or of Errand itself, whose Services select pods by it.
    """
    return {
        **{_name(label): fit(value) for label, value in _some(about.labels)},
        NAME: f"{ERRAND}-{component}",
        COMPONENT: component,
        MANAGED_BY: ERRAND,
        INSTALLATION: fit(installation),
        KEY: name,
    }


def annotations(key: str, about: About) -> dict[str, str]:
    """Give the annotations of what belongs to `key`."""
    values = {_name(name): _text(value) for name, value in _some(about.annotations)}
    for ours in (STOP, MASKED):
        values.pop(ours, None)
    return {**values, KEY: key}


def fit(value: str) -> str:
    """Give the value of a label that is as much like `value` as one may be; it may be empty."""
    return _ODD.sub("_", value)[:_LONGEST].strip("_.-")


def _name(name: str) -> str:
    return f"{ERRAND}/{fit(name) or 'x'}"


def _some(named: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(named.items())[:_MOST]


def _text(value: str) -> str:
    return value.encode(errors="replace").decode()[:_TEXT]


def _marks(spec: RunSpec, workload: Workload | None) -> dict[str, str]:
    """Name for every bot the variables of the workload that the log has to be searched for."""
    shared = workload.env if workload else ()
    written = {item["name"]: item.get("value") or "" for item in shared if "valueFrom" not in item}
    names = [name for name in hidden(written) if name not in spec.env]
    return {MASKED: json.dumps(names)} if names else {}


def job(metadata: Object, pod: Object, deadline: float, marks: Mapping[str, str] | None = None) -> Object:
    """Give the Job of one pod, which is tried once and has `deadline` seconds at most.

    `marks` are annotations that it has and its pod has not.
    """
    ours = {"labels": metadata["labels"], "annotations": metadata["annotations"], "finalizers": [FINALIZER]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, "annotations": {**metadata["annotations"], **(marks or {})}},
        "spec": {
            "completions": 1,
            "parallelism": 1,
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": math.ceil(deadline),
            "ttlSecondsAfterFinished": _WEEK,
            "template": {"metadata": ours, "spec": pod},
        },
    }


def secret(metadata: Object, data: Mapping[str, str]) -> Object | None:
    """Give the Secret with `data`; None where there is none."""
    if not data:
        return None
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "immutable": True,
        "data": encoded,
    }


def _configmap(metadata: Object, data: Mapping[str, str]) -> Object | None:
    if not data:
        return None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "data": dict(data),
    }
