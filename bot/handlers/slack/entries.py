"""What somebody filled in in Slack, as its inputs give it back, with what is wrong at each block. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.inputs import ARGUMENTS, IMAGE_TAG, OVERRIDE, PARAMETER, REF, WHEN, choices_of
from bot.catalog.parameters import Parameter
from bot.commands import parser
from bot.errors import AskerError
from bot.handlers.entries import Entry, FormText, check_entry
from bot.handlers.overrides import REASON, is_reason
from bot.messages import mrkdwn
from bot.messages.slack.fields import TRUE, family, sent_choice

MISTAKE_CHARACTERS = 250
UNTIMELY = (
    "Expected a time such as at 22:00 or at 2030-01-31T18:00, or a while such as in 2h, of at most a year."
)
"""What is wrong with what is no time to start."""

Values = Mapping[str, str | tuple[str, ...] | None]
"""By the id of an input's block."""


def read_entry(job: Job, image: Image | None, values: Values) -> Entry:
    """What `values` ask for; an empty field is one that was not given, so its default counts.

    Mistakes are words without markup, by the id of the block in which they are shown.
    """
    mistakes: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name, parameter in job.parameters.items():
        try:
            value = _value(parameter, values.get(f"{PARAMETER}{name}"))
        except ValueError as error:
            mistakes[f"{PARAMETER}{name}"] = str(error)
            continue
        if value is not None:
            parameters[name] = value
    override = _text(values, OVERRIDE)
    if override is not None and not is_reason(override):
        mistakes[OVERRIDE] = REASON
    at, delay = None, None
    try:
        at, delay = _when(_text(values, WHEN))
    except AskerError as error:
        mistakes[WHEN] = str(error)
    ref, tag = _text(values, REF), _text(values, IMAGE_TAG)
    entry = check_entry(job, image, FormText(parameters, ref, tag, _text(values, ARGUMENTS) or ""))
    found = {block: mrkdwn.words(what, MISTAKE_CHARACTERS) for block, what in entry.mistakes.items()}
    request = replace(entry.request, override=override, at=at, delay=delay)
    return Entry(request, {**found, **mistakes})


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
        found = sent_choice(choices_of(parameter), value)
        if found is None:
            raise ValueError("This is no choice any more: the job was changed. Please choose again.")
        return found
    return value


def _when(text: str | None) -> tuple[str | None, float | None]:
    """The time and the seconds that `at 22:00` or `in 2h` mean, read as the command reads them."""
    if text is None:
        return None, None
    try:
        command = parser.parse(f"/job run x {text}")
    except AskerError:
        raise AskerError(UNTIMELY) from None
    if not isinstance(command, parser.Run) or command != parser.Run("x", at=command.at, delay=command.delay):
        raise AskerError(UNTIMELY)
    return command.at, command.delay


def _text(values: Values, block: str) -> str | None:
    value = values.get(block)
    return value.strip() or None if isinstance(value, str) else None
