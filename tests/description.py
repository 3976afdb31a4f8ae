"""GitHub's published OpenAPI description, and what it has against a request.

It comes from npm (`@octokit/openapi`), once for a checkout: of its 400 MB only what requests are made of
stays, below `var`. Skipped without npm, an error in CI.
"""

import fcntl
import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs

from demo.github.published import Misfit, Sent

ROOT = Path(__file__).parents[1]
VERSION = "23.0.2"
INDEX = ROOT / "var" / "openapi" / f"{VERSION}-1.json"
NPM_SECONDS = 300
_KEPT = {"properties", "items", "required", "type", "enum", "oneOf", "anyOf", "allOf", "$ref", "format"}
_KEPT |= {
    "pattern",
    "additionalProperties",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
}
_BELOW = ("properties", "patternProperties")


class Description:
    """Finds the operation of a request and checks path, query and body against it."""

    def __init__(self, index: Mapping[str, Any]) -> None:
        self._operations: Mapping[str, list[dict[str, Any]]] = index["operations"]
        self._components = index["components"]
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def misfit(self, sent: Sent) -> str | None:
        """What does not fit, None where all does."""
        operation = self._operation(sent)
        if operation is None:
            return f"{sent.method} {sent.path}: there is no such operation"
        found = self._parameters(operation, sent) or self._body(operation, sent.body)
        return f"{sent.method} {operation['path']}: {found}" if found else None

    def _operation(self, sent: Sent) -> dict[str, Any] | None:
        segments = sent.path.strip("/").split("/")
        rows = self._operations.get(sent.method, [])
        return next((row for row in rows if _values(row, segments) is not None), None)

    def _parameters(self, operation: dict[str, Any], sent: Sent) -> str | None:
        values = _values(operation, sent.path.strip("/").split("/")) or {}
        for name, schema in operation["inside"].items():
            found = self._against(schema, _typed(schema, values.get(name, "")))
            if found:
                return f"path parameter {name}: {found}"
        for name, value in sent.query.items():
            if name not in operation["query"]:
                return f"there is no query parameter {name}"
            schema = operation["query"][name]
            found = self._against(schema, _typed(schema, value))
            if found:
                return f"query parameter {name}: {found}"
        lacking = [name for name in operation["needed"] if name not in sent.query]
        return f"query parameter {lacking[0]} is missing" if lacking else None

    def _body(self, operation: dict[str, Any], body: Any) -> str | None:
        schema = operation["body"]
        if body is None:
            return "a body is needed" if operation["body_needed"] else None
        if schema is None:
            return "it takes no body"
        found = self._against(schema, body)
        if found:
            return f"body: {found}"
        names = self._names(schema)
        extra = sorted(set(body) - names) if isinstance(body, dict) and names else []
        return f"body: there is no field {extra[0]}" if extra else None

    def _against(self, schema: Any, value: Any) -> str | None:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self._components}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        error = next(self._validators[key].iter_errors(value), None)
        if error is None:
            return None
        place = ".".join(str(part) for part in error.instance_path)
        return f"{place}: {error.message}" if place else str(error.message)

    def _names(self, schema: Any) -> set[str]:
        """Every field that a body may have; GitHub ignores others, which are typing errors all the same."""
        if "$ref" in schema:
            return self._names(self._components["schemas"][schema["$ref"].rpartition("/")[2]])
        names = set(schema.get("properties", ()))
        for kind in ("oneOf", "anyOf", "allOf"):
            names = names.union(*(self._names(each) for each in schema.get(kind, ())))
        return names


def _values(operation: dict[str, Any], segments: Sequence[str]) -> dict[str, str] | None:
    """What stands at the parameters of the operation's path; None where the path is another."""
    template = operation["path"].strip("/").split("/")
    values: dict[str, str] = {}
    for place, part in enumerate(template):
        if place >= len(segments):
            return None
        if not part.startswith("{"):
            if part != segments[place]:
                return None
            continue
        name = part.strip("{}")
        if name in operation["long"] and place == len(template) - 1:
            return {**values, name: "/".join(segments[place:])}
        values[name] = segments[place]
    return values if len(segments) == len(template) else None


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    """The text of a parameter as the type that it has to have."""
    if schema.get("type") == "integer" and text.lstrip("-").isdecimal():
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text.split(",") if schema.get("type") == "array" else text


