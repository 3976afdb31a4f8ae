"""What a job may say about its place among others: which have to have succeeded before it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bot.catalog.conditions import DAY, Definition, Duration, between
from bot.catalog.patterns import EitherForm, Form
from bot.text.names import JOB_NAME, job_name

MOST = 10
"""Jobs that one job may be after."""

ONE, SEVERAL = "one job", "several jobs"
"""What pydantic calls the two ways to write them, in the places of its errors."""

JobName = Annotated[str, AfterValidator(job_name), Form(JOB_NAME)]


class After(Definition):
    """A run of `job` has to have succeeded for the same commit or image, `within` seconds if given."""

    job: JobName
    of: Literal["commit", "image"] = "commit"
    within: Annotated[Duration, between(60, 3650 * DAY)] | None = None


def _entry(value: object) -> object:
    """A name alone is the job."""
    return {"job": value} if isinstance(value, str) else value


def _kind(value: object) -> str:
    return SEVERAL if isinstance(value, list | tuple) else ONE


def _apart(value: tuple[After, ...]) -> tuple[After, ...]:
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


def afters(written: After | tuple[After, ...]) -> tuple[After, ...]:
    """The entries, however they were written."""
    return (written,) if isinstance(written, After) else written


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
