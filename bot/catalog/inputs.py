"""Inputs: by what a parameter of a job is asked for in a form, in Slack and on pages alike. Pure."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from enum import Enum
from functools import lru_cache

from bot.catalog.parameters import Parameter

PARAMETER = "parameter."
"""What the field of a parameter is called, before its name."""
REF, IMAGE_TAG, ARGUMENTS, OVERRIDE, WHEN = "ref", "image_tag", "arguments", "override", "when"
"""The fields of what is no parameter."""
CHOICE_CHARACTERS = 150
"""Of a choice that a menu names by itself."""
DIGITS = 15
"""Of a number that an input for numbers takes for sure; longer ones are typed as text."""


class Input(Enum):
    """The kinds of inputs."""

    MENU = "menu"
    TICK = "tick"
    NUMBER = "number"
    DAY = "day"
    LINE = "line"
    LINES = "lines"


_DAYS = ("2024-02-29", "2025-12-31", "2026-01-01", "2027-06-15", "2028-10-20", "2029-07-04")
_NO_DAYS = (
    "today",
    "latest",
    "now",
    "-1",
    "0",
    "20260101",
    "2026-1-1",
    "2026/01/01",
    "01-01-2026",
    "2026-01",
    "2026",
    "abcd-ef-gh",
    "2026-01-01x",
    "x2026-01-01",
    "12026-01-011",
    "2026-01-01T00:00",
    "2026-01-01 00:00",
    "2026-01-01T00:00:00Z",
    "2026-01-01/2026-01-02",
    "2026-01-01..2026-01-02",
    "2026-01-01,2026-01-02",
    "2026-01-01_1",
)
"""What a pattern that takes days alone refuses."""
_SEVERAL_LINES = ("a\nb", "1\n2", "a\n", "\n")
_HASH = "sha256:"
_LINE_ENDS = ("\\n", "\\s", "(?s")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z]{2,}", re.ASCII)


def input_of(parameter: Parameter, value: str | None) -> Input:
    """The kind of input that fits what a parameter takes, and the `value` that stands in it at first.

    Whoever has to decide between true and false chooses of two, since no tick would say nothing.
    """
    if parameter.choices or (parameter.type == "boolean" and parameter.required):
        return Input.MENU
    if parameter.type == "boolean":
        return Input.TICK
    if parameter.type in ("integer", "number") and _is_short(value):
        return Input.NUMBER
    if is_day_pattern(parameter.pattern) and (value is None or _is_day(value)):
        return Input.DAY
    return Input.LINES if _has_lines(parameter, value) else Input.LINE


def choices_of(parameter: Parameter) -> tuple[str, ...]:
    """What the menu of a parameter offers."""
    return parameter.choices or ("true", "false")


def choice_of(choices: Sequence[str], value: str) -> str | None:
    """The choice that a menu names by `value`; None for what is none (any more)."""
    if value in choices and choice_value(value) == value:
        return value
    if not value.startswith(_HASH):
        return None
    return next((choice for choice in choices if choice_value(choice) == value), None)


def fitting(parameter: Parameter, value: str | None) -> str | None:
    """The normal form of a value that may be given; None for one that may not."""
    try:
        return None if value is None else parameter.accept(value)
    except ValueError:
        return None


def expected(parameter: Parameter) -> str:
    """What is taken, where the input does not show it by itself (Markdown); empty where it does."""
    is_seen = parameter.choices or parameter.type == "boolean" or is_day_pattern(parameter.pattern)
    is_plain = parameter.type == "string" and parameter.pattern is None
    return "" if is_seen or is_plain else parameter.expectation


def bound(number: float | None, *, whole: bool) -> str | None:
    """A bound as inputs take it; None where it has too many digits, or parts where there are none."""
    if number is None or (whole and not number.is_integer()):
        return None
    text = str(int(number)) if number.is_integer() else repr(number)
    return text if _NUMBER.fullmatch(text) and len(text) <= DIGITS else None


def choice_value(choice: str) -> str:
    """By what a menu names a choice: itself, or its hash where that is taken for no value or changed."""
    if 1 <= len(choice) <= CHOICE_CHARACTERS and "\n" not in choice and "\r" not in choice:
        return choice
    return f"{_HASH}{hashlib.sha256(choice.encode()).hexdigest()}"


@lru_cache(maxsize=1024)
def is_day_pattern(pattern: str | None) -> bool:
    """Whether a pattern takes days such as `2026-01-31` and nothing else, by trying it.

    Words that stand in the pattern itself (`latest|\\d{4}-..`) are tried, too.
    """
    if pattern is None:
        return False
    parameter = Parameter.model_construct(type="string", pattern=pattern)
    others = (*_NO_DAYS, *_WORD.findall(pattern)[:50])
    takes = [fitting(parameter, day) is not None for day in _DAYS]
    return all(takes) and not any(fitting(parameter, other) is not None for other in others)


def _is_short(value: str | None) -> bool:
    return value is None or (_NUMBER.fullmatch(value) is not None and len(value) <= DIGITS)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _has_lines(parameter: Parameter, value: str | None) -> bool:
    """Whether there is a line end in the value, or a pattern speaks of one and takes it."""
    if value is not None and "\n" in value:
        return True
    if parameter.pattern is None or not any(each in parameter.pattern for each in _LINE_ENDS):
        return False
    return any(fitting(parameter, each) for each in _SEVERAL_LINES)
