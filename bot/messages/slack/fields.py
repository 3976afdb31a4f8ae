"""The inputs of a form: one for each parameter of a job, of the kind that fits what it takes. Pure.

What an input holds comes back as text, except that a menu names a choice by `choice_value`, and a checkbox
says whether it is ticked: `bot.handlers.slack.entries` reads it.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from html import unescape

from bot.catalog.parameters import Parameter
from bot.messages import mrkdwn
from bot.messages.slack import elements
from bot.messages.slack.elements import Block
from bot.messages.text import clean

PARAMETER = "parameter."
"""What the `block_id` of a parameter's input begins with, before its name."""
VALUE = "value"
"""The `action_id` of every input."""
TRUE = "true"
"""The value of the one option of a checkbox."""
HINT, SHORT_HINT = 500, 200
"""Characters of a hint, and of one in a form that would be too large."""
DIGITS = 15
"""Of a number that Slack's number input takes for sure; longer ones are typed as text."""

FAMILIES = {"static_select": "menu", "external_select": "menu", "checkboxes": "tick"} | dict.fromkeys(
    ("plain_text_input", "number_input", "datepicker"), "text"
)
"""The families of inputs by their type: what one of a family holds means nothing to another."""

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


def parameter_input(name: str, parameter: Parameter, value: str | None, *, compact: bool = False) -> Block:
    """The input of a parameter, filled in with `value`, else with its default.

    `compact`: with a short hint, and with a menu that is asked for its options, for a form that would
    otherwise be larger than Slack takes.
    """
    shown, about = fitting(parameter, value), hint(parameter, SHORT_HINT if compact else HINT)
    if shown is None:
        shown = parameter.default
        was = "" if value is None else f"It was {clean(value, 60) or 'empty'}, which is not taken any more."
        about = " ".join(part for part in (was, about) if part) or None
    return elements.input_block(
        name,
        _element(parameter, shown, compact=compact),
        block_id=f"{PARAMETER}{name}",
        hint=about,
        optional=not parameter.required,
    )


def family(parameter: Parameter) -> str:
    """What the input of a parameter is, roughly: one of `FAMILIES`."""
    if parameter.choices or (parameter.type == "boolean" and parameter.required):
        return "menu"
    return "tick" if parameter.type == "boolean" else "text"


def fitting(parameter: Parameter, value: str | None) -> str | None:
    """The normal form of a value that may be given; None for one that may not."""
    try:
        return None if value is None else parameter.accept(value)
    except ValueError:
        return None


def hint(parameter: Parameter, limit: int) -> str | None:
    """What an input takes: its description, and what is expected where the input does not show it."""
    is_seen = parameter.choices or parameter.type == "boolean" or is_day_pattern(parameter.pattern)
    is_plain = parameter.type == "string" and parameter.pattern is None
    expected = "" if is_seen or is_plain else mrkdwn.words(parameter.expectation, 200)
    expected = f"{expected[:1].upper()}{expected[1:]}." if expected else ""
    about = clean(parameter.description, limit)
    if about and expected and about[-1] not in ".!?:":
        about += "."
    return " ".join(part for part in (about, expected) if part) or None


def choice_value(choice: str) -> str:
    """By what a menu names a choice: itself, or its hash where Slack takes it for no value."""
    if 1 <= len(choice) <= elements.OPTION_VALUE_CHARACTERS:
        return choice
    return f"{_HASH}{hashlib.sha256(choice.encode()).hexdigest()}"


def choice_of(choices: Sequence[str], value: str) -> str | None:
    """The choice that a menu names by `value`, None for what is none (any more).

    Of what Slack was sent it may give texts back with `&amp;` for `&`, and `<` and `>` likewise.
    """
    for sent in (value, unescape(value)):
        if sent in choices and choice_value(sent) == sent:
            return sent
    if not value.startswith(_HASH):
        return None
    return next((choice for choice in choices if choice_value(choice) == value), None)


def choice_options(choices: Sequence[str], query: str = "") -> list[Block]:
    """The choices in which `query` occurs as the options of a menu, at most as many as one takes."""
    sought, options = query.casefold(), list[Block]()
    for choice in choices:
        if sought in choice.casefold():
            options.append(_option(choice))
            if len(options) == elements.OPTIONS:
                break
    return options


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


def _element(parameter: Parameter, value: str | None, *, compact: bool) -> Block:
    if parameter.choices:
        return _menu(parameter.choices, value, searched=compact)
    if parameter.type == "boolean":
        return _truth(parameter, value)
    if parameter.type in ("integer", "number") and _is_short(value):
        return _number(parameter, value)
    if is_day_pattern(parameter.pattern) and (value is None or _is_day(value)):
        return elements.date_picker(VALUE, initial=value)
    return elements.text_input(VALUE, initial=value, multiline=_has_lines(parameter, value))


def _menu(choices: Sequence[str], value: str | None, *, searched: bool) -> Block:
    initial = _option(value) if value is not None and value in choices else None
    if searched or len(choices) > elements.OPTIONS:
        return elements.external_select(VALUE, initial=initial, placeholder="Type to search")
    return elements.static_select(VALUE, choice_options(choices), initial=initial)


def _option(choice: str) -> Block:
    return elements.option(choice, choice_value(choice))


def _truth(parameter: Parameter, value: str | None) -> Block:
    """A checkbox; whoever has to decide (required) chooses of two, since no tick would say nothing."""
    if parameter.required:
        return _menu(("true", "false"), value, searched=False)
    tick = elements.option("Yes", TRUE)
    return elements.checkboxes(VALUE, [tick], initial=[tick] if value == "true" else [])


def _number(parameter: Parameter, value: str | None) -> Block:
    whole = parameter.type == "integer"
    least, most = _bound(parameter.minimum, whole=whole), _bound(parameter.maximum, whole=whole)
    return elements.number_input(VALUE, decimal=not whole, initial=value, least=least, most=most)


def _bound(number: float | None, *, whole: bool) -> str | None:
    """A bound as Slack takes it; None where it has too many digits, or parts where there are none."""
    if number is None or (whole and not number.is_integer()):
        return None
    text = str(int(number)) if number.is_integer() else repr(number)
    return text if _NUMBER.fullmatch(text) and len(text) <= DIGITS else None


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
