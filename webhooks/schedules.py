"""Schedules as the API and a job's page show them: what comes, what holds it back, what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog.catalog import Job
from bot.catalog.due import Outlook, outlook, plans_of
from bot.messages import tick_note
from bot.messages.timetables import local_time
from bot.store import Session, ticks
from bot.tables import Tick

UPCOMING = 5
"""Coming times that are told."""
TICKS = 20
"""Moments that were due and are told."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One of a job's schedules; `ticks` are newest first, with why one became no run as their `note`."""

    outlook: Outlook
    ticks: Sequence[Tick]

    def local(self, at: float) -> str:
        """A moment as the clocks of the schedule's zone show it."""
        return local_time(at, self.outlook.timetable.timezone)


@dataclass(frozen=True, slots=True)
class Start:
    """When a schedule of a job starts it."""

    at: float
    schedule: Schedule


def of(session: Session, job: Job, *, now: float, count: int = UPCOMING) -> list[Schedule]:
    """The schedules of a job, each with its next `count` times."""
    plans = plans_of(job)
    states = ticks.states(session, [plan.key for plan in plans]) if plans else {}
    found: list[Schedule] = []
    for plan in plans:
        due = ticks.newest(session, plan.key, limit=TICKS)
        noted = [tick.model_copy(update={"note": tick_note(tick)}) for tick in due]
        found.append(Schedule(outlook(plan, states, now, count), noted))
    return found


def coming(schedules: Sequence[Schedule], count: int) -> list[Start]:
    """The next `count` times of all of a job's schedules, in order."""
    starts = [Start(at, each) for each in schedules for at in each.outlook.upcoming]
    return sorted(starts, key=lambda start: start.at)[:count]


def was_due(schedules: Sequence[Schedule]) -> list[tuple[Schedule, Tick]]:
    """The last moments that were due of all of a job's schedules, newest first."""
    ticks = [(each, tick) for each in schedules for tick in each.ticks]
    return sorted(ticks, key=lambda pair: -pair[1].at)[:TICKS]


def outlooks(session: Session, jobs: Sequence[Job], *, now: float) -> dict[str, list[Outlook]]:
    """What is to come next of each schedule of these jobs, by the job, soonest first."""
    plans = plans_of(*jobs)
    states = ticks.states(session, [plan.key for plan in plans])
    found: dict[str, list[Outlook]] = {}
    for plan in plans:
        found.setdefault(plan.job.name, []).append(outlook(plan, states, now, 1))
    for several in found.values():
        several.sort(key=lambda each: each.next_at)
    return found
