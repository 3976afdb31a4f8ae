"""`pause`, `resume` and `skip`: people hold back a schedule; whoever runs the job by hand still can.

Who may run a job may do this to its schedule. Only what is stored counts, so nothing has to be told to
the bot whose clock it is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.catalog.due import Plan, paused, plans_of, upcoming
from bot.commands import parser
from bot.errors import AskerError, Unfit
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.journal import entry
from bot.messages import timetables
from bot.states import EntryKind
from bot.store import Session, journal, ticks
from bot.tables import JobState, JournalEntry
from bot.text import vocabulary
from bot.text.names import schedule_key
from bot.text.wording import did_you_mean, quoted

LONGEST = 366 * 86400.0
"""Seconds: no pause is for longer, unless it is without an end."""


class PauseHandler:
    """The three verbs; each gives an effect for one transaction."""

    def __init__(self, authorization: Authorization, clock: Callable[[], float]) -> None:
        self._authorization = authorization
        self._clock = clock

    async def pause(self, context: RequestContext, command: parser.Pause) -> Callable[[Session], str | None]:
        """Hold the schedule back until a time, for a time, or until it is resumed; the last word counts."""
        if command.duration is not None and command.duration > LONGEST:
            sentence = "A pause is for a year at most, or without an end."
            raise Unfit(sentence, [(("duration",), sentence)])
        plans, word = await self._plans(context, command), self._authorization.first_word(context)
        zone, now = plans[0].timetable.timezone, self._clock()
        until = None if command.duration is None else now + command.duration
        if command.until is not None:
            until = moment(command.until, zone, now)

        def effect(session: Session) -> str | None:
            for plan in plans:
                ticks.change(session, plan.key, paused=True, paused_until=until, paused_by=context.actor)
            journal.record(
                session, [self._entry(context, EntryKind.PAUSED, plan, until=until) for plan in plans]
            )
            return timetables.paused(_subject(command), until, zone, command=word, count=len(plans))

        return effect

    async def resume(
        self, context: RequestContext, command: parser.Resume
    ) -> Callable[[Session], str | None]:
        """Let it go on, also with the time that was to be left out; what passed meanwhile stays passed."""
        plans = await self._plans(context, command)

        def effect(session: Session) -> str | None:
            now, subject = self._clock(), _subject(command)
            states = ticks.hold(session, [plan.key for plan in plans])
            held = [plan for plan in plans if _is_held(states.get(plan.key), now)]
            if not held:
                raise AskerError(f"The schedule of {quoted(subject)} is not paused.")
            for plan in held:
                none = {"paused_until": None, "paused_by": None, "skip_at": None, "skipped_by": None}
                states[plan.key] = ticks.change(session, plan.key, paused=False, **none)
            journal.record(session, [self._entry(context, EntryKind.RESUMED, plan) for plan in held])
            first = _soonest(held, states, now)
            times = [] if first is None else [first.at]
            zone = plans[0].timetable.timezone if first is None else first.plan.timetable.timezone
            return timetables.resumed(subject, times, zone, count=len(held))

        return effect

    async def skip(self, context: RequestContext, command: parser.Skip) -> Callable[[Session], str | None]:
        """Leave out the next time at which a schedule would start the job, and only that."""
        plans = await self._plans(context, command)

        def effect(session: Session) -> str | None:
            now, subject = self._clock(), _subject(command)
            states = ticks.hold(session, [plan.key for plan in plans])
            skipping = {key: state.skip_at for key, state in states.items() if state.skip_at is not None}
            free = [plan for plan in plans if plan.key not in skipping]
            if not free:  # what was decided is not noted any more
                plan = plans[0]
                shown = timetables.local_time(plan.starts_at(skipping[plan.key]), plan.timetable.timezone)
                raise AskerError(f"{quoted(subject)} leaves out {shown} already.")
            first = _soonest(free, states, now)
            if first is None:
                state = states.get(free[0].key) or JobState(job=free[0].key)
                by = vocabulary.who(paused(free[0], state, now) or "nobody")
                raise AskerError(f"The schedule of {quoted(subject)} is paused by {quoted(by)}.")
            plan, zone = first.plan, first.plan.timetable.timezone
            at = round(first.at - plan.spread)
            state = ticks.change(session, plan.key, skip_at=float(at), skipped_by=context.actor)
            journal.record(session, [self._entry(context, EntryKind.SKIPPED, plan, tick=at)])
            following = _soonest(plans, {**states, plan.key: state}, now)
            times = [] if following is None else [following.at]
            shown = zone if following is None else following.plan.timetable.timezone
            return timetables.skipped(plan.key, timetables.local_time(first.at, zone), times, shown)

        return effect

    def _entry(
        self, context: RequestContext, kind: EntryKind, plan: Plan, **facts: float | None
    ) -> JournalEntry:
        """What the journal says of a schedule; moments are seconds since the epoch."""
        job = plan.job.name
        return entry(context, kind, f"schedule:{plan.key}", self._clock(), job=job, **facts)

    async def _plans(
        self, context: RequestContext, command: parser.Pause | parser.Resume | parser.Skip
    ) -> list[Plan]:
        """The schedules that are meant, of a job that the asker may run; `AskerError` where there is none."""
        name, catalog = command.name, self._authorization.catalog(context)
        job = catalog.job(name)
        if job.image is not None:
            catalog.image(job.image)  # which may have been taken away
        await self._authorization.admit(context, job)
        if not job.schedules:
            raise AskerError(f"{quoted(name)} has no schedule.")
        known = {plan.timetable.name or "": plan for plan in plans_of(job)}
        if command.schedule is not None and command.schedule not in known:
            near = did_you_mean(command.schedule, filter(None, known))
            raise AskerError(f"{quoted(name)} has no schedule {quoted(command.schedule)}.{near}")
        meant = [known[command.schedule]] if command.schedule is not None else list(known.values())
        plans = [plan for plan in meant if not plan.timetable.paused]
        if not plans:
            subject = _subject(command)
            raise AskerError(
                f"The schedule of {quoted(subject)} is paused by its definition (`paused: true`)."
            )
        return plans


class _Start(NamedTuple):
    """When a schedule starts its job next."""

    at: float
    plan: Plan


def _soonest(plans: Sequence[Plan], states: Mapping[str, JobState], now: float) -> _Start | None:
    """Which of these schedules starts its job first; None where none does."""
    coming = [(upcoming(plan, states.get(plan.key), now, 1), plan) for plan in plans]
    starts = [_Start(times[0], plan) for times, plan in coming if times]
    return min(starts, key=lambda start: start.at, default=None)


def _is_held(state: JobState | None, now: float) -> bool:
    if state is None:
        return False
    return state.skip_at is not None or (
        state.paused and (state.paused_until is None or state.paused_until > now)
    )


def _subject(command: parser.Pause | parser.Resume | parser.Skip) -> str:
    """What the asker named."""
    return schedule_key(command.name, command.schedule)


def moment(text: str, timezone: str, now: float) -> float:
    """The epoch seconds of a date, a time or both (ISO 8601), in `timezone` unless it names its own.

    A time alone is the next of that kind. `AskerError` where it has passed or is too far away.
    """
    here = datetime.fromtimestamp(now, ZoneInfo(timezone))
    try:
        at = _at(text, here)
    except (ValueError, OverflowError):
        at = math.inf
    if not now < at <= now + LONGEST:
        shown = timetables.local_time(now, timezone)
        sentence = f"{quoted(text)} is not within the next year; there it is {shown} now."
        raise Unfit(sentence, [(("until",), sentence)])
    return at


def _at(text: str, here: datetime) -> float:
    try:
        day_and_time = datetime.fromisoformat(text)
    except ValueError:
        clock = time.fromisoformat(text)
        today = here.astimezone(clock.tzinfo) if clock.tzinfo else here
        at = datetime.combine(today.date(), clock, clock.tzinfo or here.tzinfo)
        if at.timestamp() <= here.timestamp():
            at = datetime.combine(today.date() + timedelta(days=1), clock, clock.tzinfo or here.tzinfo)
        return at.timestamp()
    return (day_and_time if day_and_time.tzinfo else day_and_time.replace(tzinfo=here.tzinfo)).timestamp()
