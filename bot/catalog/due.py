"""What becomes of the due moments of a job's schedule. Pure: the time and what people said are arguments."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.timetables import Timetable
from bot.schedule import Schedule, spread
from bot.states import TickOutcome
from bot.tables import JobState
from bot.text.names import schedule_key
from bot.text.units import duration_text
from bot.text.vocabulary import in_a_row

ON_TIME = 10.0
"""Seconds by which a run may start late and still is no missed one: a restart, or a busy machine."""

RECORDED = 100
"""The newest due moments that are looked at after a long time away; those before are not recorded."""

DEFINITION = "its definition"
"""Who pauses a schedule that says `paused: true`."""

SEARCHED = 3000
"""Due moments that are looked through for those of which `when` holds."""

EVERY = "*"
"""The key of what people said about all schedules at once; no job is called so."""

States = Mapping[str, JobState]
"""What people said about schedules, by key, and about all of them under `EVERY`; nothing of most."""

_UNTOUCHED = JobState(job="")
"""What nobody said anything about; one for all, since making a thousand takes longer than all the rest."""

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
        when = "" if self.timetable.when is None else f" when {self.timetable.when}"
        return f"{self.timetable.cron} {self.timetable.timezone}{when}"

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

    def coming(self, moment: float, count: int) -> list[float]:
        """The next `count` due moments after `moment` that count, among the next `SEARCHED`."""
        if self.timetable.when is None:
            return self.schedule.upcoming(moment, count)
        some = self.schedule.moments(moment, SEARCHED)
        return list(islice(filter(self.timetable.counts, some), count))

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
    """One due moment, what becomes of it by its schedule alone, and why.

    One that `when` leaves out has no outcome: it is decided, and nobody is told of it.
    """

    at: float
    outcome: TickOutcome | None
    reason: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Who keeps a schedule from starting its job, until when (None: until it is resumed) and why.

    `failures` in a row is why it stopped by itself; `by` is the last of those runs then, as `run:142`.
    `every`: all schedules are paused.
    """

    by: str
    until: float | None = None
    why: str | None = None
    failures: int | None = None
    every: bool = False


def pause_of(plan: Plan, states: States, at: float) -> Pause | None:
    """What keeps the due moment `at` from starting anything, None if nothing does."""
    if plan.timetable.paused:
        return Pause(DEFINITION)
    state = states.get(plan.key)
    if state is not None and holds(state, at):
        stopped = state.failures if (state.paused_by or "").startswith("run:") else None
        return Pause(state.paused_by or "somebody", state.paused_until, state.paused_why, stopped)
    return pause_of_all(states, at)


def pause_of_all(states: States, at: float) -> Pause | None:
    """How all schedules are paused together at a moment; None where they are not."""
    state = states.get(EVERY)
    if state is None or not holds(state, at):
        return None
    return Pause(state.paused_by or "somebody", state.paused_until, state.paused_why, every=True)


def reason_of(pause: Pause) -> str | None:
    """Why it is paused, in plain words of which those of people are as they came; None where nobody said."""
    if pause.failures is not None:
        return in_a_row(pause.failures)
    if pause.every:
        return f"all schedules are paused: {pause.why}" if pause.why else "all schedules are paused"
    return pause.why


def holds(state: JobState, at: float) -> bool:
    """Whether it is paused at a moment."""
    return state.paused and (state.paused_until is None or at < state.paused_until)


def judge(plan: Plan, states: States, now: float, why: str | None = None) -> list[Moment]:
    """What becomes of every moment that is due and not decided, oldest first; at most one of them runs.

    `why` is what kept it from being decided, None where nobody was there.
    """
    state = states[plan.key]
    moments = plan.since(state.ticked_to if state.ticked_to is not None else now, now)
    judged = [_judge(plan, states, at) for at in moments]
    open_ = [moment.at for moment in judged if moment.outcome == TickOutcome.RUN]
    newest = open_[-1] if open_ else None
    runs = newest is not None and now - plan.starts_at(newest) <= plan.patience
    catch_up = duration_text(plan.timetable.catch_up)
    late = {"kind": "answer", "text": why} if why else {"kind": "late", "within": catch_up}
    reason = {"kind": "made_up"} if runs else late
    return [
        Moment(each.at, TickOutcome.MISSED, reason)
        if each.outcome == TickOutcome.RUN and not (runs and each.at == newest)
        else each
        for each in judged
    ]


def _judge(plan: Plan, states: States, at: float) -> Moment:
    state = states[plan.key]
    if not plan.timetable.counts(at):
        return Moment(at, None)
    if at == state.skip_at:
        return Moment(at, TickOutcome.SKIPPED, {"kind": "skipped", "by": state.skipped_by or "somebody"})
    if (pause := pause_of(plan, states, at)) is not None:
        known = {"why": pause.why, "failures": pause.failures, "every": pause.every or None}
        facts = {name: value for name, value in known.items() if value is not None}
        return Moment(at, TickOutcome.PAUSED, {"kind": "paused", "by": pause.by, **facts})
    return Moment(at, TickOutcome.RUN)


def upcoming(plan: Plan, states: States, now: float, count: int) -> list[float]:
    """When the next `count` runs start, jitter included, without what is skipped or paused."""
    known = states.get(plan.key) or _UNTOUCHED
    if plan.timetable.paused:
        return []
    begin = max(now - plan.spread, known.ticked_to or 0.0)
    for each in (known, states.get(EVERY)):
        if each is None or not each.paused:
            continue
        if each.paused_until is None:
            return []
        begin = max(begin, math.ceil(each.paused_until) - 1)  # a moment at the very end of the pause counts
    found = plan.coming(begin, count + 1)
    return [plan.starts_at(at) for at in found if at != known.skip_at][:count]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to come of a schedule: when the next runs start, and what holds back which.

    `key` is what it is called among all schedules. `skipped` is when the run that is left out would start.
    """

    key: str
    timetable: Timetable
    upcoming: Sequence[float]
    pause: Pause | None = None
    skipped: float | None = None
    skipped_by: str | None = None

    @property
    def name(self) -> str | None:
        """Its own name, None where its job has no other."""
        return self.timetable.name

    @property
    def paused_by(self) -> str | None:
        """Who holds it back, None where nobody does."""
        return None if self.pause is None else self.pause.by

    @property
    def paused_until(self) -> float | None:
        """Until when; None also for a pause without an end."""
        return None if self.pause is None else self.pause.until

    @property
    def paused_why(self) -> str | None:
        """Why, where somebody said so or it stopped by itself."""
        return None if self.pause is None else reason_of(self.pause)

    @property
    def next_at(self) -> float:
        """When it starts its job next; infinite where it does not."""
        return self.upcoming[0] if self.upcoming else math.inf


def outlook(plan: Plan, states: States, now: float, count: int) -> Outlook:
    """The next `count` runs, as `upcoming` gives them, and what people hold back now."""
    known = states.get(plan.key) or _UNTOUCHED
    return Outlook(
        plan.key,
        plan.timetable,
        upcoming(plan, states, now, count),
        pause=pause_of(plan, states, now),
        skipped=None if known.skip_at is None else plan.starts_at(known.skip_at),
        skipped_by=known.skipped_by,
    )
