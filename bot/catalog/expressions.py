"""Conditions on the parameters of a run, in CEL: https://github.com/google/cel-spec. Pure.

Parameters have the type that they are declared with; one without a value is `null`. The language is loaded
with the first condition: most installations have none. What takes a time of its own choosing (`map`, `all`
and the like within each other) is refused, and so is what could never be meant.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from bot.catalog.parameters import Parameter
from bot.text.wording import nearest

LONGEST = 500
"""Characters of a condition."""

_FUNCTIONS = frozenset(
    {"!_", "-_", "_&&_", "_||_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"}
    | {"_+_", "_-_", "_*_", "_/_", "_%_", "size", "startsWith", "endsWith", "contains", "matches"}
    | {"int", "double", "string"}
)
"""What may be used; a condition gets nothing else to work with."""

_TEXT = r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
_TOKEN = re.compile(
    rf"{_TEXT}|(?P<number>-?\d+\.?\d*(?:[eE][+-]?\d+)?u?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[=!<>]=|[^\s\w])",
    re.ASCII,
)
_MACROS = frozenset({"map", "filter", "all", "exists", "exists_one"})
_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_SAMPLES: Mapping[str, Any] = {"boolean": True, "integer": 1, "number": 1.0, "string": "text"}
_KINDS = {"boolean": "true or false", "integer": "an integer", "number": "a number", "string": "a text"}


def check_syntax(text: str) -> str:
    """`text` if it is a condition by itself; `ValueError` with the line and column of what is wrong."""
    if not text.strip() or len(text) > LONGEST:
        raise ValueError(f'expected a condition such as "DRY_RUN == false" (at most {LONGEST} characters)')
    names = [(found["name"], found.start()) for found in _TOKEN.finditer(text) if found["name"]]
    for name, at in names:
        if name in _MACROS and text[at + len(name) :].lstrip().startswith("("):
            raise ValueError(f"{name} ({_place(text, at)}) is not available in conditions")
    unknown = sorted(set(_program(text).functions()) - _FUNCTIONS)
    if unknown:
        at = next((at for name, at in names if name == unknown[0]), 0)
        raise ValueError(f"{unknown[0]} ({_place(text, at)}) is no function of conditions")
    return text


def check(text: str, parameters: Mapping[str, Parameter]) -> None:
    """`ValueError` where a condition names what is no parameter, or can never be true or false of them."""
    for name in _program(text).variables():
        if name not in parameters:
            at = next((found.start() for found in _TOKEN.finditer(text) if found["name"] == name), 0)
            near = nearest(name, parameters)
            hint = f"; did you mean {near}?" if near else ""
            raise ValueError(f"{name} ({_place(text, at)}) is no parameter of this job{hint}")
    for name, literal, at in _comparisons(text):
        kind = parameters[name].type if name in parameters else None
        if kind is not None and literal != "null" and not _fits(kind, literal):
            raise ValueError(f"{name} ({_place(text, at)}) is {_KINDS[kind]}, which {literal[:40]} never is")
    try:
        result = _program(text).execute({name: _sample(each) for name, each in parameters.items()})
    except ZeroDivisionError:
        return
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise ValueError(f"it does not fit its parameters: {_first(error)}") from None
    if not isinstance(result, bool):
        raise ValueError("expected a condition that is true or false, such as DRY_RUN == false")


def holds(text: str, parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> bool:
    """Whether a condition holds of these values; also where that cannot be said, which is the safe side."""
    variables = {name: _typed(each.type, values.get(name)) for name, each in parameters.items()}
    try:
        return _program(text).execute(variables) is not False
    except Exception:  # whatever the language makes of values that nobody thought of
        return True


@lru_cache(maxsize=256)
def _program(text: str) -> Any:
    """The condition, read once; `ValueError` with line and column where it is none."""
    import cel

    try:
        return cel.compile(text)
    except Exception as error:
        found = _PLACE.search(str(error))
        what = found[3].partition(" expecting ")[0].replace("'<EOF>'", "its end") if found else ""
        where = f"; line {found[1]}, column {found[2]} of it: {what[:120]}" if found else ""
        raise ValueError(f"expected a condition in CEL{where}") from None


def _place(text: str, at: int) -> str:
    """Line and column, from 1."""
    before = text[:at]
    return f"line {before.count(chr(10)) + 1}, column {at - before.rfind(chr(10))}"


def _comparisons(text: str) -> Iterator[tuple[str, str, int]]:
    """The names that are compared with a value that is written out, that value, and where the name stands."""
    tokens = list(_TOKEN.finditer(text))
    for index, sign in enumerate(tokens):
        if sign.group() not in ("==", "!=") or not 0 < index < len(tokens) - 1:
            continue
        for name, value in ((tokens[index - 1], tokens[index + 1]), (tokens[index + 1], tokens[index - 1])):
            written = value["text"] or value["number"] or value["name"] in ("true", "false", "null")
            if name["name"] and name["name"] not in ("true", "false", "null") and written:
                yield name.group(), value.group(), name.start()


def _first(error: Exception) -> str:
    """The first line of what the language says, without its advice."""
    return str(error).partition("\n")[0].partition(". CEL does not")[0][:160]


def _fits(kind: str, literal: str) -> bool:
    """Whether a value of a parameter of this kind could be the literal."""
    if literal in ("true", "false"):
        return kind == "boolean"
    return (kind == "string") == (literal[0] in "\"'") and kind != "boolean"


def _sample(parameter: Parameter) -> Any:
    chosen = parameter.default if parameter.default is not None else next(iter(parameter.choices), None)
    return _SAMPLES[parameter.type] if chosen is None else _typed(parameter.type, chosen)


def _typed(kind: str, value: str | None) -> Any:
    """A stored value as the language knows it."""
    if value is None or kind == "string":
        return value
    if kind == "boolean":
        return value == "true"
    return int(value) if kind == "integer" else float(Decimal(value))
