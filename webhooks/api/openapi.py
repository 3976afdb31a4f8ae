"""The API as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), made of what the code goes by.

Routes, scopes and answers come from `operations`, bodies and shapes from the very types that read and
fill them, so nothing here can promise what the code does not keep.
"""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

from bot.catalog.catalog import Job
from bot.catalog.images import LABEL
from webhooks.api import responses
from webhooks.api.operation import JSON, TEXT, Answer, Needs, Operation
from webhooks.api.problems import MEDIA_TYPE
from webhooks.api.queries import Parameter

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"

_NAME = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"}
_GIVEN_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
_PATHS: dict[str, Schema] = {
    "number": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
    "name": _NAME,
    "target": {"type": "string", "pattern": LABEL},
    "image": {"type": "string", "pattern": LABEL},
    "hook": _GIVEN_NAME,
}

_BODY_PROBLEMS = (400, 408, 413, 415, 422)
_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token: `errand token create NAME --scope SCOPE` makes one.",
    },
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": "errand",
        "description": "A login in a browser. It only reads; over TLS the cookie is `__Host-errand`.",
    },
    "hook": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Deploy-Hook-Token",
        "description": "The token of a job's hook: `errand hook create JOB` makes one.",
    },
}

_ABOUT = (
    "Starts, shows and stops jobs. What a token may do is said by its scopes: `read` sees everything, "
    "`run:JOB` starts and sees one job, `run:*` every job, `exec` runs single commands, and `admin` may do "
    "all of it and change jobs, hooks and tokens. What a token may not see looks like what is not there."
)


def document(operations: Sequence[Operation]) -> Schema:
    """The document."""
    schemas, refs = _schemas(operations)
    paths: dict[str, Schema] = {}
    for row in operations:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Errand", "version": version("errand"), "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


def _operation(row: Operation, refs: dict[Any, Schema]) -> Schema:
    of_chat = f" Does what `{row.verb}` does in a chat." if row.verb else ""
    result: Schema = {
        "operationId": row.id,
        "tags": [_tag(row)],
        "summary": row.summary,
        "description": f"Needs {row.needs.value}.{of_chat}",
        "x-needs": row.needs.value,
        "security": _security(row),
        "parameters": [*_in_path(row), *_parameters("query", row.query), *_parameters("header", row.headers)],
        "responses": {str(status): _answer(answer, refs) for status, answer in row.answers.items()}
        | {str(status): _problem(status, refs) for status in problems(row)},
    }
    if row.body is not None:
        required = any(each.is_required() for each in row.body.model_fields.values())
        result["requestBody"] = {"required": required, "content": {JSON: {"schema": refs[row.body]}}}
    return result


def _tag(row: Operation) -> str:
    """Under what it is sorted: the first word of its path, such as `jobs`."""
    return row.path.removeprefix("/api").split("/")[1].removesuffix(".json")


def _security(row: Operation) -> list[dict[str, list[str]]]:
    """Which of the schemes open it; OpenAPI 3.1 lets the scopes be named for each."""
    if row.needs is Needs.NOTHING:
        return []
    if row.needs is Needs.HOOK:
        return [{"hook": []}, {"token": []}]
    return [{"token": []}, {"login": []}] if row.method == "GET" else [{"token": []}]


def problems(row: Operation) -> list[int]:
    """The statuses of the problems that may be answered to it."""
    default = (404,) if "{" in row.path else ()
    own = {400, 401, 403, 503, *(default if row.problems is None else row.problems)}
    if row.body is not None:
        own |= {*_BODY_PROBLEMS}
    return sorted(own)


def _in_path(row: Operation) -> Iterator[Schema]:
    for name, schema in _PATHS.items():
        if f"{{{name}}}" in row.path:
            values = _GIVEN_NAME if row.path.startswith("/api/tokens/") else schema
            yield {"name": name, "in": "path", "required": True, "schema": values}


def _parameters(place: str, parameters: Iterable[Parameter]) -> Iterator[Schema]:
    for each in parameters:
        more: Schema = {"style": "form", "explode": False} if each.several else {}
        if each.required:
            more["required"] = True
        yield {"name": each.name, "in": place, "description": each.meaning, **more, "schema": each.schema}


def _answer(answer: Answer, refs: dict[Any, Schema]) -> Schema:
    result: Schema = {"description": answer.meaning}
    if answer.headers:
        result["headers"] = {
            name: {"description": meaning, "required": True, "schema": {"type": "string"}}
            for name, meaning in answer.headers
        }
    if answer.shape == TEXT:
        result["content"] = {TEXT: {"schema": {"type": "string"}}}
    elif answer.shape is not None:
        result["content"] = {JSON: {"schema": refs[answer.shape]}}
    return result


def _problem(status: int, refs: dict[Any, Schema]) -> Schema:
    phrase = HTTPStatus(status).phrase
    return {"description": f"{phrase}.", "content": {MEDIA_TYPE: {"schema": refs[responses.Problem]}}}


def _schemas(operations: Sequence[Operation]) -> tuple[Schema, dict[Any, Schema]]:
    """All schemas by name, and for each type the reference to its own."""
    bodies = {row.body for row in operations if row.body is not None}
    shapes = {answer.shape for row in operations for answer in row.answers.values()}
    shapes = {responses.Problem, *(each for each in shapes if each not in (None, TEXT))}
    references, definitions = TypeAdapter.json_schemas(
        [(kind, "validation", TypeAdapter(kind)) for kind in bodies]
        + [(kind, "serialization", TypeAdapter(kind)) for kind in shapes],
        ref_template=_REFERENCE,
    )
    named: Schema = definitions["$defs"]
    named["Definition"] = named.pop(Job.__name__)
    references[Job, "validation"] = {"$ref": _REFERENCE.format(model="Definition")}
    del named["Definition"]["properties"]["name"]  # its address has it
    named["Definition"]["required"].remove("name")
    for name, schema in named.items():
        if name != responses.Problem.__name__ and "properties" in schema:
            schema.setdefault("additionalProperties", False)  # answers have no more than they say
    refs = {kind: schema for (kind, _), schema in references.items()}
    return {name: _plain(schema) for name, schema in sorted(named.items())}, refs


def _plain(value: Any) -> Any:
    """A schema without what says nothing: titles that repeat the names of fields, and null as a default.

    Whoever generates types takes what has a default for something that is always there.
    """
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not _is_noise(key, item)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _is_noise(key: str, item: Any) -> bool:
    return (key == "title" and isinstance(item, str)) or (key == "default" and item is None)
