"""The inputs of a form: one for each parameter of a job, of the kind that fits what it takes. Pure.

What an input holds comes back as text, except that a menu names a choice by `choice_value`, and a checkbox
says whether it is ticked: `bot.handlers.slack.entries` reads it.
"""

from collections.abc import Sequence
from html import unescape

from bot.catalog.inputs import (
    PARAMETER,
    Input,
    bound,
    choice_of,
    choice_value,
    choices_of,
    expected,
    fitting,
    input_of,
)
from bot.catalog.parameters import Parameter
from bot.messages import mrkdwn
from bot.messages.slack import elements
from bot.messages.slack.elements import Block
from bot.messages.text import clean

VALUE = "value"
"""The `action_id` of every input."""
TRUE = "true"
"""The value of the one option of a checkbox."""
HINT, SHORT_HINT = 500, 200
"""Characters of a hint, and of one in a form that would be too large."""

FAMILIES = {"static_select": "menu", "external_select": "menu", "checkboxes": "tick"} | dict.fromkeys(
    ("plain_text_input", "number_input", "datepicker"), "text"
)
"""The families of inputs by their type: what one of a family holds means nothing to another."""


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
    kind = input_of(parameter, None)
    return kind.value if kind in (Input.MENU, Input.TICK) else "text"


def hint(parameter: Parameter, limit: int) -> str | None:
    """What an input takes: its description, and what is expected where the input does not show it."""
    takes = mrkdwn.words(expected(parameter), 200)
    takes = f"{takes[:1].upper()}{takes[1:]}." if takes else ""
    about = clean(parameter.description, limit)
    if about and takes and about[-1] not in ".!?:":
        about += "."
    return " ".join(part for part in (about, takes) if part) or None


def sent_choice(choices: Sequence[str], value: str) -> str | None:
    """The choice that a menu names by `value`, None for what is none (any more).

    Of what Slack was sent it may give texts back with `&amp;` for `&`, and `<` and `>` likewise.
    """
    found = choice_of(choices, value)
    return choice_of(choices, unescape(value)) if found is None else found


def choice_options(choices: Sequence[str], query: str = "") -> list[Block]:
    """The choices in which `query` occurs as the options of a menu, at most as many as one takes."""
    sought, options = query.casefold(), list[Block]()
    for choice in choices:
        if sought in choice.casefold():
            options.append(_option(choice))
            if len(options) == elements.OPTIONS:
                break
    return options


def _element(parameter: Parameter, value: str | None, *, compact: bool) -> Block:
    match input_of(parameter, value):
        case Input.MENU:
            searched = compact and bool(parameter.choices)
            return _menu(choices_of(parameter), value, searched=searched)
        case Input.TICK:
            tick = elements.option("Yes", TRUE)
            return elements.checkboxes(VALUE, [tick], initial=[tick] if value == "true" else [])
        case Input.NUMBER:
            return _number(parameter, value)
        case Input.DAY:
            return elements.date_picker(VALUE, initial=value)
        case kind:
            return elements.text_input(VALUE, initial=value, multiline=kind is Input.LINES)


def _menu(choices: Sequence[str], value: str | None, *, searched: bool) -> Block:
    initial = _option(value) if value is not None and value in choices else None
    if searched or len(choices) > elements.OPTIONS:
        return elements.external_select(VALUE, initial=initial, placeholder="Type to search")
    return elements.static_select(VALUE, choice_options(choices), initial=initial)


def _option(choice: str) -> Block:
    return elements.option(choice, choice_value(choice))


def _number(parameter: Parameter, value: str | None) -> Block:
    whole = parameter.type == "integer"
    least, most = bound(parameter.minimum, whole=whole), bound(parameter.maximum, whole=whole)
    return elements.number_input(VALUE, decimal=not whole, initial=value, least=least, most=most)
