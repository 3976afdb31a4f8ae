"""`pause`, `resume` and `skip`: people hold back a schedule; whoever runs the job by hand still can.

Who may run a job may do this to its schedule. Only what is stored counts, so nothing has to be told to
the bot whose clock it is.
"""

import math
from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.catalog.catalog import ownerless
from bot.catalog.due import Plan, paused, upcoming
from bot.commands import parser
from bot.errors import AskerError, Unfit
from bot.handlers.authorization import Authorization, RequestContext
from bot.messages import timetables
from bot.store import Session, ticks
from bot.tables import JobState
from bot.text import vocabulary
from bot.text.wording import quoted

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
        plan, word = await self._plan(context, command.name), self._authorization.first_word(context)
        zone, now = plan.timetable.timezone, self._clock()
        until = None if command.duration is None else now + command.duration
        if command.until is not None:
            until = moment(command.until, zone, now)

        def effect(session: Session) -> str | None:
            ticks.change(session, command.name, paused=True, paused_until=until, paused_by=context.actor)
            return timetables.paused(command.name, until, zone, command=word)

        return effect

    async def resume(
        self, context: RequestContext, command: parser.Resume
    ) -> Callable[[Session], str | None]:
        """Let it go on, also with the time that was to be left out; what passed meanwhile stays passed."""
        plan = await self._plan(context, command.name)

        def effect(session: Session) -> str | None:
            now = self._clock()
            state = ticks.hold(session, [command.name]).get(command.name) or JobState(job=command.name)
            held = state.paused and (state.paused_until is None or state.paused_until > now)
            if not held and state.skip_at is None:
                raise AskerError(f"The schedule of {quoted(command.name)} is not paused.")
            none = {"paused_until": None, "paused_by": None, "skip_at": None, "skipped_by": None}
            state = ticks.change(session, command.name, paused=False, **none)
            return timetables.resumed(command.name, upcoming(plan, state, now, 1), plan.timetable.timezone)

        return effect

    async def skip(self, context: RequestContext, command: parser.Skip) -> Callable[[Session], str | None]:
        """Leave out the next time at which the schedule would start the job, and only that."""
        plan = await self._plan(context, command.name)

        def effect(session: Session) -> str | None:
            now, zone = self._clock(), plan.timetable.timezone
            state = ticks.hold(session, [command.name]).get(command.name) or JobState(job=command.name)
            if state.skip_at is not None:  # what was decided is not noted any more
                shown = timetables.local_time(plan.starts_at(state.skip_at), zone)
                raise AskerError(f"{quoted(command.name)} leaves out {shown} already.")
            times = upcoming(plan, state, now, 1)
            if not times:
                by = vocabulary.who(paused(plan, state, now) or "nobody")
                raise AskerError(f"The schedule of {quoted(command.name)} is paused by {quoted(by)}.")
            at = round(times[0] - plan.spread)
            state = ticks.change(session, command.name, skip_at=float(at), skipped_by=context.actor)
            return timetables.skipped(command.name, times[0], upcoming(plan, state, now, 1), zone)

        return effect

    async def _plan(self, context: RequestContext, name: str) -> Plan:
        """The schedule of a job that the asker may run; `AskerError` where there is none to talk about."""
        catalog = self._authorization.catalog(context)
        job = catalog.job(name)
        if job.image is not None:
            catalog.image(job.image)  # which may have been taken away
        repository = catalog.repository_of(job) or context.repository
        if repository is not None:
            await self._authorization.require(context, repository)
        elif context.scoped is None:
            raise AskerError(f"{ownerless(job.image)} says who may do that; ask in a pull request.")
        if job.schedule is None:
            raise AskerError(f"{quoted(name)} has no schedule.")
        if job.schedule.paused:
            raise AskerError(f"The schedule of {quoted(name)} is paused by its definition (`paused: true`).")
        return Plan(job, job.schedule)


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
