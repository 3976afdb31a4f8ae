"""The objects that a run is made of: a Job, and what its environment and its files lie in. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/
"""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from executor.kubernetes.client import Object
from executor.kubernetes.objects import labels, pods
from executor.kubernetes.objects.labels import Component
from executor.kubernetes.objects.pods import UNKNOWN, ImageFacts
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.resources import FINALIZER, MASKED, name_of
from executor.kubernetes.settings import Settings
from executor.logs.encodings import forms
from executor.spec import About, RunSpec, Secret
from executor.targets import targets

_WEEK = 7 * 24 * 3600
"""Seconds for which a Job that nobody removes stays."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The objects of a run as the API takes them; all have the same name, in `namespace`.

    `secret` and `configmap` have to exist before `job` is created, and are None where nothing needs them.
    """

    name: str
    namespace: str
    job: Object
    secret: Object | None
    configmap: Object | None


def manifest(
    spec: RunSpec, settings: Settings, workload: Workload | None = None, facts: ImageFacts = UNKNOWN
) -> Manifest:
    """Give the objects of a run; raises ValueError where no pod can have what `spec` says."""
    pods.check(spec)
    hidden = _Hidden(spec.secrets)
    files = targets(spec.files, reserved=pods.RESERVED)
    kept = pods.PodData(
        name=name_of(spec.key),
        env={name: value for name, value in spec.env.items() if hidden.is_in(value)},
        secret_files={path: text for path, text in files.items() if hidden.is_in(text)},
        files={path: text for path, text in files.items() if not hidden.is_in(text)},
    )
    namespace = workload.namespace if workload else settings.namespace
    ours = metadata((kept.name, spec.key), namespace, spec.about, settings.installation, "run")
    deadline = settings.pending_timeout + spec.timeout + spec.grace
    return Manifest(
        name=kept.name,
        namespace=namespace,
        job=job(ours, pods.spec(spec, settings, workload, facts, kept), deadline, _marks(spec, workload)),
        secret=secret(ours, kept.secret_data),
        configmap=_configmap(ours, kept.public_data),
    )


def metadata(
    called: tuple[str, str], namespace: str, about: About, installation: str, component: Component
) -> Object:
    """Give the metadata of all that a run or a build is made of, which is `called` by a name and a key."""
    name, key = called
    return {
        "name": name,
        "namespace": namespace,
        "labels": labels.labels(name, about, installation, component),
        "annotations": labels.annotations(key, about),
    }


def _marks(spec: RunSpec, workload: Workload | None) -> dict[str, str]:
    """Name for every bot the variables of the workload that the log has to be searched for."""
    names = [name for name in workload.masked if name not in spec.env] if workload else []
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


class _Hidden:
    """Tells which texts only a Secret may hold."""

    def __init__(self, secrets: tuple[Secret, ...]) -> None:
        values = [secret.reveal().encode(errors="surrogateescape") for secret in secrets]
        # The forms are those that the log masks; a value that is too short for that is one here.
        self._forms = {form for value in values if value for form in (value, *forms(value))}

    def is_in(self, text: str) -> bool:
        data = text.encode()
        return any(form in data for form in self._forms)
