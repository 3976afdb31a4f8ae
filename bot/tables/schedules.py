"""What is held of schedules, and what became of their due moments."""

from typing import Any

from sqlalchemy import JSON, Double, Index, Text
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class JobState(SQLModel, table=True):
    """What people said about a schedule, and up to when its ticks were decided.

    Its key is the job's name, or `JOB/SCHEDULE` where the schedule has a name; `*` is about all schedules.
    `paused_by` is a run (`run:142`) where it stopped by itself after so many failures.
    """

    __tablename__ = "job_states"

    job: str = Field(primary_key=True)
    paused: bool = False
    paused_until: float | None = Field(default=None, sa_type=Double)  # None while paused: until resumed
    paused_by: str | None = None
    skip_at: float | None = Field(default=None, sa_type=Double)  # the one tick that is left out
    skipped_by: str | None = None
    ticked_to: float | None = Field(default=None, sa_type=Double)
    timetable: str | None = None  # for which that holds; what was changed begins anew
    paused_why: str | None = Field(default=None, sa_type=Text)  # as people said it
    failures: int | None = None  # of its runs in a row
    named_timetable: str | None = None
    """The same of a schedule with a name, which a release before those would take for one that is gone."""


class Tick(SQLModel, table=True):
    """One due moment of a schedule and what became of it, a `bot.states.TickOutcome`."""

    __tablename__ = "ticks"
    __table_args__ = (Index("ticks_job", "job", "at", unique=True), Index("ticks_age", "decided_at"))

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    job: str  # its name, or JOB/SCHEDULE: what makes the moment of each schedule unique
    at: float = Field(sa_type=Double)
    outcome: str
    reason: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # a `kind` and what it speaks of; `bot.messages` says it
    note: str | None = Field(default=None, sa_type=Text)  # the same as a version before that wrote it
    run_number: int | None = Field(default=None, sa_type=Number)
    decided_at: float = Field(sa_type=Double)
