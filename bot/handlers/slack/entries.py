"""What somebody filled in: read and checked by today's definition, with what is wrong at each field. Pure.

The door asks so that mistakes are shown in the form, and whoever carries the form out asks once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.parameters import Parameter
from bot.commands import reader
from bot.errors import AskerError, Unfit
from bot.handlers.orders import with_tag
from bot.handlers.start import StartRequest, values_of
from bot.messages import mrkdwn
from bot.messages.slack.fields import PARAMETER, TRUE, choice_of, family
from bot.messages.slack.forms import ARGUMENTS, IMAGE_TAG, REF
from bot.text import refs

MISTAKE_CHARACTERS = 250

Values = Mapping[str, str | tuple[str, ...] | None]
"""By the id of an input's block."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is asked for, and what is wrong with it: words by the id of the block in which they are shown."""

    request: StartRequest
    mistakes: Mapping[str, str] = field(default_factory=dict)


def read_entry(job: Job, image: Image | None, values: Values) -> Entry:
    """What `values` ask for; an empty field is one that was not given, so its default counts."""
    mistakes: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, parameter in job.parameters.items():
        value = values.get(f"{PARAMETER}{name}")
        try:
            chosen = _value(parameter, value)
        except ValueError as error:
            mistakes[f"{PARAMETER}{name}"] = str(error)
            continue
        if chosen is not None:
            parameters[name] = chosen
    ref, tag = _text(values, REF), _text(values, IMAGE_TAG)
    if ref is not None and not refs.is_name(ref):
        mistakes[REF] = "This is no branch, tag or commit."
    mistakes |= _tag_mistakes(image, ref, tag)
    arguments: tuple[str, ...] = ()
    try:
        arguments = tuple(reader.split(_text(values, ARGUMENTS) or ""))
    except AskerError as error:
        mistakes[ARGUMENTS] = mrkdwn.words(str(error), MISTAKE_CHARACTERS)
    request = StartRequest(parameters, arguments, ref, tag)
    return Entry(request, {**_misfits(job, request), **mistakes})


def _value(parameter: Parameter, value: str | tuple[str, ...] | None) -> str | None:
    """A value as text; None for what was not given."""
    if isinstance(value, tuple) != (family(parameter) == "tick") and value is not None:
        raise ValueError("The job was changed while this form was open. Please open it again.")
    if isinstance(value, tuple):
        if value:
            return "true" if TRUE in value else None
        return None if parameter.default is None else "false"
    if value is None or value == "":
        return None
    if family(parameter) == "menu":
        choices = parameter.choices or ("true", "false")
        found = choice_of(choices, value)
        if found is None:
            raise ValueError("This is no choice any more: the job was changed. Please choose again.")
        return found
    return value


def _misfits(job: Job, request: StartRequest) -> dict[str, str]:
    """What the job does not take."""
    try:
        values_of(job, request)
    except Unfit as error:
        found: dict[str, str] = {}
        for place, _ in error.mistakes:
            if place[0] == "parameters":
                found[f"{PARAMETER}{place[1]}"] = _expected(job.parameters[place[1]])
            else:
                found[ARGUMENTS] = "This job takes no arguments."
        return found
    return {}


def _expected(parameter: Parameter) -> str:
    return mrkdwn.words(f"Expected {parameter.expectation}.", MISTAKE_CHARACTERS)


def _tag_mistakes(image: Image | None, ref: str | None, tag: str | None) -> dict[str, str]:
    if tag is None:
        return {}
    if ref is not None:
        return {IMAGE_TAG: "Either a commit or a tag: the image comes from one of them."}
    try:
        with_tag(image, tag)
    except Unfit as error:
        return {IMAGE_TAG: mrkdwn.words(str(error), MISTAKE_CHARACTERS)}
    return {}


def _text(values: Values, block: str) -> str | None:
    value = values.get(block)
    return value.strip() or None if isinstance(value, str) else None
