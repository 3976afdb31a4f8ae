"""When a schedule is due, on the days of a clock change as well.

A schedule that names its minutes and hours means local times: each local time of a day comes once. What
the clock shows a second time does not count again, and what it leaves out is due at the first moment
after the gap, because that is the earliest moment that is not before the time that was named. A schedule
with `*` or a step in its minutes or hours means a pace: it is due whenever the clock shows a time that
fits, as often as it is shown.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from bot.schedule.cron import read
from bot.schedule.dates import DAY, Times
from bot.schedule.zones import Span, spans, zone

_LAST = 32503680000
"""Epoch seconds of the year 3000; the calendar of Python has an end."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due moments, as epoch seconds: whole seconds, always at the start of a minute or of a new offset.

    `cron` and `timezone` are as they were written. Make one with `parse`.
    """

    cron: str
    timezone: str
    _times: Times = field(repr=False, compare=False)
    _zone: ZoneInfo = field(repr=False, compare=False)
    _fixed: bool = field(repr=False, compare=False)

    def after(self, moment: float) -> float:
        """The next due moment strictly after `moment`."""
        return next(self._due(moment))

    def upcoming(self, moment: float, count: int) -> list[float]:
        """The next `count` due moments strictly after `moment`."""
        return list(islice(self._due(moment), count))

    def moments(self, moment: float, most: int) -> Iterator[float]:
        """The next `most` due moments strictly after `moment`, one by one."""
        return islice(self._due(moment), most)

    def between(self, start: float, end: float, limit: int) -> list[float]:
        """The first `limit` due moments with `start` < t <= `end`."""
        return list(islice(takewhile(lambda due: due <= end, self._due(start)), limit))

    def estimate(self, start: float, end: float) -> int:
        """About how many due moments there are from `start` to `end`: clock changes do not count."""
        return self._times.count(math.floor(start), math.floor(end))

    def _due(self, moment: float) -> Iterator[float]:
        """Every due moment after `moment`, in order."""
        if not 0 <= moment < _LAST:
            raise ValueError("expected epoch seconds between the years 1970 and 3000")
        after = math.floor(moment) + 1
        for span in spans(self._zone, after):
            begin = max(after, span.start)
            low, end = begin + span.offset, span.end + span.offset
            if self._fixed and begin == span.start and self._skipped(span):
                yield float(begin)
                low += 1  # what is named for the end of the gap comes together with what was left out
            if self._fixed:
                low = max(low, span.shown)
            for local in self._times.between(low, end):
                yield float(local - span.offset)

    def _skipped(self, span: Span) -> bool:
        """Whether the clock jumped over a time that is named, of a day that exists at least in part.

        A day that a zone left out as a whole, to cross the date line, has no due moments.
        """
        end = span.start + span.offset
        days = (local - local % DAY for local in self._times.between(span.shown, end))
        return any(day < span.shown or day + DAY > end for day in days)


def parse(cron: str, timezone: str = "UTC") -> Schedule:
    """The schedule of five fields or an `@` name in an IANA time zone.

    ValueError is one sentence for people: which field, what is wrong with it, and what to write instead.
    """
    times, fixed = read(cron)
    return Schedule(cron, timezone, times, zone(timezone), fixed)


def spread(job: str, jitter: float) -> float:
    """The seconds in [0, `jitter`) by which `job` starts later than its schedule says: always the same."""
    if not 0 <= jitter < math.inf:
        raise ValueError("expected a jitter of 0 seconds or more")
    share = int.from_bytes(hashlib.sha256(job.encode()).digest()[:4]) / 2**32
    return share * jitter
