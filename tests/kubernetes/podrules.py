"""What the real server refuses of pods and of Jobs. https://kubernetes.io/docs/reference/kubernetes-api/"""

import re
from collections.abc import Iterator
from typing import Any

from tests.kubernetes import kinds, names
from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import (
    Cause,
    Object,
    bad_request,
    duplicate,
    forbidden_field,
    missing,
    required,
    unsupported,
    wrong,
)

_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_SCALES = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
_POLICIES = ("Always", "IfNotPresent", "Never")
_TEMPLATES = (kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET, kinds.REPLICA_SET)


def amount(text: object) -> float:
    """Read a quantity such as `512Mi` or `250m`; raises Problem."""
    found = _QUANTITY.fullmatch(str(text))
    if not found or (found[2] not in _SCALES and not re.fullmatch(r"[eE][-+]?\d+", found[2])):
        raise bad_request(f"quantities must match the regular expression '^{_QUANTITY.pattern}$'")
    if found[2] in _SCALES:
        return float(found[1]) * _SCALES[found[2]]
    return float(f"{found[1]}{found[2]}")


def of_object(kind: Kind, item: Object) -> Iterator[Cause]:
    """Say what is wrong with an object besides its metadata."""
    spec: Object = item.get("spec") or {}
    if kind == kinds.JOB:
        yield from _job(spec, "spec", item)
    elif kind == kinds.CRON_JOB:
        if not spec.get("schedule"):
            yield required("spec.schedule")
        yield from _job((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec", item)
    elif kind == kinds.POD:
        yield from _pod(spec, "spec", ("Always", "OnFailure", "Never"))
    elif kind in _TEMPLATES:
        template = spec.get("template") or {}
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        labels = (template.get("metadata") or {}).get("labels") or {}
        if not wanted:
            yield required("spec.selector")
        elif any(labels.get(name) != value for name, value in wanted.items()):
            yield wrong(
                "spec.template.metadata.labels", labels, "`selector` does not match template `labels`"
            )
        yield from _pod(template.get("spec") or {}, "spec.template.spec", ("Always",))
    elif kind in (kinds.SECRET, kinds.CONFIG_MAP):
        yield from names.keys(item, ("data", "binaryData"))
        if sum(len(str(value)) for value in (item.get("data") or {}).values()) > 1_400_000:
            yield Cause("data", "FieldValueTooLong", "Too long: may not be more than 1048576 bytes")


def _job(spec: Object, path: str, item: Object) -> Iterator[Cause]:
    for name in (
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "parallelism",
        "completions",
    ):
        value = spec.get(name)
        if value is not None and value < 0:
            yield wrong(f"{path}.{name}", value, "must be greater than or equal to 0")
    policy = spec.get("podReplacementPolicy")
    if policy not in (None, "Failed", "TerminatingOrFailed"):
        yield unsupported(f"{path}.podReplacementPolicy", policy, ("Failed", "TerminatingOrFailed"))
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    yield from names.of_metadata(metadata, f"{path}.template")
    inner = template.get("spec") or {}
    restart = inner.get("restartPolicy")
    yield from _pod(inner, f"{path}.template.spec", None)
    if restart not in ("OnFailure", "Never"):
        yield required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    name = (item.get("metadata") or {}).get("name") or ""
    if len(name) > 63:
        yield wrong(f"{path}.template.labels", name, "must be no more than 63 bytes")


def _pod(spec: Object, path: str, restarts: tuple[str, ...] | None) -> Iterator[Cause]:
    volumes = spec.get("volumes") or []
    known: set[str] = set()
    for number, volume in enumerate(volumes):
        yield from _volume(volume, f"{path}.volumes[{number}]", known)
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    taken: set[str] = set()
    for field in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(field) or []):
            yield from _container(container, f"{path}.{field}[{number}]", known, taken)
    restart = spec.get("restartPolicy")
    if restarts and restart and restart not in restarts:
        yield unsupported(f"{path}.restartPolicy", restart, restarts)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and deadline < 1:
        yield wrong(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
    for name, value in (spec.get("nodeSelector") or {}).items():
        yield from names.of_metadata({"labels": {name: value}}, f"{path}.nodeSelector")
    account = spec.get("serviceAccountName")
    if account:
        yield from names.subdomain(account, f"{path}.serviceAccountName")


def _volume(volume: Object, path: str, known: set[str]) -> Iterator[Cause]:
    name = volume.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from names.label(name, f"{path}.name")
        if name in known:
            yield duplicate(f"{path}.name", name)
        known.add(name)
    sources = [field for field, value in volume.items() if field != "name" and value is not None]
    if len(sources) > 1:
        yield forbidden_field(f"{path}.{sources[1]}", "may not specify more than 1 volume type")
    if "secret" in sources and not volume["secret"].get("secretName"):
        yield required(f"{path}.secret.secretName")
    if "configMap" in sources and not volume["configMap"].get("name"):
        yield required(f"{path}.configMap.name")
    for field in ("secret", "configMap"):
        if field in sources:
            yield from _items(volume[field], f"{path}.{field}")


def _items(source: Object, path: str) -> Iterator[Cause]:
    for field, mode in [("defaultMode", source.get("defaultMode"))] + [
        (f"items[{number}].mode", item.get("mode")) for number, item in enumerate(source.get("items") or [])
    ]:
        if mode is not None and not 0 <= mode <= 0o777:
            words = "must be a number between 0 and 0777 (octal), both inclusive"
            yield wrong(f"{path}.{field}", mode, words)
    for number, item in enumerate(source.get("items") or []):
        if not item.get("key"):
            yield required(f"{path}.items[{number}].key")
        if not item.get("path"):
            yield required(f"{path}.items[{number}].path")
        else:
            yield from _inside(item["path"], f"{path}.items[{number}].path")


def _inside(path: str, field: str) -> Iterator[Cause]:
    if path.startswith("/"):
        yield wrong(field, path, "must be a relative path")
    if ".." in path.split("/"):
        yield wrong(field, path, "must not contain '..'")


def _container(container: Object, path: str, volumes: set[str], taken: set[str]) -> Iterator[Cause]:
    name = container.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from names.label(name, f"{path}.name")
        if name in taken:
            yield duplicate(f"{path}.name", name)
        taken.add(name)
    image = container.get("image")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield wrong(f"{path}.image", image, "must not have leading or trailing whitespace")
    if (policy := container.get("imagePullPolicy")) and policy not in _POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", policy, _POLICIES)
    yield from _variables(container, path)
    yield from _mounts(container, path, volumes)
    yield from _resources(container.get("resources") or {}, f"{path}.resources")
    yield from _security(container.get("securityContext") or {}, f"{path}.securityContext")


def _variables(container: Object, path: str) -> Iterator[Cause]:
    for number, variable in enumerate(container.get("env") or []):
        where = f"{path}.env[{number}]"
        if not variable.get("name"):
            yield required(f"{where}.name")
        else:
            yield from names.variable(variable["name"], f"{where}.name")
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            yield wrong(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
        if len([value for value in source.values() if value is not None]) != 1:
            words = (
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` "
                "or `fileKeyRef`"
            )
            yield wrong(f"{where}.valueFrom", "", words)
        for kind in ("secretKeyRef", "configMapKeyRef"):
            if (reference := source.get(kind)) is not None:
                if not reference.get("name"):
                    yield required(f"{where}.valueFrom.{kind}.name")
                if not reference.get("key"):
                    yield required(f"{where}.valueFrom.{kind}.key")
                elif not names.KEY.fullmatch(reference["key"]):
                    yield from names.keys({"data": {reference["key"]: ""}}, ("data",))


def _mounts(container: Object, path: str, volumes: set[str]) -> Iterator[Cause]:
    places: set[str] = set()
    for number, mounted in enumerate(container.get("volumeMounts") or []):
        where = f"{path}.volumeMounts[{number}]"
        if not mounted.get("name"):
            yield required(f"{where}.name")
        elif mounted["name"] not in volumes:
            yield missing(f"{where}.name", mounted["name"])
        place = mounted.get("mountPath")
        if not place:
            yield required(f"{where}.mountPath")
        elif place in places:
            yield wrong(f"{where}.mountPath", place, "must be unique")
        places.add(place)
        if mounted.get("subPath"):
            yield from _inside(mounted["subPath"], f"{where}.subPath")


def _resources(resources: Object, path: str) -> Iterator[Cause]:
    limits: dict[str, Any] = resources.get("limits") or {}
    requests: dict[str, Any] = resources.get("requests") or {}
    for field, values in (("limits", limits), ("requests", requests)):
        for name, value in values.items():
            if (
                name not in ("cpu", "memory", "ephemeral-storage")
                and "/" not in name
                and "hugepages" not in name
            ):
                yield wrong(
                    f"{path}.{field}[{name}]", name, "must be a standard resource type or fully qualified"
                )
            if amount(value) < 0:
                yield wrong(f"{path}.{field}[{name}]", str(value), "must be greater than or equal to 0")
    for name, value in requests.items():
        if name in limits and amount(value) > amount(limits[name]):
            yield wrong(
                f"{path}.requests",
                str(value),
                f"must be less than or equal to {name} limit of {limits[name]}",
            )
    for name in {*limits, *requests}:
        if "/" in name and limits.get(name) is None:
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")


def _security(context: Object, path: str) -> Iterator[Cause]:
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        yield wrong(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    for name in ("runAsUser", "runAsGroup"):
        if (context.get(name) or 0) < 0:
            yield wrong(f"{path}.{name}", context[name], "must be between 0 and 2147483647, inclusive")
