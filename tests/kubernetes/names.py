"""Which names, labels and annotations there can be, with the sentences of the real server.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

import re
from collections.abc import Iterator
from typing import Any

from tests.kubernetes.problems import Cause, Object, required, wrong

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_SHORT, _LONG = 63, 253
_ANNOTATIONS = 256 * 1024
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
    "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_PART_WORDS = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_VARIABLE = re.compile(r"[ -<>-~]+")
_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
KEY = re.compile(r"[-._a-zA-Z0-9]+")


def of_object(item: Object, path: str = "metadata") -> Iterator[Cause]:
    """Say what is wrong in an object's metadata."""
    metadata = item.get("metadata") or {}
    name = metadata.get("name")
    if not name:
        yield required(f"{path}.name", "name or generateName is required")
    else:
        yield from subdomain(name, f"{path}.name")
    yield from of_metadata(metadata, path)
    for owner in metadata.get("ownerReferences") or []:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield wrong(f"{path}.ownerReferences.{field}", owner.get(field) or "", "must not be empty")


def of_metadata(metadata: Object, path: str) -> Iterator[Cause]:
    """Say what is wrong with labels, annotations and finalizers."""
    for name, value in (metadata.get("labels") or {}).items():
        yield from qualified(name, f"{path}.labels")
        if len(value) > _SHORT:
            yield wrong(f"{path}.labels", value, f"must be no more than {_SHORT} bytes")
        elif not _VALUE.fullmatch(value):
            yield wrong(f"{path}.labels", value, _VALUE_WORDS)
    annotations: dict[str, Any] = metadata.get("annotations") or {}
    for name in annotations:
        yield from qualified(name.lower(), f"{path}.annotations")
    if sum(len(name) + len(value) for name, value in annotations.items()) > _ANNOTATIONS:
        yield Cause(
            f"{path}.annotations", "FieldValueTooLong", f"Too long: may not be more than {_ANNOTATIONS} bytes"
        )
    for name in metadata.get("finalizers") or []:
        yield from qualified(name, f"{path}.finalizers")
        if "/" not in name and name not in _FINALIZERS:
            yield wrong(
                f"{path}.finalizers",
                name,
                "name is neither a standard finalizer name nor is it fully qualified",
            )


def subdomain(name: str, field: str) -> Iterator[Cause]:
    """Say what is wrong with the name of most objects."""
    if len(name) > _LONG:
        yield wrong(field, name, f"must be no more than {_LONG} bytes")
    if not _SUBDOMAIN.fullmatch(name):
        yield wrong(field, name, _SUBDOMAIN_WORDS)


def label(name: str, field: str) -> Iterator[Cause]:
    """Say what is wrong with the name of a container, a volume, ..."""
    if len(name) > _SHORT:
        yield wrong(field, name, f"must be no more than {_SHORT} bytes")
    if not _LABEL.fullmatch(name):
        yield wrong(field, name, _LABEL_WORDS)


def qualified(name: str, field: str) -> Iterator[Cause]:
    """Say what is wrong with the name of a label: `prefix/part`."""
    prefix, slash, part = name.rpartition("/")
    if slash and not prefix:
        yield wrong(field, name, "prefix part must be non-empty")
    elif "/" in prefix:
        yield wrong(field, name, f"a valid qualified name {_PART_WORDS}")
    elif prefix and not _SUBDOMAIN.fullmatch(prefix):
        yield wrong(field, name, f"prefix part {_SUBDOMAIN_WORDS}")
    if not part:
        yield wrong(field, name, "name part must be non-empty")
    elif len(part) > _SHORT:
        yield wrong(field, name, f"name part must be no more than {_SHORT} bytes")
    if not _PART.fullmatch(part):
        yield wrong(field, name, _PART_WORDS)


def variable(name: str, field: str) -> Iterator[Cause]:
    """Say what is wrong with the name of an environment variable."""
    if not _VARIABLE.fullmatch(name):
        yield wrong(
            field,
            name,
            "a valid environment variable name must consist only of printable ASCII characters other than '='",
        )


def keys(item: Object, fields: tuple[str, ...]) -> Iterator[Cause]:
    """Say what is wrong with the keys of a Secret's or a ConfigMap's data."""
    for field in fields:
        for key in item.get(field) or {}:
            if not KEY.fullmatch(key) or key in (".", ".."):
                yield wrong(
                    f"{field}[{key}]",
                    key,
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                    "'[-._a-zA-Z0-9]+')",
                )
