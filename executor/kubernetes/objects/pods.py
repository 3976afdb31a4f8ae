"""The pod of a run. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ It passes "restricted" of
https://kubernetes.io/docs/concepts/security/pod-security-standards/ but for an image that runs as root.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from executor.kubernetes.client import Object
from executor.kubernetes.objects.merging import merged
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.settings import Settings
from executor.logs.encodings import forms
from executor.reports import files
from executor.spec import UNTRUSTED_TMP, RunSpec
from executor.supervisor.setup import PREFACE, SHELL, TELL_ALL, TELL_OWN, prefaced

RESERVED = ":"
"""No mount of the API may hold it in its path."""
CONTAINER = "job"
"""The name of the container that the job runs in."""
REPORTER = "errand-report"
"""The name of the container beside it that tells what the job reports."""
SIGNALLED = "errand: every process was told to stop"
"""What the hook adds to the termination message where it can signal; without a shell nobody does."""

_SPARE = 2
"""Seconds that the kubelet leaves the hook after its grace, so that it is the hook that kills.

The kubelet sends SIGTERM first, and a shell that waits for what does not obey ends as if that had obeyed.
"""
_NOTE = f"kill -0 -1 && echo '{SIGNALLED}' >>/dev/termination-log\n"
_BEGIN = """now() { n=0; read -r n x </proc/uptime; n=${n%.*}${n#*.}; }
now; end=$((n + $2))
"""
_WAIT = 'do now; [ "$n" -lt $end ] || kill -KILL ${P:--1}; sleep 1 || exit; done'
"""A turn of waiting: kills after `$2` hundredths of a second, the unit of `/proc/uptime`."""
_HOOK = f"{_NOTE}{TELL_ALL}{_BEGIN}while kill -0 -1; {_WAIT}"
"""Signals all but the first process of the pod, which is not the job's, and waits until none is left.

While it waits the kubelet does not signal the job a second time. What it says comes first: the container ends
with the job, and a job that ends at once leaves it no time to say anything afterwards.
"""
_OWN_HOOK = f'{_NOTE}{TELL_OWN}{_BEGIN}while [ "$P" ] && kill -0 "$P"; {_WAIT}'
"""Signals what a shell runs and waits for the shell; any other first process is for the kubelet to signal."""
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
_TOGETHER = 'exec "$@" 2>&1'
"""The node reads a job's two outputs from two pipes, and loses the order in which they were written."""
_FILES, _SECRET_FILES, _TMP = "errand-files", "errand-secret-files", "errand-tmp"
_TMP_AT = "/tmp"  # noqa: S108  # in the container
_REPORT_AT = "/run/errand"
_REPORT_MOUNT = {"name": "errand-report", "mountPath": _REPORT_AT}
_REPORT_VOLUME = {"name": "errand-report", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
"""In memory the limit refuses a write, where on a disk it would evict the pod."""
_REPORT = Path(__file__).with_name("report.sh").read_text(encoding="utf-8")
_SMALL = {"cpu": "50m", "memory": "32Mi"}
_MODE = 0o444
_GPU = "nvidia.com/gpu"
_PLACING = (
    "affinity", "dnsConfig", "dnsPolicy", "hostUsers", "nodeSelector", "priorityClassName",
    "runtimeClassName", "schedulerName", "securityContext", "tolerations", "topologySpreadConstraints",
)  # fmt: skip
"""What of the configured `pod` holds for untrusted code: where and how it runs, nothing that it is given."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a registry and the cluster say of an image.

    `is_non_root`: its user is a number other than 0, which is what the kubelet can check. `pull_secrets`:
    names of Secrets in the run's namespace that its pull needs besides those of the service account.
    """

    is_non_root: bool = False
    pull_secrets: tuple[str, ...] = ()


UNKNOWN = ImageFacts()
"""Of an image that no registry was asked about: it may be one that runs as root."""


@dataclass(frozen=True, slots=True)
class PodData:
    """What lies in the Secret and in the ConfigMap called `name`: variables, and texts by absolute path."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    secret_files: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def secret_data(self) -> dict[str, str]:
        """The texts of the Secret by key."""
        return {**_numbered("env", self.env), **_numbered("file", self.secret_files)}

    @property
    def public_data(self) -> dict[str, str]:
        """The texts of the ConfigMap by key."""
        return _numbered("file", self.files)


def data(spec: RunSpec, name: str, files: Mapping[str, str]) -> PodData:
    """Tell what lies in the Secret and in the ConfigMap called `name`: what holds a secret in the former.

    `files` are texts by absolute path. Raises ValueError where no container can have what `spec` says.
    """
    _check(spec)
    values = [secret.reveal().encode(errors="surrogateescape") for secret in spec.secrets]
    # The forms are those that the log masks; a value that is too short for that is one here.
    hidden = {form for value in values if value for form in (value, *forms(value))}

    def is_hidden(text: str) -> bool:
        return any(form in text.encode() for form in hidden)

    return PodData(
        name=name,
        env={name: value for name, value in spec.env.items() if is_hidden(value)},
        secret_files={path: text for path, text in files.items() if is_hidden(text)},
        files={path: text for path, text in files.items() if not is_hidden(text)},
    )


def _check(spec: RunSpec) -> None:
    """Raise ValueError for what no container can have."""
    if not spec.command:
        raise ValueError("The command is empty.")
    for name in (*spec.env, *spec.references):
        if not name or "=" in name or not (name.isascii() and name.isprintable()):
            raise ValueError(f"Not a name for the environment: {name[:100]!r}.")
    words = (*spec.command, *spec.env.values(), spec.setup or "", spec.workdir or "")
    if any("\0" in word for word in words):
        raise ValueError("A NUL byte in the command, its environment or its working directory.")
    try:
        "".join((*words, *spec.files, *spec.files.values())).encode()
    except UnicodeEncodeError as problem:
        raise ValueError("What a pod is given has to be text, in Unicode.") from problem


def spec(
    run: RunSpec, settings: Settings, workload: Workload | None, facts: ImageFacts, kept: PodData
) -> Object:
    """Give the spec of the pod of a run, with the configured `pod` merged into it last."""
    shared = workload or Workload(settings.namespace, run.image or "")
    account = shared.service_account if workload else settings.service_account
    pull_secrets = shared.pull_secrets if workload else facts.pull_secrets
    reports = settings.pod.get("shareProcessNamespace") is not False  # or nobody sees when the job ends
    container = _container(run, shared, kept, reports=reports)
    pod: Object = {
        **shared.placement,
        "restartPolicy": "Never",
        "shareProcessNamespace": True,
        "enableServiceLinks": False,
        "automountServiceAccountToken": shared.has_token if workload else account is not None,
        "terminationGracePeriodSeconds": _grace(run) + (_SPARE if "lifecycle" in container else 0),
        "securityContext": {
            **({"runAsNonRoot": True} if facts.is_non_root else {}),
            **shared.pod_security,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container, *([_reporter(run, shared)] if reports else [])],
        "volumes": [*_volumes(run, shared, kept), *([_REPORT_VOLUME] if reports else [])],
    }
    if account:
        pod["serviceAccountName"] = account
    if pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    made = merged(pod, _placing(settings.pod) if run.untrusted else settings.pod)
    return made if run.service_account is None else _acting_as(made, run.service_account)


def _placing(pod: Mapping[str, Any]) -> Object:
    """What of the configured `pod` holds for untrusted code; it takes no profile away, sets no sysctl."""
    found = {key: pod[key] for key in _PLACING if key in pod}
    if security := found.get("securityContext"):
        found["securityContext"] = {key: value for key, value in security.items() if _confines(key, value)}
    return found


def _confines(key: str, value: Any) -> bool:
    if key in ("seccompProfile", "appArmorProfile"):
        return isinstance(value, Mapping) and value.get("type") != "Unconfined"
    return key not in ("sysctls", "windowsOptions") and (key, value) != ("runAsNonRoot", False)


def _acting_as(pod: Object, account: str) -> Object:
    """The same as this account, or as nobody, whatever the engine and its `pod` say."""
    others = {key: value for key, value in pod.items() if key not in ("serviceAccount", "serviceAccountName")}
    named = {"serviceAccountName": account} if account else {}
    return {**others, **named, "automountServiceAccountToken": bool(account)}


def _grace(run: RunSpec) -> int:
    return max(1, math.ceil(run.grace))


def _container(run: RunSpec, shared: Workload, kept: PodData, *, reports: bool) -> Object:
    command = prefaced(run.command)
    container: Object = {
        "name": CONTAINER,
        "image": run.image or shared.image,
        # What moves was pinned, and what the node alone has cannot be pulled again.
        "imagePullPolicy": "IfNotPresent",
        "command": [literal(word) for word in _words(run.setup, command)],
        "env": [*_environment(run, shared, kept), *_reporting(reports=reports)],
        "resources": _resources(run),
        "volumeMounts": [*_mounts(run, shared, kept), *([_REPORT_MOUNT] if reports else [])],
        "securityContext": {
            **shared.container_security,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if run.read_only:
        container["securityContext"]["readOnlyRootFilesystem"] = True
    if shared.env_from:
        container["envFrom"] = list(shared.env_from)
    if run.workdir:
        container["workingDir"] = "/" + run.workdir.strip("/")
    if run.signal_children or command != run.command:
        script = _HOOK if run.signal_children else _OWN_HOOK
        hook = ["sh", "-c", script, "sh", PREFACE, f"{_grace(run) * 100}"]
        container["lifecycle"] = {"preStop": {"exec": {"command": hook}}}
    return container


def _reporter(run: RunSpec, shared: Workload) -> Object:
    """Give the container that tells what the job reports, of the job's image (which is there) and its user.

    It comes second, so that the job does not wait for it. With a quota each of them has to ask for something.
    """
    amounts = {name: _SMALL[name] for name in _resources(run).get("requests", ()) if name in _SMALL}
    return {
        "name": REPORTER,
        "image": run.image or shared.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", literal(_REPORT), REPORTER, _REPORT_AT, SIGNALLED],
        "resources": {"requests": amounts, "limits": dict(amounts)} if amounts else {},
        "volumeMounts": [{**_REPORT_MOUNT, "readOnly": True}],
        "securityContext": {
            **shared.container_security,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _reporting(*, reports: bool) -> list[Object]:
    """Give the variables of the files that the job reports in; where nobody reads them they are nowhere."""
    places = files.variables(_REPORT_AT) if reports else dict.fromkeys(files.variables(""), "/dev/null")
    return [{"name": name, "value": place} for name, place in places.items()]


def _words(setup: str | None, command: tuple[str, ...]) -> list[str]:
    words = [*SHELL, setup, *command] if setup else list(command)
    shell = words[0]
    return [shell, "-c", _TOGETHER, shell, *words] if shell.rpartition("/")[2] in _SHELLS else words


def literal(text: str) -> str:
    """Give what means `text` where `$(NAME)` means a variable."""
    return text.replace("$", "$$")


def _environment(run: RunSpec, shared: Workload, kept: PodData) -> list[Object]:
    """Give all variables; one that replaces a workload's takes its place: later ones may refer to it."""
    ours = files.variables("")
    found: dict[str, Object] = {item["name"]: item for item in shared.env if item["name"] not in ours}
    hidden = {name: key for key, name in zip(_numbered("env", kept.env), kept.env, strict=True)}
    for name, reference in run.references.items():
        source = "secretKeyRef" if reference.kind == "secret" else "configMapKeyRef"
        found[name] = {
            "name": name,
            "valueFrom": {source: {"name": reference.name, "key": reference.key}},
        }
    for name, value in run.env.items():
        if name in hidden:
            source_of = {"secretKeyRef": {"name": kept.name, "key": hidden[name]}}
            found[name] = {"name": name, "valueFrom": source_of}
        else:
            found[name] = {"name": name, "value": literal(value)}
    return list(found.values())


def _resources(run: RunSpec) -> Object:
    """What is asked for is also the limit: a job gets it wherever it runs, and no more."""
    amounts: dict[str, str] = {}
    if run.cpu:
        amounts["cpu"] = f"{max(1, round(run.cpu * 1000))}m"
    if run.memory:
        amounts["memory"] = str(run.memory)
    if run.gpu:
        amounts[_GPU] = str(run.gpu)
    return {"requests": amounts, "limits": dict(amounts)} if amounts else {}


def _volumes(run: RunSpec, shared: Workload, kept: PodData) -> list[Object]:
    volumes = list(shared.volumes)
    if kept.files:
        items = _items(kept.files)
        volumes.append(
            {"name": _FILES, "configMap": {"name": kept.name, "defaultMode": _MODE, "items": items}}
        )
    if kept.secret_files:
        items = _items(kept.secret_files)
        volumes.append(
            {"name": _SECRET_FILES, "secret": {"secretName": kept.name, "defaultMode": _MODE, "items": items}}
        )
    if _needs_tmp(run, shared):
        volumes.append({"name": _TMP, "emptyDir": {"sizeLimit": str(UNTRUSTED_TMP)} if run.untrusted else {}})
    return volumes


def _mounts(run: RunSpec, shared: Workload, kept: PodData) -> list[Object]:
    found: dict[str, Object] = {}
    if _needs_tmp(run, shared):
        found[_TMP_AT] = {"name": _TMP, "mountPath": _TMP_AT}
    found |= {mount["mountPath"].rstrip("/"): mount for mount in shared.mounts}
    for volume, texts in ((_FILES, kept.files), (_SECRET_FILES, kept.secret_files)):
        for key, path in zip(_numbered("file", texts), texts, strict=True):
            found[path] = {"name": volume, "mountPath": path, "subPath": key, "readOnly": True}
    return list(found.values())


def _needs_tmp(run: RunSpec, shared: Workload) -> bool:
    return run.read_only and all(mount["mountPath"].rstrip("/") != _TMP_AT for mount in shared.mounts)


def _items(files: Mapping[str, str]) -> list[Object]:
    return [{"key": key, "path": key} for key in _numbered("file", files)]


def _numbered(kind: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Keys for texts: names of variables and paths may have more letters than the key of a Secret."""
    return {f"{kind}-{number}": text for number, text in enumerate(texts.values())}
