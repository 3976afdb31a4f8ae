"""Which objects a `labelSelector` or a `fieldSelector` means."""

import re
from collections.abc import Callable
from typing import Any

from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Object, bad_request

Chosen = Callable[[Object], bool]
_SET = re.compile(
    r"\s*(!?)\s*([^\s,=!()<>]+)\s*(?:(not)?\s*in\s*\(([^)]*)\)|(==|=|!=)\s*([^\s,=!()]*))?\s*(?:,|$)"
)
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def labels(text: str) -> Chosen:
    """Read a label selector; raises Problem where it is none."""
    tests: list[Chosen] = []
    at = 0
    while at < len(text):
        found = _SET.match(text, at)
        if not found or found.end() == at or (found[1] and (found[4] is not None or found[5])):
            raise bad_request(
                f"unable to parse requirement: found '{_stumble(text[at:])}', expected: identifier"
            )
        tests.append(_requirement(found))
        at = found.end()
    return lambda item: all(test(item["metadata"].get("labels") or {}) for test in tests)


def _stumble(text: str) -> str:
    """Give the first word of a selector that has no place where it is."""
    found = re.match(r"[^=!,]*(?:==|!=|=|!|,)([=!(),]+|[^=!(),]+)?", text)
    return (found[1] or "") if found else text


def _requirement(found: "re.Match[str]") -> Chosen:
    negated, name, others, listed, sign, value = found.groups()
    if listed is not None:
        values = {word.strip() for word in listed.split(",")}
        if others:
            return lambda has: has.get(name) not in values
        return lambda has: has.get(name) in values
    if sign:
        if not _LABEL.fullmatch(value):
            raise bad_request(
                f'values[0][{name}]: Invalid value: "{value}": a valid label must be an empty string'
            )
        return (lambda has: has.get(name) != value) if sign == "!=" else (lambda has: has.get(name) == value)
    return (lambda has: name not in has) if negated else (lambda has: name in has)


def fields(kind: Kind, text: str) -> Chosen:
    """Read a field selector; raises Problem where it is none or the kind has no such field."""
    tests: list[Chosen] = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
        if not found:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        name, sign, value = found.groups()
        if name not in ("metadata.name", "metadata.namespace", *kind.fields):
            raise bad_request(f'field label "{name}" not supported for {kind.name}')
        tests.append(_field(name, value, wanted=sign != "!="))
    return lambda item: all(test(item) for test in tests)


def _field(name: str, value: str, *, wanted: bool) -> Chosen:
    return lambda item: (_value(item, name) == value) == wanted


def _value(item: Object, name: str) -> str:
    found: Any = item
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return "" if found is None else str(found)
