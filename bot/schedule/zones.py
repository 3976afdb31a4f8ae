"""Time zones by name, and the stretches of time between two changes of a zone's clock."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from bot.schedule.dates import DAY
from bot.text.vocabulary import duration
from bot.text.wording import nearest, quoted

_NO_PLACES = frozenset({"localtime", "Factory"})
"""Names that some systems have besides: whatever the machine is set to, and a placeholder."""


_OFFSET = re.compile(
    r"(?:Etc/)?(?:UTC|GMT|Z)?\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?",
    re.ASCII | re.IGNORECASE,
)
"""What people write for hours from UTC: `GMT+2`, `UTC-05:00`, `+02:00`."""


class Span(NamedTuple):
    """A stretch of time in which a zone's clock runs evenly: `start` <= t < `end`, in epoch seconds.

    Local time is `t + offset`. Every local time before `shown` has been on the clock (or was skipped)
    before the stretch: the clock falls back where it starts below `shown`, and springs where above.
    """

    start: int
    end: int
    offset: int
    shown: int


def zone(name: str) -> ZoneInfo:
    """The time zone of the IANA name `name`, as spelled there; ValueError names the nearest."""
    names = _names()
    if name in names:
        return ZoneInfo(name)
    return _refuse(name, names)


def spans(tz: ZoneInfo, moment: int) -> Iterator[Span]:
    """The stretches of `tz` from the one that holds `moment`, without end."""
    year = datetime.fromtimestamp(moment, UTC).year
    while True:
        for span in _spans(tz, year):
            if span.end > moment:
                yield span
        year += 1


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """Read once: the search of the disk takes tens of milliseconds."""
    return frozenset(available_timezones() - _NO_PLACES)


def _refuse(name: str, names: frozenset[str]) -> ZoneInfo:
    shown = f"{quoted(name)} is no IANA time zone"
    if offset := _OFFSET.fullmatch(name.strip()):
        raise ValueError(f"{shown}; {_fixed(offset, names)}")
    cities = {each.rpartition("/")[2].casefold(): each for each in sorted(names) if "/" in each}
    same = {each.casefold(): each for each in names}
    folded = name.strip().replace(" ", "_").casefold()
    # Abbreviations such as CEST are near to names of other zones, so only places are guessed.
    guess = same.get(folded) or cities.get(folded) or (nearest(name, names) if "/" in name else None)
    raise ValueError(
        f"{shown}; " + (f"did you mean {guess}?" if guess else "expected one such as Europe/Helsinki")
    )


def _fixed(offset: re.Match[str], names: frozenset[str]) -> str:
    """What to write for hours from UTC: IANA's own names of such zones have the sign the other way round."""
    sign, hours, minutes = offset["sign"], int(offset["hours"]), int(offset["minutes"] or 0)
    place = "expected a place, such as Europe/Helsinki, which knows its summer time as well"
    zone = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    if minutes or zone not in names:
        return place
    where = "ahead of" if sign == "+" else "behind"
    return (
        f"{place}. {zone}, with the sign the other way round, is always {duration(hours * 3600)} {where} UTC"
    )


@lru_cache(maxsize=4096)
def _spans(tz: ZoneInfo, year: int) -> tuple[Span, ...]:
    """The stretches of one year of UTC; one that crosses New Year's is cut there.

    The offset is looked at once a day and what lies between is bisected. Two changes within a day that
    undo each other would be missed; the nearest two since 1970 are a week apart.
    """
    first, last = (int(datetime(at, 1, 1, tzinfo=UTC).timestamp()) for at in (year, year + 1))
    # What the clock showed last matters as far back as a clock can fall, which is a day.
    at = first - 3 * DAY
    offset, shown = _offset(tz, at), at + _offset(tz, at)
    spans: list[Span] = []
    while at < last:
        end = _change(tz, at, last)
        if end > first:
            start = max(at, first)
            spans.append(Span(start, end, offset, max(shown, start + offset) if start > at else shown))
        shown = max(shown, end + offset)
        at, offset = end, _offset(tz, end)
    return tuple(spans)


def _change(tz: ZoneInfo, start: int, last: int) -> int:
    """The first moment after `start` at which the offset is another; `last` where that is sooner."""
    offset, low = _offset(tz, start), start
    while low < last:
        high = min(low + DAY, last)
        if _offset(tz, high) != offset:
            break
        low = high
    else:
        return last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(tz, middle) == offset else (low, middle)
    return high


def _offset(tz: ZoneInfo, moment: int) -> int:
    """Seconds by which local time is ahead of UTC."""
    ahead = datetime.fromtimestamp(moment, tz).utcoffset()
    assert ahead is not None  # noqa: S101 - no ZoneInfo is without one
    return ahead.days * DAY + ahead.seconds


def first_moment(tz: ZoneInfo, local: int) -> int:
    """The first moment at which the clock of `tz` shows `local` or, where it leaves that out, more.

    Both in seconds, `local` as if the zone had been UTC.
    """
    return next(
        max(span.start, local - span.offset)
        for span in spans(tz, local - 2 * DAY)
        if local - span.offset < span.end
    )


def last_moment(tz: ZoneInfo, local: int) -> int:
    """The same, the last time that the clock shows `local`."""
    found = first_moment(tz, local)
    for span in spans(tz, found):
        if span.start > local + 2 * DAY:
            return found
        if span.start <= local - span.offset < span.end:
            found = local - span.offset
    return found
