"""What a container is told by its pod's spec: variables, words, its user, what is mounted. Raises NotYet."""

import base64
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kubernetes import kinds
from tests.kubernetes.container import Mount
from tests.kubernetes.images import PATH, Image
from tests.kubernetes.kinds import Kind
from tests.kubernetes.nodecache import View
from tests.kubernetes.problems import Object
from tests.kubernetes.telling import NODE

_REFERENCE = re.compile(r"\$(\$|\(([-._a-zA-Z][-._a-zA-Z0-9]*)\))")
_ADDRESS = "10.96.0.1"
_SERVICE = {
    "KUBERNETES_SERVICE_HOST": _ADDRESS,
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_SERVICE_PORT_HTTPS": "443",
    "KUBERNETES_PORT": f"tcp://{_ADDRESS}:443",
    "KUBERNETES_PORT_443_TCP": f"tcp://{_ADDRESS}:443",
    "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
    "KUBERNETES_PORT_443_TCP_PORT": "443",
    "KUBERNETES_PORT_443_TCP_ADDR": _ADDRESS,
}


class NotYet(Exception):
    """A container cannot be made now: `reason` it waits for, and words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NotMounted(Exception):
    """A volume cannot be had now."""


@dataclass(frozen=True)
class User:
    """Whom a container runs as."""

    user: int
    group: int
    groups: tuple[int, ...]


def user_of(pod: Object, container: Object, image: Image) -> User:
    """Say whom a container runs as; raises NotYet where that may not be."""
    context = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    user = context.get("runAsUser")
    metadata = pod["metadata"]
    called = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    who = f'(pod: "{called}", container: {container["name"]})'
    if context.get("runAsNonRoot"):
        if user == 0:
            raise NotYet("CreateContainerConfigError", f"container's runAsUser breaks non-root policy {who}")
        if user is None and image.user == 0:
            words = f"container has runAsNonRoot and image will run as root {who}"
            raise NotYet("CreateContainerConfigError", words)
    uid = image.user if user is None else user
    group = context.get("runAsGroup") or 0
    more = [*(context.get("supplementalGroups") or [])]
    if context.get("fsGroup") is not None:
        more.append(context["fsGroup"])
    return User(uid, group, tuple(dict.fromkeys([group, *more])))


def variables(store: View, pod: Object, container: Object, user: User) -> dict[str, str]:
    """Give a container's environment; raises NotYet where what it refers to is missing."""
    home = "/root" if user.user == 0 else "/"
    env = {"PATH": PATH, "HOSTNAME": _host_name(pod), **_SERVICE}
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        found |= _all_of(store, pod["metadata"]["namespace"], source)
    for variable in container.get("env") or []:
        if "valueFrom" in variable and variable["valueFrom"] is not None:
            value = _value(store, pod, variable["valueFrom"])
            if value is not None:
                found[variable["name"]] = value
        else:
            found[variable["name"]] = expanded(variable.get("value") or "", {**_SERVICE, **found})
    return {"HOME": home} | env | found


def _host_name(pod: Object) -> str:
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def expanded(text: str, known: dict[str, str]) -> str:
    """Put in the variables that `$(NAME)` means; what is not known stays as it is."""

    def put(found: "re.Match[str]") -> str:
        if found[1] == "$":
            return "$"
        return known.get(found[2], found[0])

    return _REFERENCE.sub(put, text)


def data_of(store: View, kind: Kind, namespace: str, name: str) -> dict[str, bytes] | None:
    """Give what a Secret or a ConfigMap holds, or None."""
    item = store.find(kind, namespace, name)
    if item is None:
        return None
    coded: dict[str, str] = item.get("binaryData" if kind == kinds.CONFIG_MAP else "data") or {}
    plain: dict[str, str] = (item.get("data") or {}) if kind == kinds.CONFIG_MAP else {}
    decoded = {key: base64.b64decode(value) for key, value in coded.items()}
    return decoded | {key: value.encode() for key, value in plain.items()}


def _missing(kind: Kind, name: str) -> NotYet:
    return NotYet("CreateContainerConfigError", f'{kind.plural[:-1]} "{name}" not found')


def _all_of(store: View, namespace: str, source: Object) -> dict[str, str]:
    for field, kind in (("secretRef", kinds.SECRET), ("configMapRef", kinds.CONFIG_MAP)):
        reference = source.get(field)
        if reference:
            data = data_of(store, kind, namespace, reference["name"])
            if data is None and not reference.get("optional"):
                raise _missing(kind, reference["name"])
            prefix = source.get("prefix") or ""
            return {f"{prefix}{key}": value.decode(errors="replace") for key, value in (data or {}).items()}
    return {}


