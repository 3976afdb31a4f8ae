"""What the API takes in a body: the models that read it, of which its OpenAPI document is made as well."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)

from bot.access.scopes import MOST, READ, scope
from bot.catalog.parameters import VALUE_LIMIT, scalar_text
from bot.handlers.locks import REASON_CHARACTERS
from bot.text.names import SCHEDULE_NAME
from bot.text.units import seconds

MOST_PARAMETERS = 200
"""Parameters, and arguments, of one request; jobs declare far fewer."""

MOST_WORDS = 1000
"""Words of one command."""

LONGEST = 3660 * 86400.0
"""Seconds, the most that a duration may be."""


class Body(BaseModel):
    """Reads strictly: unknown keys are mistakes, and a number is no text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _seconds(value: Any) -> Any:
    """A duration as it is written everywhere, such as `90d`, in seconds; ValueError for what is none."""
    if not isinstance(value, str):
        raise ValueError("expected a duration such as 30s, 15m, 1h30m or 90d")
    duration = seconds(value)
    if not 1 <= duration <= LONGEST:
        raise ValueError(f"expected a duration from 1s to {LONGEST / 86400:.0f}d, not {value}")
    return duration


def printable(text: str) -> str:
    """`text` if it can be shown in one line, else ValueError."""
    if not text.isprintable() or not text.strip():
        raise ValueError("expected printable characters in one line")
    return text


Value = Annotated[
    str,
    BeforeValidator(scalar_text),
    Field(max_length=VALUE_LIMIT),
    WithJsonSchema(
        {"type": ["string", "integer", "number", "boolean"], "maxLength": VALUE_LIMIT, "title": "Value"}
    ),
]
"""A value of a parameter: text, or a number or a truth value, which the job sees as text."""

Name = Annotated[str, Field(min_length=1, max_length=100)]

Ref = Annotated[str, Field(min_length=1, max_length=255, description="A branch, a tag or a commit.")]

Parameters = Annotated[
    dict[Name, Value],
    Field(max_length=MOST_PARAMETERS, description="Values by name; the job has to declare each."),
]

Arguments = Annotated[
    list[Value], Field(max_length=MOST_PARAMETERS, description="Words for the command, as after `--`.")
]

Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^([0-9]{1,12}|(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?)$",
            "examples": ["2h", "90d"],
        }
    ),
]


Override = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)] | None


class Plan(Body):
    """What a job would be started with; all of it may be left out."""

    parameters: Parameters = Field(default_factory=dict)
    arguments: Arguments = Field(default_factory=list)
    ref: Ref | None = None
    image_tag: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="A tag of the repository of the job's image."
    )
    override: Override = Field(default=None, description="Why it starts in spite of a freeze.")


class Start(Plan):
    """What to start a job with, and when; all of it may be left out."""

    at: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="When: ISO 8601, in the zone of the job's schedule (else UTC) or its own."
    )
    delay: Seconds | None = Field(default=None, description="How long from now, such as `2h`.")


class Rerun(Body):
    """What is to be different from the run that is repeated."""

    parameters: Parameters = Field(default_factory=dict)
    latest: bool = Field(default=False, description="Today's definition and newest commit.")
    override: Override = Field(default=None, description="Why it starts in spite of a freeze.")


Tag = Annotated[
    str, Field(min_length=1, max_length=128, description="A tag of the repository of the job's image.")
]


class HookCall(Body):
    """What a deploy hook is called with; all of it may be left out."""

    parameters: Parameters = Field(default_factory=dict)
    image_tag: Tag | None = Field(
        default=None, alias="imageTag", description="The tag that the job runs from now on."
    )


def _command(value: Any) -> str | tuple[str, ...]:
    """A text or words; pydantic would tell what is wrong at places that are called like its types."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError("expected a text, or a list of texts")
    if len(value) > MOST_WORDS:
        raise ValueError(f"expected at most {MOST_WORDS} words")
    return tuple(value)


class Exec(Body):
    """One command in an image or in what a workload runs."""

    image: Annotated[str, Field(min_length=1, max_length=400)] = Field(
        description="A name of `images`, a tag or digest of a repository that one of them has, or a workload"
        " that one of them is, such as `deployment/shop`."
    )
    command: Annotated[
        str | tuple[str, ...],
        PlainValidator(_command),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "minLength": 1, "maxLength": 65536},
                    {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_WORDS},
                ],
                "description": "Words that run as they are, or a text for `sh -c`.",
            }
        ),
    ]
    workdir: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    timeout: Seconds | None = Field(
        default=None, description="The most it may take; 15 minutes if not given."
    )


def _token_name(name: str) -> str:
    if not name.isprintable() or not name.strip() or name in (".", "..") or "/" in name:
        raise ValueError("expected 1 to 100 printable characters without /")
    return name


TokenName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_token_name)]


class HookRequest(Body):
    """A new deploy hook. Its token is shown in the answer, and never again."""

    job: Name
    name: TokenName


class Empty(Body):
    """Nothing; `{}` or no body at all."""


ScheduleName = Annotated[str, Field(pattern=SCHEDULE_NAME)]


class OneSchedule(Body):
    """Which schedule of the job is meant; without it all of them."""

    schedule: ScheduleName | None = Field(default=None, description="Its name.")


Reason = Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS), AfterValidator(printable)]


class PauseAll(Body):
    """Until when all schedules are held back; without either until somebody resumes them."""

    reason: Reason | None = Field(default=None, description="It is shown beside what is paused.")
    until: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None,
        description="A date, a time or both (ISO 8601), in the zone of the schedule (for all: UTC).",
    )
    duration: Seconds | None = Field(default=None, description="How long from now, such as `2h`.")


class Pause(PauseAll, OneSchedule):
    """The same of the schedules of one job, or of one of them."""


Date = Annotated[str, Field(min_length=1, max_length=40)]


class BackfillRequest(OneSchedule):
    """From when until when a job is run for the due moments of its schedule."""

    since: Date = Field(
        alias="from", description="ISO 8601, in the zone of the schedule unless it names its own."
    )
    until: Date | None = Field(default=None, description="The same; without it now.")
    again: bool = Field(default=False, description="Those as well that ran already.")


class LockRequest(Body):
    """Why a target is locked, and for how long; without a duration until somebody unlocks it."""

    everyone: bool = Field(default=False, description="Whether the runs of who locks wait, too.")
    reason: Reason | None = Field(
        default=None, description="It is shown to everybody who runs into the lock."
    )
    duration: Seconds | None = Field(default=None, description="How long from now, such as `2h`.")


class Denial(Body):
    """Why somebody says no."""

    reason: (
        Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS), AfterValidator(printable)] | None
    ) = Field(default=None, description="It is shown to who asked.")


class BuildRequest(Body):
    """What to build an image from."""

    ref: Ref | None = Field(default=None, description="Without it, the default branch's newest commit.")


Scope = Annotated[
    str,
    AfterValidator(scope),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(read|exec|admin|run:(\*|(?!exec$)[a-z0-9-]{0,39}[a-z][a-z0-9-]{0,39}))$",
            "title": "Scope",
        }
    ),
]


class TokenRequest(Body):
    """A new token. It is shown in the answer, and never again."""

    name: TokenName
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=MOST)] = Field(
        default=[READ], description="What it may do."
    )
    expires: Seconds | None = Field(
        default=None, description="How long it is good for, such as `90d`; null: until it is deleted."
    )
