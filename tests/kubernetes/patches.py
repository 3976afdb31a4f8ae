"""The three kinds of patches. RFC 7396, RFC 6902, and the strategic merge of Kubernetes by name."""

from copy import deepcopy
from typing import Any

from tests.kubernetes.problems import Object, Problem, bad_request

_BY_KEY = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "ownerReferences": "uid",
    "conditions": "type",
    "hostAliases": "ip",
}
"""Lists of objects that a strategic merge goes through by this field of theirs; others are replaced."""
_SETS = ("finalizers",)


def apply(media_type: str, target: Object, patch: Any) -> Object:
    """Give the patched object; raises Problem."""
    if media_type == "application/json-patch+json":
        return _operations(deepcopy(target), patch)
    if not isinstance(patch, dict):
        raise bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}")
    if media_type == "application/merge-patch+json":
        return _merged(target, patch)
    return _strategic(target, patch)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value)
    return result


def _strategic(target: Any, patch: Object) -> Object:
    result = dict(target) if isinstance(target, dict) else {}
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            plain = name.partition("/")[2]
            result[plain] = [item for item in result.get(plain) or [] if item not in value]
        elif name.startswith("$"):
            continue
        elif value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = _strategic(result.get(name), value)
        elif name in _BY_KEY and isinstance(value, list):
            result[name] = _by_key(result.get(name) or [], value, _BY_KEY[name])
        elif name in _SETS:
            result[name] = list(dict.fromkeys([*(result.get(name) or []), *value]))
        else:
            result[name] = deepcopy(value)
    return result


def _by_key(target: list[Object], patch: list[Object], key: str) -> list[Object]:
    result = list(target)
    for item in patch:
        at = next((at for at, known in enumerate(result) if known.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [known for known in result if known.get(key) != item.get(key)]
        elif at is None:
            result.append(deepcopy(item))
        else:
            result[at] = _strategic(result[at], item)
    return result


def _rejected() -> Problem:
    return Problem(422, "Invalid", "the server rejected our request due to an error in our request", {})


def _operations(target: Any, patch: Any) -> Object:
    if not isinstance(patch, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document = {"": target}
    for step in patch:
        try:
            _operate(document, step)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            raise _rejected() from None
    result: Object = document[""]
    return result


def _operate(document: Any, step: Object) -> None:
    holder, name = _find(document, step["path"])
    match step["op"]:
        case "test":
            if _get(holder, name) != step["value"]:
                raise ValueError(step["path"])
        case "remove":
            del holder[name]
        case "replace":
            _get(holder, name)
            holder[name] = step["value"]
        case "add":
            _add(holder, name, step["value"])
        case "copy" | "move":
            source, key = _find(document, step["from"])
            value = _get(source, key)
            if step["op"] == "move":
                del source[key]
            _add(holder, name, deepcopy(value))
        case other:
            raise ValueError(other)


def _get(holder: Any, name: Any) -> Any:
    return holder[name]


def _add(holder: Any, name: Any, value: Any) -> None:
    if isinstance(holder, list):
        holder.insert(name, value)
    else:
        holder[name] = value


def _find(document: Any, path: str) -> tuple[Any, Any]:
    holder = document
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")]
    for part in parts[:-1]:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    last: Any = parts[-1]
    if isinstance(holder, list):
        last = len(holder) if last == "-" else int(last)
    return holder, last
