"""What this installation can run: jobs, the images they run in, and which pushes rebuild those. Pure.

A `Job` is stored with each of its runs (`model_dump(mode="json")`) and read back from there, so it
never holds a secret: its `env` keeps `${NAME}` references as they were written.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from bot.catalog import annotations
from bot.catalog.approval import Approval
from bot.catalog.chains import After, Afters, Then, Thens, afters, thens
from bot.catalog.concurrency import Concurrency, ConcurrencyRules, Locks
from bot.catalog.conditions import (
    DAY,
    OBJECT_NAME,
    SCRIPT_LIMIT,
    Definition,
    Duration,
    Files,
    Resources,
    Script,
    Variable,
    between,
    is_object_name,
    script,
)
from bot.catalog.images import Image
from bot.catalog.notify import Notify
from bot.catalog.parameters import NAME, Parameter, variable_name
from bot.catalog.patterns import SOME, Form
from bot.catalog.requirements import Requirement
from bot.catalog.retries import RetryRules
from bot.catalog.timetables import Timetable, Timetables, fitting
from bot.catalog.timetables import listed as schedules_in
from bot.catalog.triggers import Entry, described, starts
from bot.catalog.who import Allowed, Denied, Homes
from bot.errors import Missing, ProblemType, Unfit
from bot.events import Occurrence
from bot.states import EVERYTHING, GRACE
from bot.text.globs import matches
from bot.text.names import JOB_NAME, job_name
from bot.text.wording import did_you_mean, listed, quoted

_ARGUMENT_USE = re.compile(r"\$(?:[@*1-9]|\{[@*1-9])")

_AFTER_SETUP = 'errand_setup=$1; shift; eval "$errand_setup"; unset errand_setup; set +e\n'
"""What bash does before the text of a command: the setup, which ends it with its first error."""


def _command(value: object) -> object:
    """A text for `sh -c`, or a list of words that runs as it is."""
    if isinstance(value, str):
        return script(value)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(word, str) for word in value):
        raise ValueError('expected a text, or a list of texts such as [python, manage.py, "migrate"]')
    script(value[0])
    if any("\0" in word for word in value) or sum(len(word) for word in value) > SCRIPT_LIMIT:
        raise ValueError(f"expected at most {SCRIPT_LIMIT} characters without NUL characters")
    return tuple(value)


def _workdir(value: str) -> str:
    if not value or "\0" in value or ".." in value.split("/"):
        raise ValueError("expected a directory within the image, without ..")
    return value


def _account(value: str) -> str:
    if value and not is_object_name(value):
        raise ValueError('expected the name of a service account such as deployer, or "" for none')
    return value


def _line_form(value: str) -> str:
    annotations.form(value)
    return value


def _line_forms(value: object) -> object:
    """One form, or a list of them."""
    return (value,) if isinstance(value, str) else value


LineForm = Annotated[str, AfterValidator(_line_form), Form(r"\{file\}")]
LineForms = Annotated[tuple[LineForm, ...], Field(max_length=5)]
VariableName = Annotated[str, AfterValidator(variable_name), Form(NAME)]
_Command = Annotated[str, Form(SOME)] | Annotated[tuple[str, ...], Field(min_length=1)]
"""What may be written for a command."""


class Job(Definition):
    """A named definition of what to run. Durations are seconds."""

    name: Annotated[str, AfterValidator(job_name), Form(JOB_NAME)]
    description: str = ""
    image: str | None = None
    command: Annotated[str | tuple[str, ...], BeforeValidator(_command, json_schema_input_type=_Command)]
    arguments: bool = False
    workdir: Annotated[str, AfterValidator(_workdir), Form("^.")] | None = None
    setup: Script | None = None
    env: dict[VariableName, Variable] = Field(default_factory=dict)
    parameters: dict[VariableName, Parameter] = Field(default_factory=dict)
    timeout: Annotated[Duration, between(1, 7 * DAY)] = 900.0
    grace: Annotated[Duration, between(0, 3600)] = GRACE
    signal_children: bool = True
    notify: Notify = Field(default_factory=Notify)
    mask: tuple[str, ...] = ()
    annotations: Annotated[
        LineForms, BeforeValidator(_line_forms, json_schema_input_type=LineForm | LineForms)
    ] = ()
    files: Files = Field(default_factory=dict)
    size: str | None = None
    resources: Resources | None = None
    retries: RetryRules = 0
    concurrency: ConcurrencyRules = "allow"
    lock: Locks | None = None
    read_only: bool = False
    service_account: Annotated[str, AfterValidator(_account), Form(f"^$|{OBJECT_NAME}")] | None = None
    on: Annotated[tuple[Entry, ...], Field(max_length=50)] = ()
    after: Afters = ()
    then: Thens = ()
    cancel_with: Literal["pull_request"] | None = None
    requires: Annotated[tuple[Requirement, ...], Field(max_length=20)] = ()
    schedule: Timetables | None = None
    approval: Approval | None = None
    allow: Allowed = ()
    deny: Denied = ()
    repositories: Homes = ()
    keep: Annotated[int, Field(ge=1, le=10_000)] = 20
    expire: Annotated[Duration, between(60, 3650 * DAY)] | None = None
    expect: Annotated[Duration, between(1, 7 * DAY)] | None = None
    start_within: Annotated[Duration, between(1, 7 * DAY)] | None = None

    @field_validator("arguments")
    @classmethod
    def _arguments_arrive(cls, value: bool, info: ValidationInfo) -> bool:
        command = info.data.get("command")
        if value and isinstance(command, str) and not _ARGUMENT_USE.search(command):
            raise ValueError('a command that is a text takes arguments by using them: write "$@" or $1 in it')
        return value

    @field_validator("schedule")
    @classmethod
    def _schedules_fit(cls, value: Any, info: ValidationInfo) -> Any:
        return fitting(value, info.data.get("parameters") or {})

    @field_validator("approval")
    @classmethod
    def _approval_fits(cls, value: Approval | None, info: ValidationInfo) -> Approval | None:
        if value is not None:
            value.check(info.data.get("parameters", {}))
        return value

    @field_validator("concurrency")
    @classmethod
    def _key_is_known(cls, value: ConcurrencyRules, info: ValidationInfo) -> ConcurrencyRules:
        if isinstance(value, Concurrency):
            value.check(info.data.get("parameters") or {})
        return value

    @classmethod
    def frozen(cls, definition: Mapping[str, Any]) -> "Job":
        """The job as it was stored with a run; `ValueError` where another version of Errand stored it.

        From before lists had to say that they take arguments, they take them.
        """
        return cls.model_validate({"arguments": isinstance(definition.get("command"), list), **definition})

    def resolve(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The value of every parameter that has one, normalised; all mistakes in one AskerError."""
        problems = [
            (name, f"{quoted(name)} is no parameter of this job.{did_you_mean(name, self.parameters)}")
            for name in texts
            if name not in self.parameters
        ]
        values: dict[str, str] = {}
        for name, parameter in self.parameters.items():
            try:
                if name in texts:
                    values[name] = parameter.accept(texts[name])
                elif parameter.default is not None:
                    values[name] = parameter.default
                elif parameter.required:
                    problems.append((name, f"{quoted(name)} is required: {parameter.expectation}"))
            except ValueError as error:
                near = did_you_mean(texts[name], parameter.choices)
                sentence = f"{quoted(name)}: {error}, not {quoted(texts[name])}.{near}"
                problems.append((name, sentence))
        if not problems:
            return values
        lines = [f"{quoted(self.name)} cannot start:", *(f"- {what}" for _, what in problems)]
        if any(name not in self.parameters for name in texts):
            known = listed(self.parameters) if self.parameters else "none"
            lines.append(f"Parameters of {quoted(self.name)}: {known}.")
        raise Unfit("\n".join(lines), [(("parameters", name), what) for name, what in problems])

    def check_changes(self, changes: Mapping[str, str], *, latest: str) -> None:
        """Raise `Unfit` where a value that a repeated run of an older definition is given is none of today's.

        What was mended since must not be had back by repeating what was before. `latest`: how it is asked for
        that all of today's definition counts.
        """
        problems = []
        for name, value in changes.items():
            parameter = self.parameters.get(name)
            if parameter is None:
                problems.append((name, f"{quoted(name)} is no parameter any more."))
                continue
            try:
                parameter.accept(value)
            except ValueError as error:
                problems.append((name, f"{quoted(name)}: {error} today, not {quoted(value)}."))
        if not problems:
            return
        head = f"What is changed has to fit today's definition of {quoted(self.name)}, too:"
        lines = [
            head,
            *(f"- {what}" for _, what in problems),
            f"With {latest} all of today's definition counts.",
        ]
        raise Unfit("\n".join(lines), [(("parameters", name), what) for name, what in problems])

    def argv(self, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The words to run. A text runs in `sh -c` and sees the arguments as `$1` and `"$@"`.

        With a setup it runs in the very bash that ran that, with its functions and variables; before a list
        the engine runs `engine_setup`.

        Raises AskerError where arguments were given to a text that does not use them, or to a list that does
        not say that it takes any.
        """
        if not isinstance(self.command, str):
            if arguments and not self.takes_arguments:
                sentence = (
                    f"{quoted(self.name)} takes no arguments after `--`; it would with `arguments: true` "
                    "in its definition."
                )
                raise Unfit(sentence, [(("arguments",), sentence)])
            return (*self.command, *arguments)
        if arguments and not self.takes_arguments:
            sentence = f"{quoted(self.name)} takes no arguments after `--`."
            raise Unfit(sentence, [(("arguments",), sentence)])
        if self.setup is not None:
            shell = ("bash", "--noprofile", "--norc", "-e", "-c")
            return (*shell, _AFTER_SETUP + self.command, "bash", self.setup, *arguments)
        return ("sh", "-c", self.command, "sh", *arguments) if arguments else ("sh", "-c", self.command)

    @property
    def takes_arguments(self) -> bool:
        """Whether something may be given to the command after `--`."""
        if isinstance(self.command, str):
            return _ARGUMENT_USE.search(self.command) is not None
        return self.arguments

    @property
    def schedules(self) -> tuple[Timetable, ...]:
        """When it runs by itself, in the order in which that is written."""
        return schedules_in(self.schedule)

    @property
    def predecessors(self) -> tuple[After, ...]:
        """What has to have succeeded before it."""
        return afters(self.after)

    @property
    def locks(self) -> tuple[str, ...]:
        """The locks that a run takes, all of them or none."""
        return (self.lock,) if isinstance(self.lock, str) else self.lock or ()

    @property
    def defaults(self) -> dict[str, str]:
        """The values of those parameters that have one by themselves."""
        return {name: each.default for name, each in self.parameters.items() if each.default is not None}

    @property
    def targets(self) -> tuple[str, ...]:
        """What people may close so that it does not start: the job, its locks, and everything."""
        return (self.name, *self.locks, EVERYTHING)

    @property
    def successors(self) -> tuple[Then, ...]:
        """What is started when it has succeeded."""
        return thens(self.then)

    @property
    def starters(self) -> tuple[str, ...]:
        """What on GitHub starts it, in words."""
        return described(self.on)

    def starts_by(self, happened: Occurrence) -> bool:
        """Whether `happened` starts it."""
        return starts(self.on, self.name, happened)

    def is_asked_in(self, repository: str) -> bool:
        """Whether it may be asked for in pull requests of `repository`; GitHub ignores case."""
        name = repository.casefold()
        return not self.repositories or any(matches(each.casefold(), name) for each in self.repositories)

    @property
    def engine_setup(self) -> str | None:
        """The setup where the words of `argv` do not run it themselves."""
        return None if isinstance(self.command, str) else self.setup


def ownerless(image: str | None) -> str:
    """How a sentence begins that tells why nobody's rights are known: no image, or one that is not built."""
    what = "This job has no image" if image is None else "The image of this job is not built here"
    return f"{what}, so no repository"


@dataclass(frozen=True)
class Catalog:
    """All jobs and images by name."""

    jobs: Mapping[str, Job] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)

    def job(self, name: str) -> Job:
        """The job called `name`; AskerError with the nearest name."""
        if name not in self.jobs:
            sentence = f"There is no job {quoted(name)}.{did_you_mean(name, self.jobs)}"
            raise Missing(sentence, ProblemType.NO_SUCH_JOB)
        return self.jobs[name]

    def image(self, name: str) -> Image:
        """The image called `name`; AskerError with the nearest name."""
        if name not in self.images:
            sentence = f"There is no image {quoted(name)}.{did_you_mean(name, self.images)}"
            raise Missing(sentence, ProblemType.NO_SUCH_IMAGE)
        return self.images[name]

    def seen_from(self, repository: str) -> "Catalog":
        """What may be spoken of where everybody reads it: what is of `repository`, or of none.

        A job that names where it is asked for is not spoken of elsewhere.
        """
        own = {image.name for image in self.images_of(repository)}
        images = {
            name: image for name, image in self.images.items() if name in own or image.repository is None
        }
        jobs = {
            name: job
            for name, job in self.jobs.items()
            if (job.image is None or job.image in images) and job.is_asked_in(repository)
        }
        return Catalog(jobs, images)

    def only(self, names: Collection[str], *, all_images: bool = False) -> "Catalog":
        """Those of the jobs called so that there are, with the images that they run in, or all images."""
        jobs = {name: self.jobs[name] for name in sorted(names) if name in self.jobs}
        if all_images:
            return Catalog(jobs, self.images)
        used = dict.fromkeys(job.image for job in jobs.values() if job.image in self.images)
        return Catalog(jobs, {name: self.images[name] for name in used if name is not None})

    def spelling(self, repository: str) -> str:
        """`repository` in the one spelling that is stored and compared; GitHub ignores case."""
        return self._spellings.get(repository.casefold(), repository)

    @cached_property
    def _spellings(self) -> Mapping[str, str]:
        """How the first image that is built of each repository writes it."""
        found: dict[str, str] = {}
        for image in self.images.values():
            if image.repository is not None:
                found.setdefault(image.repository.casefold(), image.repository)
        return found

    def repository_of(self, job: Job) -> str | None:
        """The repository of the job's image, as it is stored; None where none is built."""
        image = self.images.get(job.image) if job.image is not None else None
        return None if image is None or image.repository is None else self.spelling(image.repository)

    def images_of(self, repository: str) -> list[Image]:
        """The images that are built from `repository`; GitHub does not tell names by case."""
        key = repository.casefold()
        return [
            image
            for image in self.images.values()
            if image.repository is not None and image.repository.casefold() == key
        ]

    def jobs_of_target(self, target: str) -> list[Job]:
        """The jobs that a lock on `target` concerns: those that name it as their `lock`, and that job."""
        return [job for job in self.jobs.values() if target in job.targets]

    def jobs_of_image(self, name: str) -> list[Job]:
        """The jobs that run in the image called `name`."""
        return [job for job in self.jobs.values() if job.image == name]