# The index ------------------------------------------------------------------------------------------


def _index(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Of the whole description what requests are made of; of two paths that fit the plainer comes first."""
    parameters = whole["components"]["parameters"]
    operations: dict[str, list[dict[str, Any]]] = {}
    schemas: dict[str, Any] = {}
    for path, methods in sorted(whole["paths"].items(), key=lambda item: (-_literals(item[0]), item[0])):
        for method, operation in methods.items():
            row = _row(path, operation, parameters)
            operations.setdefault(method.upper(), []).append(row)
            _collect([row["body"], row["query"], row["inside"]], whole["components"]["schemas"], schemas)
    return {"operations": operations, "components": {"schemas": schemas}}


def _literals(path: str) -> int:
    """How many parts of a path are the same in every request."""
    return sum(not part.startswith("{") for part in path.split("/"))


def _row(path: str, operation: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    named = [
        parameters[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {})
    schema = body.get("content", {}).get("application/json", {}).get("schema")
    query = [each for each in named if each["in"] == "query"]
    return {
        "path": path,
        "inside": {each["name"]: _plain(each["schema"]) for each in named if each["in"] == "path"},
        "long": [each["name"] for each in named if each.get("x-multi-segment")],
        "query": {each["name"]: _plain(each["schema"]) for each in query},
        "needed": [each["name"] for each in query if each.get("required")],
        "body": None if schema is None else _plain(schema),
        "body_needed": bool(body.get("required")),
    }


def _plain(schema: Any) -> Any:
    """The schema without what describes it, and with JSON Schema's way to say `nullable`."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key in _BELOW:
            made[key] = {name: _plain(each) for name, each in value.items()}
        elif key in _KEPT:
            made[key] = value if key in ("enum", "required", "type") else _plain(value)
    if schema.get("nullable"):
        return {"anyOf": [made, {"type": "null"}]}
    return made


def _collect(part: Any, schemas: Mapping[str, Any], into: dict[str, Any]) -> None:
    """Put every schema that `part` names into `into`."""
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _collect(each, schemas, into)
    reference = part.get("$ref") if isinstance(part, dict) else None
    name = reference.rpartition("/")[2] if isinstance(reference, str) else None
    if name is not None and name not in into:
        into[name] = _plain(schemas[name])
        _collect(into[name], schemas, into)


def _fetch() -> str | None:
    """Write the index, or say why there is none."""
    if shutil.which("npm") is None:
        return "npm is missing"
    with tempfile.TemporaryDirectory() as place:
        what = ("--no-audit", "--no-fund", "--no-save", "--prefix", place, f"@octokit/openapi@{VERSION}")
        try:
            done = subprocess.run(
                ["npm", "install", "--silent", *what],
                capture_output=True,
                text=True,
                check=False,
                timeout=NPM_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"npm gave no answer within {NPM_SECONDS} seconds"
        if done.returncode:
            return f"npm could not install @octokit/openapi {VERSION}: {done.stderr[-500:]}"
        whole = Path(place, "node_modules/@octokit/openapi/generated/api.github.com.json")
        text = json.dumps(_index(json.loads(whole.read_text())), separators=(",", ":"))
    part = INDEX.with_suffix(f".{os.getpid()}")
    part.write_text(text)
    part.replace(INDEX)
    return None


@functools.cache
def load() -> Description | str:
    """The description, fetched where this checkout has none yet; or the reason why there is none."""
    INDEX.parent.mkdir(parents=True, exist_ok=True)
    with (INDEX.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        reason = None if INDEX.exists() else _fetch()
    return reason or Description(json.loads(INDEX.read_text()))


def check() -> Misfit | None:
    """What stand-ins ask; None where there is no description."""
    found = load()
    return None if isinstance(found, str) else found.misfit
