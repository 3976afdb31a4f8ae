"""The local times that five cron fields name, without any time zone: a calendar and integers.

A local time is counted in seconds since 1970-01-01 00:00 on the wall clock, as if it were UTC.
"""

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

MINUTE, DAY = 60, 86400
"""Seconds."""

_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = 4  # a Thursday, where Sunday is 0


@dataclass(frozen=True, slots=True)
class Times:
    """The values of five cron fields, each sorted and without doubles; Sunday is 0.

    `either`: a day fits when its number or its weekday does. Otherwise both have to.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def first_from(self, local: int) -> int:
        """The first local time at or after `local` that fits."""
        day, second = divmod(local, DAY)
        today = date.fromordinal(day + _EPOCH)
        if today.month in self.months and self._fits(today.day, (day + _EPOCH_WEEKDAY) % 7):
            at = self._in_day(-(-second // MINUTE))
            if at is not None:
                return day * DAY + at * MINUTE
        following = self._day_from(day + 1)
        return following * DAY + (self.hours[0] * 60 + self.minutes[0]) * MINUTE

    def _in_day(self, minute: int) -> int | None:
        """The first minute of a day, at or after `minute`, whose hour and minute fit."""
        hour, rest = divmod(minute, 60)
        at = bisect_left(self.hours, hour)
        if at < len(self.hours) and self.hours[at] == hour:
            found = bisect_left(self.minutes, rest)
            if found < len(self.minutes):
                return hour * 60 + self.minutes[found]
            at += 1
        return self.hours[at] * 60 + self.minutes[0] if at < len(self.hours) else None

    def _day_from(self, day: int) -> int:
        """The first day at or after `day` that fits, both counted since 1970-01-01."""
        start = date.fromordinal(day + _EPOCH)
        year, month, number = start.year, start.month, start.day
        while True:
            if month in self.months:
                before = date(year, month, 1).toordinal() - _EPOCH - 1
                for candidate in range(number, monthrange(year, month)[1] + 1):
                    if self._fits(candidate, (before + candidate + _EPOCH_WEEKDAY) % 7):
                        return before + candidate
            year, month, number = (year + 1, 1, 1) if month == 12 else (year, month + 1, 1)

    def _fits(self, number: int, weekday: int) -> bool:
        if self.either:
            return number in self.days or weekday in self.weekdays
        return number in self.days and weekday in self.weekdays
