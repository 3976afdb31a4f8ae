"""Definitions as YAML that people read and change: made from plain values, and changed in one place.

What is written reads back as the very values that it was made of.
"""

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import LiteralScalarString

from bot.config.document import Value, read

_WIDTH = 4096
"""Characters before a text is folded: never within a usual one."""


def yaml_text(definition: Mapping[str, Value]) -> str:
    """`definition` as YAML, texts of several lines as such; an empty one gives nothing."""
    return _written(_styled(dict(definition)), definition) if definition else ""


def with_value(text: str, path: tuple[str, ...], value: str | bool | None) -> str:
    """`text` (YAML without mistakes, a mapping or nothing) with `value` at `path`, or without that: None.

    Comments and the order of keys stay wherever that can be.
    """
    plain = read(text.encode()).data
    plain = plain if isinstance(plain, dict) else {}
    _put(plain, path, value)
    try:
        tree = YAML(typ="rt", pure=True).load(text)
        tree = tree if isinstance(tree, dict) else {}
        _put(tree, path, _styled(value))
    except (YAMLError, ValueError):
        tree = _styled(plain)
    return _written(tree, plain) if plain else ""


def _put(tree: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    """Set what is at `path`, or take it away, and what is empty without it."""
    first, *rest = path
    if not rest:
        if value is None:
            tree.pop(first, None)
        else:
            tree[first] = value
        return
    below = tree.get(first)
    if not isinstance(below, dict):
        if value is None:
            return
        below = tree[first] = {}
    _put(below, tuple(rest), value)
    if not below:
        del tree[first]


def _styled(value: Any) -> Any:
    """The same with texts of several lines to be written as such, unless something in them does not show."""
    if isinstance(value, dict):
        return {key: _styled(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_styled(each) for each in value]
    if isinstance(value, str) and "\n" in value:
        lines = value.split("\n")
        if all(each.isprintable() and each == each.rstrip() for each in lines):
            return LiteralScalarString(value)
    return value


def _written(tree: Any, plain: Mapping[str, Value]) -> str:
    """`tree` as YAML; `plain` itself, and at last as JSON, if that should not be read as the same."""
    for each in (tree, dict(plain)):
        out = StringIO()
        yaml = YAML(typ="rt", pure=True)
        yaml.width, yaml.default_flow_style = _WIDTH, False
        yaml.indent(mapping=2, sequence=4, offset=2)
        yaml.dump(each, out)
        found = read(out.getvalue().encode())
        if found.data == plain and not found.mistakes:
            return out.getvalue()
    return json.dumps(plain, indent=2) + "\n"
