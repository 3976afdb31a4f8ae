"""What becomes of the due moments of a job's schedule. Pure: the time and what people said are arguments."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.timetables import Timetable
from bot.schedule import Schedule, spread
from bot.tables import JobState
from bot.text.names import schedule_key
from bot.text.units import duration_text

ON_TIME = 10.0
"""Seconds by which a run may start late and still is no missed one: a restart, or a busy machine."""

RECORDED = 100
"""The newest due moments that are looked at after a long time away; those before are not recorded."""

DEFINITION = "its definition"
"""Who pauses a schedule that says `paused: true`."""

_HOUR = 3600.0


class Plan:
    """A schedule of a job, read once. `spread`: the seconds that its jitter adds to every moment.

    `key` is what it is called among all schedules: `nightly`, or `nightly/eu` where it has a name.
    """

    def __init__(self, job: Job, timetable: Timetable) -> None:
        self.job = job
        self.timetable = timetable
        self.key = schedule_key(job.name, timetable.name)
        self.spread = spread(self.key, timetable.jitter)

    @cached_property
    def schedule(self) -> Schedule:
        """The due moments."""
        return self.timetable.schedule

    @property
    def text(self) -> str:
        """What is compared to know whether it was changed."""
        return f"{self.timetable.cron} {self.timetable.timezone}"

    @property
    def patience(self) -> float:
        """Seconds after its time at which a run may still start."""
        return max(self.timetable.catch_up, ON_TIME)

    def starts_at(self, at: float) -> float:
        """When the run of the due moment `at` starts."""
        return at + self.spread

    def after(self, decided_to: float) -> float:
        """When the first run after the due moment `decided_to` starts."""
        return self.starts_at(self.schedule.after(decided_to))

    def since(self, decided_to: float, now: float) -> list[float]:
        """The due moments after `decided_to` whose time has come by `now`, the newest `RECORDED` of them."""
        end, reach = now - self.spread, _HOUR
        while True:
            start = max(decided_to, end - reach)
            found = self.schedule.between(start, end, RECORDED + round(reach / 60) + 1) if start < end else []
            if start <= decided_to or len(found) >= RECORDED:
                return found[-RECORDED:]
            reach *= 2


def plans_of(*jobs: Job) -> list[Plan]:
    """The schedules of these jobs."""
    return [Plan(job, timetable) for job in jobs for timetable in job.schedules]


@dataclass(frozen=True, slots=True)
class Moment:
    """One due moment and what becomes of it: `run`, `missed`, `skipped` or `paused`, and why."""

    at: float
    outcome: str
    reason: dict[str, Any] | None = None


def paused(plan: Plan, state: JobState, at: float) -> str | None:
    """Who keeps the due moment `at` from starting anything, None if nobody does."""
    if plan.timetable.paused:
        return DEFINITION
    if state.paused and (state.paused_until is None or at < state.paused_until):
        return state.paused_by or "somebody"
    return None


def judge(plan: Plan, state: JobState, now: float, why: str | None = None) -> list[Moment]:
    """What becomes of every moment that is due and not decided, oldest first; at most one of them runs.

    `why` is what kept it from being decided, None where nobody was there.
    """
    moments = plan.since(state.ticked_to if state.ticked_to is not None else now, now)
    judged = [_judge(plan, state, at) for at in moments]
    open_ = [moment.at for moment in judged if moment.outcome == "run"]
    newest = open_[-1] if open_ else None
    runs = newest is not None and now - plan.starts_at(newest) <= plan.patience
    catch_up = duration_text(plan.timetable.catch_up)
    late = {"kind": "answer", "text": why} if why else {"kind": "late", "within": catch_up}
    reason = {"kind": "made_up"} if runs else late
    return [
        Moment(each.at, "missed", reason)
        if each.outcome == "run" and not (runs and each.at == newest)
        else each
        for each in judged
    ]


def _judge(plan: Plan, state: JobState, at: float) -> Moment:
    if at == state.skip_at:
        return Moment(at, "skipped", {"kind": "skipped", "by": state.skipped_by or "somebody"})
    if (by := paused(plan, state, at)) is not None:
        return Moment(at, "paused", {"kind": "paused", "by": by})
    return Moment(at, "run")


def upcoming(plan: Plan, state: JobState | None, now: float, count: int) -> list[float]:
    """When the next `count` runs start, jitter included, without what is skipped or paused.

    `state` is what people said, None where nobody did.
    """
    known = state or JobState(job=plan.key)
    if plan.timetable.paused or (known.paused and known.paused_until is None):
        return []
    begin = max(now - plan.spread, known.ticked_to or 0.0)
    if known.paused and known.paused_until is not None:
        begin = max(begin, math.ceil(known.paused_until) - 1)  # a moment at the very end of the pause counts
    found = plan.schedule.upcoming(begin, count + 1)
    return [plan.starts_at(at) for at in found if at != known.skip_at][:count]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to come of a schedule: when the next runs start, and what holds back which.

    `key` is what it is called among all schedules. `paused_until` is None for a pause without an end.
    `skipped` is when the run that is left out would start.
    """

    key: str
    timetable: Timetable
    upcoming: Sequence[float]
    paused_by: str | None = None
    paused_until: float | None = None
    skipped: float | None = None
    skipped_by: str | None = None

    @property
    def name(self) -> str | None:
        """Its own name, None where its job has no other."""
        return self.timetable.name

    @property
    def next_at(self) -> float:
        """When it starts its job next; infinite where it does not."""
        return self.upcoming[0] if self.upcoming else math.inf


def outlook(plan: Plan, state: JobState | None, now: float, count: int) -> Outlook:
    """The next `count` runs, as `upcoming` gives them, and what people hold back now."""
    known = state or JobState(job=plan.key)
    by = paused(plan, known, now)
    return Outlook(
        plan.key,
        plan.timetable,
        upcoming(plan, known, now, count),
        paused_by=by,
        paused_until=None if by is None or plan.timetable.paused else known.paused_until,
        skipped=None if known.skip_at is None else plan.starts_at(known.skip_at),
        skipped_by=known.skipped_by,
    )
