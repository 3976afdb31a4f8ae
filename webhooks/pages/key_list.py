"""The keys of a job as its schema has them: what each means, and which values it takes if those are few."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.config.schema import NAME, schema

Node = Mapping[str, Any]


ENTRIES = {
    "on.deployment": "a deployment to that environment is made",
    "on.url": "where what is deployed is then",
    "on.deployment_status": "a deployment comes to that state",
    "on.environment": "only of that environment, for `deployment_status`",
    "on.protection_rule": "a workflow waits at that environment",
    "on.release": "a release comes to that state",
    "on.tag": "such a tag is pushed: `v*`",
    "on.pull_request": "what happens to a pull request",
    "on.pull_request.labeled": "such a label is put on it",
    "on.branches": "only for these branches, for `pull_request` and `workflow`",
    "on.workflow": "a workflow of that name, or in that file, has ended",
    "on.conclusion": "only if the workflow ended so",
    "on.repository_dispatch": "somebody sends one of that type, with the job's name",
    "requires.checks": "its checks passed: all, but those to `ignore`, or `only` these",
    "requires.checks.ignore": "checks that do not count",
    "requires.checks.only": "checks that have to have passed",
    "requires.base": "it is to be merged into one of these branches",
}
"""What keys of the entries of lists mean, of which there are no rows of their own in the documentation."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its path in a job, with `NAME` for any name; `about` is Markdown.

    `is_list`: its values are entries of a list. `is_entry`: it is a key of such an entry.
    """

    path: str
    about: str
    values: Sequence[str]
    is_list: bool = False
    is_entry: bool = False


@cache
def job_keys() -> Sequence[Key]:
    """All of them, those of a mapping behind it; of what is one or a list, those of the one."""
    found: dict[str, Key] = {}
    for key in _keys(schema()["properties"]["jobs"]["additionalProperties"], ""):
        found.setdefault(key.path, key)
    return tuple(found.values())


def _keys(node: Node, above: str, *, is_entry: bool = False) -> Iterator[Key]:
    for option in _options(node):
        for name, child in option.get("properties", {}).items():
            path = above + name
            about = child.get("description") or ENTRIES.get(path, "")
            items = [one["items"] for one in _options(child) if "items" in one]
            values = dict.fromkeys(value for each in (child, *items) for value in _values(each))
            yield Key(path, about, tuple(values), bool(items), is_entry)
            yield from _keys(child, f"{path}.")
            for each in items:
                yield from _keys(each, f"{path}.", is_entry=True)
        named = option.get("additionalProperties")
        if isinstance(named, dict):
            yield from _keys(named, f"{above}{NAME}.")


def _options(node: Node) -> Iterator[Node]:
    """The node, and what it may be instead."""
    yield node
    for kind in ("anyOf", "oneOf"):
        for option in node.get(kind, ()):
            yield from _options(option)


def _values(node: Node) -> Iterator[str]:
    for option in _options(node):
        yield from (str(each) for each in option.get("enum", ()))
        if "const" in option:
            yield str(option["const"])
        types = option.get("type", ())
        if "boolean" in ([types] if isinstance(types, str) else types) and "pattern" in node:
            yield from ("true", "false")
