"""The fields of the form that starts a job: what stands in them, and what was typed into them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.inputs import (
    ARGUMENTS,
    IMAGE_TAG,
    PARAMETER,
    REF,
    Input,
    bound,
    choice_of,
    choice_value,
    choices_of,
    expected,
    fitting,
    input_of,
)
from bot.catalog.parameters import VALUE_LIMIT, Parameter
from bot.handlers.entries import FormText
from bot.messages.text import clean

Fields = Mapping[str, str]
"""A form as a browser sent it."""


@dataclass(frozen=True, slots=True)
class RunField:
    """One field. `value` stands in it; of a menu it is the `Option` that is chosen, of a tick `true` or not.

    `unticked` is what a checkbox without its tick stands for, `default` what an empty field does, in a line.
    `about` and `expected` (Markdown) are its hint, `mistake` (Markdown) what is wrong with what was typed.
    """

    name: str
    label: str
    kind: str
    value: str = ""
    required: bool = False
    about: str = ""
    expected: str = ""
    default: str | None = None
    options: Sequence["Option"] = ()
    least: str | None = None
    most: str | None = None
    step: str | None = None
    unticked: str = ""
    mistake: str | None = None
    longest: int = VALUE_LIMIT


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a menu: what the browser sends for it, and what people read."""

    value: str
    text: str


def form_text(job: Job, fields: Fields) -> FormText:
    """What was filled in; an empty field is one that was left out. Browsers send line ends as CR and LF."""
    parameters: dict[str, str] = {}
    for field, sent in fields.items():
        name = field.removeprefix(PARAMETER)
        if sent == "" or name == field:
            continue
        text = sent.replace("\r\n", "\n")
        parameter = job.parameters.get(name)
        if parameter is not None and input_of(parameter, None) is Input.MENU:
            found = choice_of(choices_of(parameter), text)
            text = text if found is None else found
        parameters[name] = text
    ref, tag = fields.get(REF, "").strip() or None, fields.get(IMAGE_TAG, "").strip() or None
    return FormText(parameters, ref, tag, fields.get(ARGUMENTS, "").replace("\r\n", "\n").strip())


def run_fields(
    job: Job, image: Image | None, text: FormText, mistakes: Mapping[str, str], *, fresh: bool
) -> list[RunField]:
    """The fields of a job's form with `text` in them.

    `fresh`: what is missing in it is what the job says (its defaults), and what does not fit any more gives
    way to that; else it is what somebody typed, which stays as it is.
    """
    made = [
        _parameter_field(name, each, text.parameters.get(name), mistakes.get(f"{PARAMETER}{name}"), fresh)
        for name, each in job.parameters.items()
    ]
    return made + _others(job, image, text, mistakes)


def strays(fields: Sequence[RunField], mistakes: Mapping[str, str]) -> list[str]:
    """What is wrong with fields that the form does not have (Markdown)."""
    names = {each.name for each in fields}
    return [what for name, what in mistakes.items() if name not in names]


def _parameter_field(
    name: str, parameter: Parameter, text: str | None, mistake: str | None, fresh: bool
) -> RunField:
    shown, about = text, parameter.description
    if fresh:
        shown = fitting(parameter, text)
        if shown is None:
            shown = parameter.default
            if text is not None:
                about = f"It was {text[:60] or 'empty'}, which is not taken any more. {about}".rstrip()
    kind, whole = input_of(parameter, shown), parameter.type == "integer"
    options: list[Option] = []
    if kind is Input.MENU:
        options = [Option(choice_value(each), each or "(empty)") for each in choices_of(parameter)]
    is_number = kind is Input.NUMBER
    value = "" if shown is None else choice_value(shown) if kind is Input.MENU else shown
    return RunField(
        f"{PARAMETER}{name}",
        name,
        kind.value,
        value,
        required=parameter.required,
        about=f"{about}." if about and about[-1] not in ".!?:" else about,
        expected=_sentence(expected(parameter)),
        default=None if kind is Input.TICK or parameter.default is None else clean(parameter.default, 80),
        options=options,
        least=bound(parameter.minimum, whole=whole) if is_number else None,
        most=bound(parameter.maximum, whole=whole) if is_number else None,
        step=("1" if whole else "any") if is_number else None,
        unticked="false" if parameter.default is not None or shown == "false" else "",
        mistake=mistake,
    )


def _others(job: Job, image: Image | None, text: FormText, mistakes: Mapping[str, str]) -> list[RunField]:
    """What is no parameter: arguments, the commit, the tag."""
    made: list[RunField] = []

    def add(name: str, label: str, value: str | None, about: str) -> None:
        kind = Input.LINE.value
        made.append(RunField(name, label, kind, value or "", about=about, mistake=mistakes.get(name)))

    if job.takes_arguments:
        about = "Go to the command as they are, split into words as a shell does."
        add(ARGUMENTS, "Arguments", text.arguments, about)
    if image is not None and image.repository is not None:
        add(REF, "Ref", text.ref, "A branch, a tag or a commit. Empty: what the job runs on by itself.")
    if image is not None and image.registry is not None:
        about = f"A tag of {image.registry}. Empty: what the job runs on by itself."
        add(IMAGE_TAG, "Image tag", text.image_tag, about)
    return made


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""
