"""The local times that five cron fields name, without any time zone, as croniter finds them.

A local time is counted in seconds since 1970-01-01 00:00 on the wall clock, as if it were UTC. croniter is
never told of a zone: what it does where a clock changes is not what docs/schedules.md promises.
"""

from collections.abc import Iterator
from copy import copy
from datetime import date, timedelta
from functools import lru_cache

from croniter import croniter

DAY = 86400
"""Seconds."""

EPOCH = date(1970, 1, 1).toordinal()

_KEPT = 4
"""Local times that are remembered of a schedule: what is due now and what comes next are asked several times,
by each job that has the schedule, and croniter takes a thirtieth of a millisecond to find one."""


class Times:
    """The times of five fields that `cron` has let through.

    `either`: a day fits when its number or its weekday does. Otherwise both have to.
    """

    def __init__(self, fields: str, either: bool) -> None:
        self._walker = croniter(fields, 0.0, day_or=either)
        self.values = tuple(
            range(low, high + 1) if "*" in values else values
            for values, (low, high) in zip(self._walker.expanded, croniter.RANGES, strict=False)
        )
        """The values of each field, ascending; Sunday is 0."""
        self._either = either
        self._after = lru_cache(maxsize=_KEPT)(self._find)

    def between(self, low: int, end: int) -> Iterator[int]:
        """The local times with `low` <= t < `end`, in order."""
        if low >= end:
            return
        local = self._after(low - 1)
        while local < end:
            yield local
            local = self._after(local)

    def count(self, low: int, end: int) -> int:
        """About how many local times there are with `low` <= t < `end`: of whole days, or a share of one."""
        minutes, hours, days, months, weekdays = self.values
        found, day = 0, date.fromordinal(EPOCH + low // DAY)
        whole = max(1, -(-(end - low) // DAY))
        for each in (day + timedelta(days=n) for n in range(whole)):
            fits = each.day in days, each.isoweekday() % 7 in weekdays
            found += each.month in months and (any(fits) if self._either else all(fits))
        return round(found * len(minutes) * len(hours) * min(1.0, (end - low) / (whole * DAY)))

    def _find(self, local: int) -> int:
        walker = copy(self._walker)  # it keeps its place, and other threads have theirs
        return int(walker.get_next(float, float(local)))
