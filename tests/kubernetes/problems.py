"""What the server refuses, in the words and the shape of a real one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.kubernetes.kinds import Kind

Object = dict[str, Any]


@dataclass
class Problem(Exception):
    """An answer that is none of success."""

    status: int
    reason: str
    message: str
    details: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> Object:
        """Give the `Status` that says it."""
        said: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        said["message"] = self.message
        if self.reason:
            said["reason"] = self.reason
        if self.details is not None:
            said["details"] = dict(self.details)
        return said | {"code": self.status}


@dataclass(frozen=True)
class Cause:
    """One field that is wrong: `kind` is Invalid, Required, Forbidden, NotSupported, ..."""

    field: str
    kind: str
    words: str

    @property
    def message(self) -> str:
        """What is wrong, without the field."""
        return self.words

    def __str__(self) -> str:
        return f"{self.field}: {self.words}"


def wrong(field: str, value: object, words: str) -> Cause:
    """A value that cannot be."""
    said = f'"{value}"' if isinstance(value, str) else _plain(value)
    return Cause(field, "FieldValueInvalid", f"Invalid value: {said}: {words}")


def required(field: str, words: str = "") -> Cause:
    """A value that is missing."""
    return Cause(field, "FieldValueRequired", "Required value" + (f": {words}" if words else ""))


def unsupported(field: str, value: str, known: Sequence[str]) -> Cause:
    """A value that is none of those there are."""
    names = ", ".join(f'"{name}"' for name in known)
    return Cause(field, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {names}')


def duplicate(field: str, value: str) -> Cause:
    """A value that may be there once."""
    return Cause(field, "FieldValueDuplicate", f'Duplicate value: "{value}"')


def missing(field: str, value: str) -> Cause:
    """A value that names what is not there."""
    return Cause(field, "FieldValueNotFound", f'Not found: "{value}"')


def forbidden_field(field: str, words: str) -> Cause:
    """A value that may not be there."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {words}")


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> Problem:
    """422, with every field that is wrong."""
    unique = list(dict.fromkeys(causes))
    said = ", ".join(map(str, unique))
    listed = f"[{said}]" if len(unique) > 1 else said
    described = f"{kind.name}.{kind.group}" if kind.group else kind.name
    details: Object = {"name": name} if name else {}
    details |= {"group": kind.group} if kind.group else {}
    details["kind"] = kind.name
    details["causes"] = [
        {"reason": cause.kind, "message": cause.message, "field": cause.field} for cause in unique
    ]
    return Problem(422, "Invalid", f'{described} "{name}" is invalid: {listed}', details)


def bad_request(message: str) -> Problem:
    """400."""
    return Problem(400, "BadRequest", message)


def not_found(kind: Kind, name: str) -> Problem:
    """404 of one object."""
    return Problem(404, "NotFound", f'{kind.qualified} "{name}" not found', _named(kind, name))


def no_resource() -> Problem:
    """404 of a path that is none."""
    return Problem(404, "NotFound", "the server could not find the requested resource", {})


def exists(kind: Kind, name: str) -> Problem:
    """409 of a name that is taken."""
    return Problem(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', _named(kind, name))


def conflict(kind: Kind, name: str, words: str | None = None, *, deleting: bool = False) -> Problem:
    """409 of an object that has changed."""
    called = f"{kind.name}.{kind.group}".rstrip(".") if deleting else kind.qualified
    said = (
        words or "the object has been modified; please apply your changes to the latest version and try again"
    )
    return Problem(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {called} "{name}": {said}',
        _named(kind, name),
    )


def forbidden(kind: Kind, name: str, words: str) -> Problem:
    """403."""
    named = f' "{name}"' if name else ""
    return Problem(403, "Forbidden", f"{kind.qualified}{named} is forbidden: {words}", _named(kind, name))


def expired() -> Problem:
    """410 of a resource version or a continuation that is too old."""
    return Problem(410, "Expired", "The resourceVersion for the provided watch is too old.")


def _named(kind: Kind, name: str) -> Object:
    details: Object = {"name": name} if name else {}
    details |= {"group": kind.group} if kind.group else {}
    return details | {"kind": kind.plural}


def _plain(value: object) -> str:
    import json

    return json.dumps(value, separators=(",", ":"))
