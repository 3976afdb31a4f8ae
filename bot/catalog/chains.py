"""What a job may say about its place among others: what has to have succeeded before it, what follows. Pure.

`after` is a condition: without it nothing starts. `then` starts others when a run has succeeded. Neither of
them may lead round in a circle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, TypeAdapter

from bot.catalog.conditions import DAY, Definition, Duration, between
from bot.catalog.parameters import NAME, Scalar, scalar_text, variable_name
from bot.catalog.patterns import EitherForm, Form
from bot.text.names import JOB_NAME, job_name

MOST = 10
"""Jobs that one job may be after, and that may follow it."""

LONGEST = 20
"""Runs one after the other in a chain, its first one included."""

ONE, SEVERAL = "one job", "several jobs"
"""What pydantic calls the two ways to write them, in the places of its errors."""

JobName = Annotated[str, AfterValidator(job_name), Form(JOB_NAME)]


class After(Definition):
    """A run of `job` has to have succeeded for the same commit or image, `within` seconds if given."""

    job: JobName
    of: Literal["commit", "image"] = "commit"
    within: Annotated[Duration, between(60, 3650 * DAY)] | None = None


class Then(Definition):
    """A job that is started after a success, with these `parameters`; others have their defaults."""

    job: JobName
    parameters: dict[
        Annotated[str, AfterValidator(variable_name), Form(NAME)],
        Annotated[str, BeforeValidator(scalar_text, json_schema_input_type=Scalar)],
    ] = Field(default_factory=dict)


_Entries = TypeVar("_Entries", tuple[After, ...], tuple[Then, ...])


def _entry(value: object) -> object:
    """A name alone is the job."""
    return {"job": value} if isinstance(value, str) else value


def _kind(value: object) -> str:
    return SEVERAL if isinstance(value, list | tuple) else ONE


def _apart(value: _Entries) -> _Entries:
    names = [each.job for each in value]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"{double} stands here twice")
    return value


_After = Annotated[After, BeforeValidator(_entry, json_schema_input_type=JobName | After)]
Afters = Annotated[
    Annotated[_After, Tag(ONE)]
    | Annotated[tuple[_After, ...], Field(max_length=MOST), AfterValidator(_apart), Tag(SEVERAL)],
    Discriminator(_kind),
    EitherForm(),
]
"""What stands under `after`."""

_Then = Annotated[Then, BeforeValidator(_entry, json_schema_input_type=JobName | Then)]
Thens = Annotated[
    Annotated[_Then, Tag(ONE)]
    | Annotated[tuple[_Then, ...], Field(max_length=MOST), AfterValidator(_apart), Tag(SEVERAL)],
    Discriminator(_kind),
    EitherForm(),
]
"""What stands under `then`."""


def afters(written: After | tuple[After, ...]) -> tuple[After, ...]:
    """The entries, however they were written."""
    return (written,) if isinstance(written, After) else written


def thens(written: Then | tuple[Then, ...]) -> tuple[Then, ...]:
    """The entries, however they were written."""
    return (written,) if isinstance(written, Then) else written


_THENS: TypeAdapter[Then | tuple[Then, ...]] = TypeAdapter(Thens)


def of_definition(definition: Mapping[str, Any]) -> Sequence[Then]:
    """What follows a run with this definition; nothing where another version of Errand stored that."""
    written = definition.get("then")
    try:
        return thens(_THENS.validate_python(written)) if written else ()
    except ValueError:
        return ()


@dataclass(frozen=True, slots=True)
class Link:
    """A run of a chain, or a job that was to follow the run `after` and does not, or not yet.

    `number` is None for those; `why` says then what kept it from being started, as a reason.
    """

    job: str
    number: int | None = None
    state: str | None = None
    result: str | None = None
    after: int | None = None
    why: Mapping[str, Any] | None = None
    public: bool = False
    repository: str | None = None


Links = Mapping[str, Sequence[str]]
"""By a job the names of those that have to come before it."""


def circle(before: Links, start: str) -> list[str] | None:
    """The jobs of a circle from `start` back to it, in the order of their runs; None: there is none."""
    seen: set[str] = set()
    ways: list[Iterator[str]] = [iter(before.get(start, ()))]
    path = [start]
    while ways:
        name = next(ways[-1], None)
        if name is None:
            ways.pop()
            path.pop()
        elif name == start:
            return [start, *reversed(path[1:]), start]
        elif name not in seen:
            seen.add(name)
            path.append(name)
            ways.append(iter(before.get(name, ())))
    return None
