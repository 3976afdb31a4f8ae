"""Forms: what a job is to run with, which job that is, and what stands where there is no form. Pure.

https://docs.slack.dev/surfaces/modals
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.freezes import REASON_CHARACTERS
from bot.catalog.images import Image
from bot.catalog.inputs import ARGUMENTS, IMAGE_TAG, OVERRIDE, REF, WHEN
from bot.catalog.requirements import code_of
from bot.messages import mrkdwn
from bot.messages.mrkdwn import fitted, literal, span
from bot.messages.overlaps import overlap
from bot.messages.slack import elements, fields
from bot.messages.slack.actions import Action, Form
from bot.messages.slack.elements import Block
from bot.messages.slack.fields import VALUE

CHANNEL = "channel"
"""The `block_id` of where the run is told of."""
START_CHARACTERS = 50
"""Of when a run is to start."""
PARAMETERS = 90
"""Of a job that has a form; a modal has 100 blocks."""
OPTIONS = 500
"""Of all menus of a form together; with more Slack asks for them, since making them all takes its time."""
VIEW_CHARACTERS = 240_000
"""Of a whole modal as JSON; Slack takes 250 KB."""
CHANGED = (
    "The job was changed while this form was open. Please look at what is asked for now, and send it again."
)

Metadata = Mapping[str, Any]


class TooLarge(ValueError):
    """There is no form: the job has too many parameters, or a value is too long to be filled in."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """The run whose values the form is filled in with, and what that worked on."""

    number: int
    commit: str | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class RunForm:
    """A job and what its form begins with: `values` by parameter, as somebody gave them or a run had them.

    `repository` is what the image is built of, `standing` the tag that a deploy hook has chosen for the job
    instead. `conditions` are of now, in mrkdwn: what is locked or paused. `asks_channel`: the form came from
    no channel, so it asks in which one the run is told of; `channel` is the id that is proposed.
    `overridable`: a freeze is on which they may override, so it asks why, with `override` filled in. `start`
    is when it is to start, as a command says it. `notice`
    stands above all else, where the form is shown anew by who knows the definition alone.
    """

    job: Job
    image: Image | None
    repository: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    ref: str | None = None
    image_tag: str | None = None
    standing: str | None = None
    repeated: Repetition | None = None
    conditions: Sequence[str] = ()
    asks_channel: bool = False
    channel: str | None = None
    overridable: bool = False
    override: str | None = None
    start: str | None = None
    notice: str | None = None


def run_form(form: RunForm, metadata: Metadata) -> Block:
    """The modal; `TooLarge` where Slack would not take it."""
    if len(form.job.parameters) > PARAMETERS:
        raise TooLarge(f"it has {len(form.job.parameters)} parameters, and a form takes {PARAMETERS}")
    for name, value in form.values.items():
        if len(value) > elements.INPUT_CHARACTERS and name in form.job.parameters:
            raise TooLarge(f"{name} is longer than the {elements.INPUT_CHARACTERS} characters of a field")
    menus = [len(each.choices) for each in form.job.parameters.values()]
    many = sum(size for size in menus if size <= elements.OPTIONS) > OPTIONS
    for compact in (True,) if many else (False, True):
        view = _run_form(form, metadata, compact=compact)
        if len(json.dumps(view)) <= VIEW_CHARACTERS:
            return view
    raise TooLarge("its parameters are described at more length than a form takes")


def _run_form(form: RunForm, metadata: Metadata, *, compact: bool) -> Block:
    job, blocks = form.job, list[Block]()
    inputs = [
        fields.parameter_input(name, parameter, form.values.get(name), compact=compact)
        for name, parameter in job.parameters.items()
    ]
    inputs += _others(form)
    if form.notice is not None:
        blocks.append(elements.section(f":warning: {fitted(form.notice, 500)}"))
    room = elements.VIEW_BLOCKS - len(inputs) - len(blocks)
    blocks += [elements.context(line) for line in _about(form)[:room]]
    blocks += inputs
    return elements.modal(
        f"Run {job.name}",
        blocks,
        callback_id=Form.RUN,
        submit="Run",
        close="Cancel",
        metadata=metadata,
    )


def _about(form: RunForm) -> list[str]:
    """What it is and what it will run on, a line each, in mrkdwn."""
    job = form.job
    about = f"*{literal(job.name, 100)}*"
    if job.description:
        about += f": {literal(job.description, 600)}"
    lines = [about, _image(form)]
    if job.requires:
        codes = dict.fromkeys(code_of(entry) for entry in job.requires)
        lines.append(f"requires {' '.join(span(code, 40) for code in codes)} of a pull request")
    rules = [found] if (found := overlap(job.concurrency)) is not None else []
    if job.locks:
        named = " ".join(span(lock, 80) for lock in job.locks)
        rules.append(f"one at a time with all that hold the lock{'s' if len(job.locks) > 1 else ''} {named}")
    if rules:
        lines.append(" · ".join(rules))
    return [*lines, *form.conditions][: elements.CONTEXT_ELEMENTS]


def _image(form: RunForm) -> str:
    if form.image is None:
        return "runs in no image"
    where = span(form.image.name, 80)
    if form.repository is None:
        origin = span(form.image.origin, 200)
        if form.standing is not None:
            origin = f"the tag {span(form.standing, 130)}, which was chosen for the job, and not {origin}"
        return f"runs in {where}: {origin}"
    repeated, built = form.repeated, span(form.repository, 120)
    if repeated is not None and repeated.commit:
        ref = f" ({span(repeated.ref, 100)})" if repeated.ref else ""
        return (
            f"runs in {where} of {built}, commit {span(repeated.commit[:12])}{ref} as #{repeated.number} did"
        )
    if form.notice is not None:
        return f"runs in {where} of {built}"
    if form.standing is not None:
        tag = f"the tag {span(form.standing, 130)}, which was chosen for the job"
        return f"runs in {where} of {built}: {tag}, unless *Ref* or *Image tag* names another"
    return f"runs in {where} of {built}: the newest commit of its default branch, unless *Ref* names another"


def _others(form: RunForm) -> list[Block]:
    """What is no parameter: why a freeze is overridden, arguments, the commit, the tag, when, where."""
    job, inputs = form.job, list[Block]()
    if form.overridable:
        about = "Empty: not. It is told in the job's channel and kept in the journal."
        label, most = "In spite of the freeze, because", REASON_CHARACTERS
        inputs.append(_optional(label, OVERRIDE, form.override, about, most))
    if job.takes_arguments:
        about = "Go to the command as they are, split into words as a shell does."
        arguments = shlex.join(form.arguments) or None
        inputs.append(_optional("Arguments", ARGUMENTS, arguments, about))
    if form.image is not None and form.image.repository is not None:
        about = "A branch, a tag or a commit. Empty: what the job runs on by itself."
        if form.repeated is not None:
            about = f"As it is, or empty: what #{form.repeated.number} ran on."
        inputs.append(_optional("Ref", REF, form.ref, about))
    if form.image is not None and form.image.registry is not None:
        about = f"A tag of {form.image.registry}. Empty: what the job runs on by itself."
        inputs.append(_optional("Image tag", IMAGE_TAG, form.image_tag, about))
    if form.repeated is None:
        about = "Such as at 22:00, by your time zone in Slack, or in 2h. Empty: at once."
        inputs.append(_optional("Start", WHEN, form.start, about, START_CHARACTERS))
    if form.asks_channel:
        note = f" {job.notify.slack} is told as well." if job.notify.slack else ""
        menu = elements.conversations_select(VALUE, initial=form.channel)
        about = f"The message about the run goes there, and so do answers that only you see.{note}"
        inputs.append(elements.input_block("Tell in", menu, block_id=CHANNEL, hint=about))
    return inputs


def _optional(label: str, block_id: str, value: str | None, about: str, most: int | None = None) -> Block:
    element = elements.text_input(VALUE, initial=value, most=most)
    return elements.input_block(label, element, block_id=block_id, hint=about, optional=True)


# Which job ---------------------------------------------------------------------------------------


def job_menu(jobs: Sequence[Job], metadata: Metadata, *, note: str | None = None) -> Block:
    """The modal that asks which of `jobs` is to run; with a search where a menu does not take all.

    `note` says what is missing among them.
    """
    if len(jobs) > elements.OPTIONS:
        menu = elements.external_select(Action.FORM_JOB, placeholder="Type to search")
    else:
        menu = elements.static_select(Action.FORM_JOB, job_options(jobs), placeholder="Choose a job")
    blocks = [elements.section("Which job is to run?"), elements.actions(menu)]
    if note is not None:
        blocks.append(elements.context(fitted(note, 500)))
    return elements.modal("Run a job", blocks, callback_id=Form.RUN, metadata=metadata)


def job_options(jobs: Sequence[Job], query: str = "") -> list[Block]:
    """The jobs whose name or description has what somebody types, at most as many as a menu takes."""
    sought, options = query.strip().casefold(), list[Block]()
    for job in sorted(jobs, key=lambda each: each.name):
        if sought in job.name or sought in job.description.casefold():
            options.append(elements.option(job.name, job.name, description=job.description or None))
            if len(options) == elements.OPTIONS:
                break
    return options


# Without a form ----------------------------------------------------------------------------------


def waiting() -> Block:
    """What stands while it is asked whether somebody may; it says nothing of what they asked for."""
    return notice("One moment …")


def notice(markdown: str) -> Block:
    """Words, in Markdown, in the place of a form."""
    text = mrkdwn.slack_text(markdown)
    return elements.modal("Errand", [elements.section(text)], callback_id=Form.NOTICE)


def entrance(login: str, link: str, minutes: int) -> Block:
    """The link with which somebody logs in to the pages, in a modal, which nobody else sees."""
    words = (
        f"This link logs you in to Errand's pages as {span(login, 100)}: once, and within {minutes} minutes."
    )
    button = elements.link_button("Sign in", Action.LINK, link, style="primary")
    return elements.modal(
        "Errand", [elements.section(words), elements.actions(button)], callback_id=Form.NOTICE
    )


def command_line(word: str, job: str, values: Mapping[str, str], more: Sequence[str] = ()) -> str:
    """The command that stands for a form, in one line where it has one; `more` are the words after it."""
    words = [word, "run", job, *(f"{name}={value}" for name, value in values.items()), *more]
    return shlex.join(words)
