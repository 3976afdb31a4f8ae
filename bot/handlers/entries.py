"""What somebody filled in: read and checked by today's definition, all that is wrong at once. Pure.

Slack's door asks so that mistakes are shown in the form, a page does the same, and whoever carries the form
out asks once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.inputs import ARGUMENTS, IMAGE_TAG, PARAMETER, REF
from bot.commands import reader
from bot.errors import AskerError, Unfit
from bot.handlers.orders import with_tag
from bot.handlers.start import StartRequest
from bot.text import refs


@dataclass(frozen=True, slots=True)
class FormText:
    """What stands in a form: `parameters` only where something was given, `arguments` as words of a shell."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    ref: str | None = None
    image_tag: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is asked for, and what is wrong with it: a sentence in Markdown by the name of its field."""

    request: StartRequest
    mistakes: Mapping[str, str] = field(default_factory=dict)


def check_entry(job: Job, image: Image | None, text: FormText) -> Entry:
    """What a form asks for; what was not given is left to its default."""
    mistakes: dict[str, str] = {}
    if text.ref is not None and not refs.is_name(text.ref):
        mistakes[REF] = "This is no branch, tag or commit."
    mistakes |= _tag_mistakes(image, text.ref, text.image_tag)
    arguments: tuple[str, ...] = ()
    try:
        arguments = tuple(reader.split(text.arguments))
    except AskerError as error:
        mistakes[ARGUMENTS] = str(error)
    request = StartRequest(dict(text.parameters), arguments, text.ref, text.image_tag)
    return Entry(request, {**_misfits(job, request), **mistakes})


def _misfits(job: Job, request: StartRequest) -> dict[str, str]:
    """What the job does not take."""
    found: dict[str, str] = {}
    try:
        job.resolve(request.parameters)
    except Unfit as error:
        for place, what in error.mistakes:
            parameter = job.parameters.get(place[1])
            if parameter is not None:
                verb = "Expected" if place[1] in request.parameters else "Required:"
                what = f"{verb} {parameter.expectation}."
            found[f"{PARAMETER}{place[1]}"] = what
    try:
        job.argv(request.arguments)
    except Unfit:
        found[ARGUMENTS] = "This job takes no arguments."
    return found


def _tag_mistakes(image: Image | None, ref: str | None, tag: str | None) -> dict[str, str]:
    if tag is None:
        return {}
    if ref is not None:
        return {IMAGE_TAG: "Either a commit or a tag: the image comes from one of them."}
    try:
        with_tag(image, tag)
    except Unfit as error:
        return {IMAGE_TAG: str(error)}
    return {}
