"""How a JSON body is read: bounded in size, time and depth, no name twice, and every mistake with its place.

What is wrong with the bytes is told with 400, 408, 413 or 415, what is wrong with their meaning with 422 and
a JSON pointer (RFC 6901) for each mistake.
"""

import asyncio
import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect, Request

from webhooks.api.problems import Problem, pointer, wrong

BODY_LIMIT = 64 * 1024
"""Bytes of a request for one run; a definition of a job may be larger."""

BODY_S = 20.0
"""Seconds that a body may take to arrive."""

NEAR = 4
"""Times the limit: a body that says it is no larger is taken to its end after a no, and left. Systems throw
away the answer of a connection that is ended while more comes."""

DEPTH = 16
"""Levels of objects and lists within each other."""

M = TypeVar("M", bound=BaseModel)

Mistakes = list[tuple[str, str]]
"""JSON pointers, and what is wrong there."""


async def content(request: Request, *, limit: int = BODY_LIMIT, what: str = "The body of a request") -> bytes:
    """All bytes of the body; a `Problem` when there are too many, declared or not, or they come slowly."""
    words = f"{what} is at most {limit // 1024} KiB."
    too_large = Problem(413, words, {"Connection": "close"})
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > NEAR * limit):
        raise too_large
    if declared.isdigit() and int(declared) > limit:
        raise Problem(413, words)
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limit:
                    raise too_large
    except TimeoutError:
        raise Problem(408, "The body took too long.", {"Connection": "close"}) from None
    except ClientDisconnect:
        raise Problem(400, "The body broke off.") from None
    return bytes(data)


def require_json(request: Request) -> None:
    """Raises a `Problem` (415) for a body that says it is something else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "Send the body as application/json.")


async def body(request: Request, model: type[M]) -> M:
    """What the body says, as `model`; none at all is `{}`. Raises a `Problem` with all mistakes."""
    data = await content(request)
    if not data:
        return checked(model, {})
    require_json(request)
    return checked(model, plain(data))


def plain(data: bytes) -> Any:
    """The JSON value of `data` in plain types; a `Problem` for what is none, or not to be taken."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_Pairs, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise Problem(400, "The body is not JSON: expected UTF-8 text.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, f"The body is not JSON: {error.msg} in {place}.") from None
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON: nested too deeply, or no number of JSON.") from None
    mistakes: Mistakes = []
    document = _plain(value, "", 0, mistakes)
    if mistakes:
        raise wrong(mistakes)
    return document


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, with names that may come twice."""


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity, which Python would read


def _plain(value: Any, place: str, depth: int, mistakes: Mistakes) -> Any:
    """`value` in plain types; notes what no body may hold."""
    if depth > DEPTH:
        mistakes.append((place, f"nested more than {DEPTH} levels deep"))
        return None
    if isinstance(value, _Pairs):
        members: dict[str, Any] = {}
        for name, item in value:
            at = place + pointer([name])
            if name in members:
                mistakes.append((at, "given twice"))
            _check_text(name, at, mistakes)
            members[name] = _plain(item, at, depth + 1, mistakes)
        return members
    if isinstance(value, list):
        return [_plain(item, f"{place}/{index}", depth + 1, mistakes) for index, item in enumerate(value)]
    if isinstance(value, str):
        _check_text(value, place, mistakes)
    elif isinstance(value, int | float) and not abs(value) < 2**63:  # nor is NaN
        mistakes.append((place, "expected a number that is finite and not too large"))
    return value


def _check_text(text: str, place: str, mistakes: Mistakes) -> None:
    if "\0" in text:
        mistakes.append((place, "expected a text without NUL characters"))
    elif any("\ud800" <= character <= "\udfff" for character in text):
        mistakes.append((place, "expected a text of whole characters: half of a pair stands here"))


def checked(model: type[M], value: Any) -> M:
    """A JSON value as `model`; a `Problem` with all mistakes."""
    if not isinstance(value, dict):
        raise wrong([("", "expected an object")])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise wrong([_sentence(model, each) for each in error.errors(include_url=False)]) from None


def _sentence(model: type[BaseModel], error: ErrorDetails) -> tuple[str, str]:
    """One mistake in our words where pydantic's own would speak of Python."""
    place, kind = pointer([part for part in error["loc"] if part != "[key]"]), error["type"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        names = ", ".join(field.alias or name for name, field in model.model_fields.items())
        return place, f"unknown; known are {names}" if len(error["loc"]) == 1 and names else "unknown"
    if kind == "value_error":
        return place, str(context.get("error", error["msg"]))
    sentence = _WORDS.get(kind, error["msg"][:1].lower() + error["msg"][1:])
    return place, sentence.format_map({name: value for name, value in context.items() if name != "error"})


_WORDS = {
    "missing": "required",
    "string_type": "expected a text",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "dict_type": "expected an object",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "model_type": "expected an object",
    "string_too_short": "expected at least {min_length} characters",
    "string_too_long": "expected at most {max_length} characters",
    "too_long": "expected at most {max_length} of them",
    "too_short": "expected at least {min_length} of them",
    "string_pattern_mismatch": "expected a text that matches {pattern}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
}
