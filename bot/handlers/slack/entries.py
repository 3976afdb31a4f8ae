"""What somebody filled in in Slack, as its inputs give it back, with what is wrong at each block. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.inputs import ARGUMENTS, IMAGE_TAG, OVERRIDE, PARAMETER, REF, choices_of
from bot.catalog.parameters import Parameter
from bot.handlers.entries import Entry, FormText, check_entry
from bot.handlers.overrides import REASON, is_reason
from bot.messages import mrkdwn
from bot.messages.slack.fields import TRUE, family, sent_choice

MISTAKE_CHARACTERS = 250

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
    ref, tag = _text(values, REF), _text(values, IMAGE_TAG)
    entry = check_entry(job, image, FormText(parameters, ref, tag, _text(values, ARGUMENTS) or ""))
    found = {block: mrkdwn.words(what, MISTAKE_CHARACTERS) for block, what in entry.mistakes.items()}
    return Entry(replace(entry.request, override=override), {**found, **mistakes})


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


def _text(values: Values, block: str) -> str | None:
    value = values.get(block)
    return value.strip() or None if isinstance(value, str) else None
