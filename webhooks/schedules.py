"""A schedule as the API and a job's page show it: what comes, what holds it back, what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog.catalog import Job
from bot.catalog.due import Outlook, Plan, outlook
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
    """A job's schedule as it stands; `ticks` are newest first, with why one became no run as their `note`."""

    outlook: Outlook
    ticks: Sequence[Tick]

    def local(self, at: float) -> str:
        """A moment as the clocks of the schedule's zone show it."""
        return local_time(at, self.outlook.timetable.timezone)


def of(session: Session, job: Job, *, now: float, count: int = UPCOMING) -> Schedule | None:
    """The schedule of a job with its next `count` times; None where it has none."""
    if job.schedule is None:
        return None
    state = ticks.states(session, [job.name]).get(job.name)
    upcoming = outlook(Plan(job, job.schedule), state, now, count)
    due = ticks.newest(session, job.name, limit=TICKS)
    return Schedule(upcoming, [tick.model_copy(update={"note": tick_note(tick)}) for tick in due])


def outlooks(session: Session, jobs: Sequence[Job], *, now: float) -> dict[str, Outlook]:
    """What is to come next of the schedules of these jobs, by name, for those that have one."""
    timed = {job.name: Plan(job, job.schedule) for job in jobs if job.schedule is not None}
    states = ticks.states(session, timed)
    return {name: outlook(plan, states.get(name), now, 1) for name, plan in timed.items()}
