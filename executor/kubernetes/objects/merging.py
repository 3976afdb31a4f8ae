"""A strategic merge into the spec of a pod: lists of named things are merged by name. Pure.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ and for which list
has which key `patchMergeKey` in https://github.com/kubernetes/api/blob/master/core/v1/types.go
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

_CONTAINER = {
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
}
_POD = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
    "schedulingGates": "name",
}
"""Which key tells the items of a list apart; every other list (tolerations, command) is replaced whole."""
_KEYS: Mapping[tuple[str, ...], str] = {
    **{(name,): key for name, key in _POD.items()},
    **{
        (containers, name): key
        for containers in ("containers", "initContainers", "ephemeralContainers")
        for name, key in _CONTAINER.items()
    },
}


def merged(spec: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Give `spec` with `patch` merged into it as the API server would; neither is changed.

    Maps are merged, None deletes, items of named lists are merged with the item of that name or else added.
    """
    return _maps(spec, patch, ())


def check(patch: object, where: str = "pod") -> None:
    """Raise ValueError with the place of what cannot be merged: directives, and items without their name."""
    _check(patch, where, ())


def _check(patch: object, where: str, path: tuple[str, ...]) -> None:
    if isinstance(patch, Mapping):
        for name, value in patch.items():
            if not isinstance(name, str):
                raise ValueError(f"{where}: {name!r} is no name of a field.")
            if name.startswith("$"):
                raise ValueError(
                    f"{where}.{name}: directives of a patch are not understood; null removes a field."
                )
            _check(value, f"{where}.{name}", (*path, name))
    elif isinstance(patch, Sequence) and not isinstance(patch, (str, bytes)):
        key = _KEYS.get(path)
        for number, item in enumerate(patch):
            if key and not (isinstance(item, Mapping) and key in item):
                raise ValueError(f"{where}[{number}]: it is merged by its {key}, and has none.")
            _check(item, f"{where}[{number}]", path)


def _maps(old: Mapping[str, Any], patch: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    new = dict(deepcopy(old))
    for name, value in patch.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = _values(new.get(name), value, (*path, name))
    return new


def _values(old: Any, patch: Any, path: tuple[str, ...]) -> Any:
    if isinstance(patch, Mapping):
        return _maps(old if isinstance(old, Mapping) else {}, patch, path)
    if isinstance(patch, (list, tuple)):
        key = _KEYS.get(path)
        return (
            _lists(old if isinstance(old, list) else [], patch, key, path) if key else deepcopy(list(patch))
        )
    return patch


def _lists(old: Sequence[Any], patch: Sequence[Any], key: str, path: tuple[str, ...]) -> list[Any]:
    new = {item.get(key): dict(item) for item in old}
    order = _order(list(new), list(dict.fromkeys(item.get(key) for item in patch)))
    for item in patch:
        new[item.get(key)] = _maps(new.get(item.get(key), {}), item, path)
    return [new[name] for name in order]


def _order(old: list[Any], patch: list[Any]) -> list[Any]:
    """Give the names in the order that the API server puts them in: new ones first, if nothing else says."""
    place = {name: number for number, name in enumerate(old)}
    left, order = [name for name in old if name not in patch], []
    for name in patch:
        while left and place[left[0]] < place.get(name, 0):
            order.append(left.pop(0))
        order.append(name)
    return order + left
