"""What the API answers with about schedules."""

from typing import Annotated

from pydantic import Field

from bot.states import TickOutcome
from webhooks.api.shapes import Moment, Name, Shape, Text, one_of


class Tick(Shape):
    """A moment that was due, and what became of it."""

    at: Moment
    outcome: Annotated[str, one_of(*TickOutcome)]
    note: str | None
    run: int | None = Field(validation_alias="run_number")


class Outlook(Shape):
    """What comes next, and what holds it back. A list of jobs has one moment of each, a job the next five."""

    name: str | None
    next: list[Moment] = Field(validation_alias="upcoming")
    paused_by: Name | None
    paused_until: Moment | None
    paused_why: str | None
    skipped: Moment | None
    skipped_by: Name | None


class Schedule(Outlook):
    """The same with the last moments that were due, newest first."""

    ticks: list[Tick]


class Coming(Shape):
    """A job that is to start: by its schedule, or as `run`, which somebody asked for at that moment."""

    at: Moment
    job: str
    schedule: str | None
    run: int | None
    asked_by: Name | None


class Agenda(Shape):
    """What starts next, soonest first: of each schedule its next time, and runs that wait for theirs."""

    coming: list[Coming]


class BackfillAnswer(Shape):
    """The numbers of the runs of a backfill, in order; `text` is what the command is answered in a chat."""

    runs: list[int]
    skipped: int
    text: Text
