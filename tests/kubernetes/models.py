"""Whether an object is what the official client's models know, field by field."""

import json
import re
from datetime import datetime
from typing import Any

from kubernetes.client import ApiClient, models
from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Object, bad_request

_CLIENT = ApiClient()
_LIST = re.compile(r"[Ll]ist\[(.+)\]")
_DICT = re.compile(r"[Dd]ict\[str, (.+)\]")
_QUANTITIES = ("limits", "requests", "hard", "used", "capacity", "sizeLimit", "allocatedResources")
_GO = {"str": "string", "int": "number", "float": "number", "bool": "bool", "bytes": "string"}


def check(kind: Kind, item: Object) -> None:
    """Raise Problem where a round trip through the model would lose or change something."""
    wrong: list[str] = []
    try:
        _compare(item, kind.model, "", wrong)
    except TypeError as problem:
        raise _refused(kind, str(problem)) from None
    if wrong:
        said = f"strict decoding error: {', '.join(wrong)}"
        raise bad_request(f'{kind.name} in version "v1" cannot be handled as a {kind.name}: {said}')
    plain = _without_nulls(item)
    try:
        model = _CLIENT.deserialize(json.dumps(plain), kind.model, "application/json")
    except (ValueError, TypeError) as problem:
        # What must be there and is not has a sentence of its own where the object is validated.
        if "must not be `None`" in str(problem):
            return
        raise _refused(kind, str(problem)) from None
    if _normal(_CLIENT.sanitize_for_serialization(model)) != _normal(plain):
        raise _refused(kind, "a round trip through its model changes it")


def _compare(value: Any, kind: str, path: str, wrong: list[str]) -> None:
    if value is None or kind in ("object", "datetime"):
        return
    if found := _LIST.fullmatch(kind):
        _expect(value, list, path, "slice")
        for number, item in enumerate(value):
            _compare(item, found[1], f"{path}[{number}]", wrong)
    elif found := _DICT.fullmatch(kind):
        _expect(value, dict, path, "map")
        quantities = path.rpartition(".")[2] in _QUANTITIES
        for name, item in value.items():
            if not (quantities and isinstance(item, (int, float))):
                _compare(item, found[1], f"{path}.{name}", wrong)
    elif kind in _GO:
        if not (kind == "str" and path.rpartition(".")[2] in _QUANTITIES):
            _plain(value, kind, path)
    else:
        _fields(value, getattr(models, kind), path, wrong)


def _fields(value: Any, model: Any, path: str, wrong: list[str]) -> None:
    _expect(value, dict, path, model.__name__)
    names = {there: model.openapi_types[here] for here, there in model.attribute_map.items()}
    for name, item in value.items():
        inner = f"{path}.{name}" if path else name
        if name in names:
            _compare(item, names[name], inner, wrong)
        else:
            wrong.append(f'unknown field "{inner}"')


def _plain(value: Any, kind: str, path: str) -> None:
    fits = {
        "str": isinstance(value, str),
        "bytes": isinstance(value, str),
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, (int, float)) and not isinstance(value, bool),
    }
    if not fits[kind]:
        raise _unreadable(value, path, "int32" if kind == "int" else _GO[kind])


def _expect(value: Any, kind: type, path: str, word: str) -> None:
    if not isinstance(value, kind):
        raise _unreadable(value, path, word)


def _unreadable(value: Any, path: str, wanted: str) -> Exception:
    kinds = {dict: "object", list: "array", str: "string", bool: "bool"}
    said = kinds.get(type(value), "number")
    return TypeError(f"json: cannot unmarshal {said} into Go struct field .{path} of type {wanted}")


def _refused(kind: Kind, words: str) -> Exception:
    return bad_request(f'{kind.name} in version "v1" cannot be handled as a {kind.name}: {words}')


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _normal(value: Any) -> Any:
    """Give a form in which the same time and the same quantity look the same."""
    if isinstance(value, dict):
        return {name: _normal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