def _value(store: View, pod: Object, source: Object) -> str | None:
    metadata = pod["metadata"]
    for field, kind in (("secretKeyRef", kinds.SECRET), ("configMapKeyRef", kinds.CONFIG_MAP)):
        reference = source.get(field)
        if not reference:
            continue
        data = data_of(store, kind, metadata["namespace"], reference["name"])
        if data is None and not reference.get("optional"):
            raise _missing(kind, reference["name"])
        value = (data or {}).get(reference["key"])
        if value is None and not reference.get("optional"):
            said = "Secret" if kind == kinds.SECRET else "ConfigMap"
            words = (
                f"couldn't find key {reference['key']} in {said} {metadata['namespace']}/{reference['name']}"
            )
            raise NotYet("CreateContainerConfigError", words)
        return None if value is None else value.decode(errors="replace")
    return _field(pod, (source.get("fieldRef") or {}).get("fieldPath", ""))


def _field(pod: Object, path: str) -> str:
    known = {"status.hostIP": NODE, "status.podIP": pod["status"].get("podIP", "")}
    if path in known:
        return str(known[path])
    found: Any = pod
    label = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if label:
        return str((pod["metadata"].get(label[1]) or {}).get(label[2], ""))
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return str(found)


class Volumes:
    """The volumes of one pod in a directory."""

    def __init__(self, store: View, pod: Object, directory: Path) -> None:
        self._store = store
        self._pod = pod
        self._directory = directory
        self._places: dict[str, Path] = {}

    def make(self) -> None:
        """Make them all; raises NotMounted."""
        for volume in self._pod["spec"].get("volumes") or []:
            name = volume["name"]
            place = self._directory / "volumes" / name
            if (host := volume.get("hostPath")) is not None:
                place = Path(host["path"])
            else:
                place.mkdir(parents=True, exist_ok=True)
                place.chmod(0o777 if volume.get("emptyDir") is not None else 0o755)
            for field, kind in (("secret", kinds.SECRET), ("configMap", kinds.CONFIG_MAP)):
                if (source := volume.get(field)) is not None:
                    self._fill(name, place, kind, source)
            for source in (volume.get("projected") or {}).get("sources") or []:
                for field, kind in (("secret", kinds.SECRET), ("configMap", kinds.CONFIG_MAP)):
                    if source.get(field):
                        self._fill(name, place, kind, {**volume["projected"], **source[field]})
            self._places[name] = place

    def _fill(self, volume: str, place: Path, kind: Kind, source: Object) -> None:
        name = source.get("secretName") or source.get("name") or ""
        namespace = self._pod["metadata"]["namespace"]
        data = data_of(self._store, kind, namespace, name)
        if data is None:
            if source.get("optional"):
                return
            words = f'{kind.plural[:-1]} "{name}" not found'
            raise NotMounted(f'MountVolume.SetUp failed for volume "{volume}" : {words}')
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        group = (self._pod["spec"].get("securityContext") or {}).get("fsGroup")
        for item in items:
            if item["key"] not in data:
                if source.get("optional"):
                    continue
                words = f"{kind.plural[:-1]} references non-existent {kind.plural[:-1]} key: {item['key']}"
                raise NotMounted(
                    f'MountVolume.SetUp failed for volume "{volume}" : '
                    f"references non-existent {kind.plural[:-1]} key: {item['key']}"
                )
            path = place / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[item["key"]])
            mode = item.get("mode") or source.get("defaultMode") or 0o644
            if group is not None:
                os.chown(path, 0, group)
                mode |= (mode & 0o400) >> 3
            path.chmod(mode)

    def mounts(self, container: Object) -> list[Mount]:
        """Give what a container sees of them; raises NotYet."""
        made = []
        kinds_of = {volume["name"]: volume for volume in self._pod["spec"].get("volumes") or []}
        for mounted in container.get("volumeMounts") or []:
            volume = kinds_of[mounted["name"]]
            source = self._places[mounted["name"]]
            if mounted.get("subPath"):
                source = source / mounted["subPath"]
                if not source.exists():
                    source.mkdir(parents=True)
            only_read = any(volume.get(name) is not None for name in ("secret", "configMap", "projected"))
            made.append(Mount(str(source), mounted["mountPath"], bool(mounted.get("readOnly")) or only_read))
        return made
