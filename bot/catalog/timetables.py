"""What a job may say about when it runs by itself: one schedule, or several by name. Pure."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bot import schedule
from bot.catalog.conditions import DAY, Definition, Duration, between
from bot.catalog.parameters import NAME, Parameter, Scalar, scalar_text, variable_name
from bot.catalog.patterns import SOME, EitherForm, Form
from bot.catalog.tick_conditions import condition, meets
from bot.text.names import SCHEDULE_NAME, schedule_name
from bot.text.wording import did_you_mean, quoted

MOST = 20
"""Schedules of one job."""

ONE, SEVERAL = "one schedule", "several schedules"
"""What pydantic calls the two ways to write them, in the places of its errors."""


def _cron(value: str) -> str:
    schedule.parse(value)
    return value


def _timezone(value: str) -> str:
    schedule.parse("@daily", value)
    return value


class Timetable(Definition):
    """When a job runs by itself: five cron fields or an `@` name, in a time zone. Durations are seconds.

    `name` tells it from the other schedules of its job. `parameters` are what its runs are given. Of the due
    moments only those count of which `when` holds, a condition in CEL. After `stop_after` failures in a row
    it is paused.
    """

    name: Annotated[str, AfterValidator(schedule_name), Form(SCHEDULE_NAME)] | None = None
    cron: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    paused: bool = False
    catch_up: Annotated[Duration, between(0, 7 * DAY)] = 600.0
    jitter: Annotated[Duration, between(0, 3600)] = 0.0
    when: Annotated[str, AfterValidator(condition), Form(SOME)] | None = None
    stop_after: Annotated[int, Field(ge=1, le=1000)] | None = None
    parameters: dict[
        Annotated[str, AfterValidator(variable_name), Form(NAME)],
        Annotated[str, BeforeValidator(scalar_text, json_schema_input_type=Scalar)],
    ] = Field(default_factory=dict)

    def counts(self, at: float) -> bool:
        """Whether the due moment `at` is one that counts."""
        return self.when is None or meets(self.when, at, self.timezone)

    @property
    def schedule(self) -> schedule.Schedule:
        """The due moments."""
        return schedule.parse(self.cron, self.timezone)


def _kind(value: object) -> str:
    return SEVERAL if isinstance(value, list | tuple) else ONE


def _named(value: Sequence[Timetable]) -> Sequence[Timetable]:
    """Each can be spoken of where there are several."""
    if not value:
        raise ValueError("expected at least one schedule")
    names = [each.name for each in value]
    if len(names) > 1 and None in names:
        raise ValueError("expected a name for each of several schedules, such as name: nightly")
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"two schedules are called {double}")
    return value


Several = Annotated[
    tuple[Timetable, ...], Field(max_length=MOST, json_schema_extra={"minItems": 1}), AfterValidator(_named)
]
Timetables = Annotated[
    Annotated[Timetable, Tag(ONE)] | Annotated[Several, Tag(SEVERAL)], Discriminator(_kind), EitherForm()
]
"""What stands under `schedule`."""


def listed(written: Timetable | Sequence[Timetable] | None) -> tuple[Timetable, ...]:
    """The schedules, however they were written."""
    if written is None:
        return ()
    return (written,) if isinstance(written, Timetable) else tuple(written)


def fitting(written: Timetable | Sequence[Timetable] | None, parameters: Mapping[str, Parameter]) -> Any:
    """`written` if the job takes what its schedules give it, in these `parameters`; else ValueError."""
    for each in listed(written):
        for name, value in each.parameters.items():
            if name not in parameters:
                near = did_you_mean(name, parameters)
                raise ValueError(f"{quoted(name)} is no parameter of this job.{near}")
            try:
                parameters[name].accept(value)
            except ValueError as error:
                raise ValueError(f"{quoted(name)}: {error}, not {quoted(value)}") from None
    return written
