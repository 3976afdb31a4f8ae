"""The keys of a job as its schema has them: what each means, and which values it takes if those are few."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.config.schema import NAME, schema

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its path in a job, with `NAME` for any name; `about` is Markdown."""

    path: str
    about: str
    values: Sequence[str]


@cache
def job_keys() -> Sequence[Key]:
    """All of them, those of a mapping behind it."""
    found = _keys(schema()["properties"]["jobs"]["additionalProperties"], "")
    return tuple({key.path: key for key in found}.values())


def _keys(node: Node, above: str) -> Iterator[Key]:
    for option in _options(node):
        for name, child in option.get("properties", {}).items():
            yield Key(above + name, child.get("description", ""), tuple(dict.fromkeys(_values(child))))
            yield from _keys(child, f"{above}{name}.")
        named = option.get("additionalProperties")
        if isinstance(named, dict):
            yield from _keys(named, f"{above}{NAME}.")


def _options(node: Node) -> Iterator[Node]:
    """The node, and what it may be instead."""
    yield node
    for option in node.get("anyOf", ()):
        yield from _options(option)


def _values(node: Node) -> Iterator[str]:
    for option in _options(node):
        yield from (str(each) for each in option.get("enum", ()))
        if "const" in option:
            yield str(option["const"])
        types = option.get("type", ())
        if "boolean" in ([types] if isinstance(types, str) else types) and "pattern" in node:
            yield from ("true", "false")
