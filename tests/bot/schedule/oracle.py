"""The rules of docs/schedules.md as slow as they can be told: a walk over real minutes.

It shares nothing with the code: fields are matched by asking every value, and the clock is Python's own.
"""

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = 86400
_DAYS = {name: at for at, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_MONTHS = {name.upper(): at for at, name in enumerate(calendar.month_abbr) if name}


def _fits_field(text: str, value: int, low: int, high: int) -> bool:
    """Whether `value` is one of those that a field names."""
    for item in text.split(","):
        reach, _, step = item.partition("/")
        first, _, last = (f"{low}-{high}" if reach == "*" else reach).partition("-")
        start, end = (int({**_DAYS, **_MONTHS}.get(word, word)) for word in (first, last or first))
        if start <= value <= end and (value - start) % int(step or 1) == 0:
            return True
    return False


@cache
def _day_fits(cron: str, year: int, month: int, day: int) -> bool:
    _, _, days, months, weekdays = cron.split()
    weekday = datetime(year, month, day).isoweekday()
    number_fits = _fits_field(days, day, 1, 31)
    # Sunday is both ends of the week.
    weekday_fits = any(_fits_field(weekdays, one, 0, 6) for one in {weekday, weekday % 7})
    both = "*" in days or "*" in weekdays
    day_fits = (number_fits and weekday_fits) if both else (number_fits or weekday_fits)
    return day_fits and _fits_field(months, month, 1, 12)


def day_fits(cron: str, t: int) -> bool:
    """Whether the UTC day of a moment is one that `cron` names."""
    day = datetime.fromtimestamp(t, UTC)
    return _day_fits(cron, day.year, day.month, day.day)


def _times(cron: str) -> set[tuple[int, int]]:
    """Hours and minutes that `cron` names."""
    minutes, hours, *_ = cron.split()
    return {
        (hour, minute)
        for hour in range(24)
        if _fits_field(hours, hour, 0, 23)
        for minute in range(60)
        if _fits_field(minutes, minute, 0, 59)
    }


def clock(zone: str, start: int, end: int, step: int = 60) -> Sequence[tuple[int, datetime]]:
    """What the clock on the wall shows at each `step` seconds from `start` to `end`."""
    tz = ZoneInfo(zone)
    return [(t, datetime.fromtimestamp(t, tz).replace(tzinfo=None)) for t in range(start, end, step)]


def due(cron: str, walk: Sequence[tuple[int, datetime]]) -> Iterator[int]:
    """The due moments of a walk, by the words of the rules.

    The walk has to begin two days before the moments that matter, to know what was shown.
    """
    times = _times(cron)

    def fits(local: datetime) -> bool:
        return (local.hour, local.minute) in times and _day_fits(cron, local.year, local.month, local.day)

    minutes, hours, *_ = cron.split()
    if any(mark in minutes + hours for mark in "*/"):
        yield from (t for t, local in walk if (local.hour, local.minute) in times and fits(local))
        return
    step = walk[1][1] - walk[0][1]
    latest = before = walk[0][1] - step
    for t, local in walk:
        if local == latest + step:
            if (local.hour, local.minute) in times and fits(local):
                yield t
            latest = local
        elif local > latest:  # some were left out
            left_out = [latest + step * n for n in range(1, (local - latest) // step)]
            exists = {before.date(), local.date()}
            if fits(local) or any(fits(one) and one.date() in exists for one in left_out):
                yield t
            latest = local
        # else it was shown before
        before = local


def changes(zone: str, start: int, end: int) -> list[int]:
    """Moments within a day before each change of the zone's clock."""
    tz = ZoneInfo(zone)
    ahead = [(t, datetime.fromtimestamp(t, tz).utcoffset()) for t in range(start, end, DAY)]
    return [t for (t, one), (_, other) in pairwise(ahead) if one != other]


def kinds_of_change(zone: str, start: int, end: int) -> list[int]:
    """Moments within a day before the first change of each kind: from one offset to another."""
    tz = ZoneInfo(zone)
    first: dict[tuple[timedelta | None, timedelta | None], int] = {}
    for at in changes(zone, start, end):
        before, after = (datetime.fromtimestamp(t, tz).utcoffset() for t in (at, at + DAY))
        first.setdefault((before, after), at)
    return list(first.values())


def moment(year: int, month: int = 1, day: int = 1) -> int:
    """Epoch seconds of a day's beginning in UTC."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())
