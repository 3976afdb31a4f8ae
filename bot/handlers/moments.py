"""When: a time that somebody typed, by the clocks that they mean, and which clocks those are."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot import schedule
from bot.catalog.catalog import Job
from bot.errors import Refused, RetryLater, Unfit
from bot.handlers.authorization import RequestContext
from bot.handlers.places import SlackPlace
from bot.messages import timetables
from bot.slack.directory import SlackPeople
from bot.text.wording import quoted

LONGEST = 366 * 86400.0
"""Seconds: nothing is asked for that is further away."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """A time zone by its IANA name; `whose` says in words why that one."""

    zone: str
    whose: str

    def shown(self, at: float) -> str:
        """A moment by these clocks, with whose they are: `Fri 2027-01-15 22:00 CET (your time in Slack)`."""
        return f"{timetables.local_time(at, self.zone)} ({self.whose})"


@dataclass(frozen=True, slots=True)
class Later:
    """When a run is to start: at a moment, in seconds since the epoch, which is shown by `clocks`."""

    at: float
    clocks: Clocks


class MomentReader:
    """Reads what was typed; `people` is None where Slack is not configured."""

    def __init__(self, people: SlackPeople | None, clock: Callable[[], float]) -> None:
        self._people = people
        self._clock = clock

    async def later(
        self, context: RequestContext, job: Job, at: str | None, delay: float | None
    ) -> Later | None:
        """When a run is to start: at a time as typed or so many seconds from now; None: at once.

        A time without a zone is by the clocks of who asks in Slack, else of the job's schedule, else UTC.
        `Unfit` where it has passed or is more than a year away.
        """
        if at is None and delay is None:
            return None
        clocks, now = await self._clocks(context, job), self._clock()
        if at is not None:
            return Later(moment(at, clocks.zone, now, field="at"), clocks)
        if delay is None or not 0 < delay <= LONGEST:
            sentence = "A run starts within a year, or at once."
            raise Unfit(sentence, [(("delay",), sentence)])
        return Later(now + delay, clocks)

    async def _clocks(self, context: RequestContext, job: Job) -> Clocks:
        zone = await self._in_slack(context)
        if zone is not None:
            return Clocks(zone, "your time zone in Slack")
        if job.schedules:
            return Clocks(job.schedules[0].timezone, "the time zone of its schedule")
        return Clocks("UTC", "the time zone of this installation")

    async def _in_slack(self, context: RequestContext) -> str | None:
        place = context.place
        if self._people is None or not isinstance(place, SlackPlace) or place.user is None:
            return None
        try:
            person = await self._people.person(place.user)
        except (RetryLater, Refused):
            return None
        try:
            if person is not None and person.tz is not None:
                schedule.parse("@daily", person.tz)
                return person.tz
        except ValueError:
            pass  # Slack has names of zones that this machine does not know
        return None


def moment(text: str, timezone: str, now: float, *, field: str = "until") -> float:
    """The epoch seconds of a date, a time or both (ISO 8601), in `timezone` unless it names its own.

    A time alone is the next of that kind. `Unfit` (of the `field`) where it has passed or is too far away.
    """
    here = datetime.fromtimestamp(now, ZoneInfo(timezone))
    try:
        at = _at(text, here)
    except (ValueError, OverflowError):
        at = math.inf
    if not now < at <= now + LONGEST:
        shown = timetables.local_time(now, timezone)
        sentence = f"{quoted(text)} is not within the next year; there it is {shown} now."
        raise Unfit(sentence, [((field,), sentence)])
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
