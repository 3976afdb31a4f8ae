"""Which Secrets the containers of a pod can read: in their environment and in their files. Pure.

https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets A node alone reads those that open
registries and mount storage (`imagePullSecrets`, `nodePublishSecretRef` and its like); no container has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from executor.kubernetes.client import Object


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A container has `key` of the Secret `name`; None: all keys. It may be missing if `optional`."""

    name: str
    key: str | None
    optional: bool = False


def secret_refs(spec: Object) -> tuple[SecretRef, ...]:
    """Give what the containers of a pod can read, each once: `spec` is its spec, or a part of one."""
    found: dict[SecretRef, None] = {}
    mounted: set[object] = set()
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        found |= dict.fromkeys(chain(_of_env(container), _of_env_from(container)))
        mounted |= {mount.get("name") for mount in container.get("volumeMounts") or ()}
    for volume in spec.get("volumes") or ():
        if volume.get("name") in mounted:
            found |= dict.fromkeys(_of_volume(volume))
    return tuple(ref for ref in found if ref.name)


def _of_env(container: Object) -> Iterator[SecretRef]:
    for variable in container.get("env") or ():
        if source := (variable.get("valueFrom") or {}).get("secretKeyRef"):
            yield SecretRef(_name(source), str(source.get("key") or ""), bool(source.get("optional")))


def _of_env_from(container: Object) -> Iterator[SecretRef]:
    for source in container.get("envFrom") or ():
        if secret := source.get("secretRef"):
            yield SecretRef(_name(secret), None, bool(secret.get("optional")))


def _of_volume(volume: Object) -> Iterator[SecretRef]:
    if secret := volume.get("secret"):
        yield from _of_files(str(secret.get("secretName") or ""), secret)
    for source in (volume.get("projected") or {}).get("sources") or ():
        if secret := source.get("secret"):
            yield from _of_files(_name(secret), secret)


def _of_files(name: str, source: Object) -> Iterator[SecretRef]:
    """Give the keys that become files: those that are listed, or else all."""
    keys = [str(item.get("key") or "") for item in source.get("items") or ()]
    for key in keys or (None,):
        yield SecretRef(name, key, bool(source.get("optional")))


def _name(source: Object) -> str:
    return str(source.get("name") or "")
