"""When a schedule is due: worked examples, then the walk over real minutes."""

import math
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.schedule import Schedule, parse, spread
from tests.bot.schedule import oracle
from tests.bot.schedule.oracle import DAY, clock, due, moment

START, END = moment(2020), moment(2030)
ZONES = ("Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
ODD = (
    "America/Santiago",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Nuuk",
)
CHANGES = [(zone, at) for zone in ZONES + ODD for at in oracle.changes(zone, START, END)]


def _shown(cron: str, zone: str, day: str, count: int) -> list[str]:
    """The next due moments from a local day's beginning, as the clock shows them."""
    tz = ZoneInfo(zone)
    start = datetime.fromisoformat(day).replace(tzinfo=tz).timestamp()
    moments = parse(cron, zone).upcoming(start - 1, count)
    return [datetime.fromtimestamp(at, tz).strftime("%d %H:%M%z") for at in moments]


@pytest.mark.parametrize(
    ("cron", "zone", "day", "expected"),
    [
        # The clock falls back: at the first occurrence only.
        ("30 3 * * *", "Europe/Helsinki", "2024-10-27", ["27 03:30+0300", "28 03:30+0200"]),
        ("30 1 * * *", "America/New_York", "2024-11-03", ["03 01:30-0400", "04 01:30-0500"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2024-04-07", ["07 01:45+1100", "08 01:45+1030"]),
        ("30 23 * * *", "America/Santiago", "2024-04-06", ["06 23:30-0300", "07 23:30-0400"]),
        ("0 0 * * *", "America/Havana", "2024-11-03", ["03 00:00-0400", "04 00:00-0500"]),
        # The clock springs over it: at the first moment after the gap.
        ("30 3 * * *", "Europe/Helsinki", "2024-03-31", ["31 04:00+0300", "01 03:30+0300"]),
        ("30 2 * * *", "America/New_York", "2024-03-10", ["10 03:00-0400", "11 02:30-0400"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2024-10-06", ["06 02:30+1100", "07 02:15+1100"]),
        ("0 0 * * *", "America/Santiago", "2024-09-07", ["07 00:00-0400", "08 01:00-0300", "09 00:00-0300"]),
        ("@daily", "Asia/Beirut", "2024-03-30", ["30 00:00+0200", "31 01:00+0300", "01 00:00+0300"]),
        ("@daily", "Africa/Cairo", "2024-04-25", ["25 00:00+0200", "26 01:00+0300", "27 00:00+0300"]),
        ("59 23 * * *", "America/Toronto", "1974-04-27", ["27 23:59-0500", "28 23:59-0400"]),
        ("45 23 * * *", "America/Nuuk", "2025-03-29", ["30 00:00-0100", "30 23:45-0100"]),
        # Several times of the gap, and the end of the gap itself, come together.
        ("0,20,40 2,3 * * *", "America/New_York", "2024-03-10", ["10 03:00-0400", "10 03:20-0400"]),
        # A day that never was has no due moments, and no other day has two.
        ("30 2 * * *", "Pacific/Apia", "2011-12-29", ["29 02:30-1000", "31 02:30+1400", "01 02:30+1400"]),
        ("@daily", "Pacific/Apia", "2011-12-29", ["29 00:00-1000", "31 00:00+1400", "01 00:00+1400"]),
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29", ["30 12:00+1400"]),
        # Intervals follow the clock.
        ("0 */2 * * *", "Europe/Helsinki", "2024-03-31", ["31 00:00+0200", "31 02:00+0200", "31 04:00+0300"]),
        ("0 */2 * * *", "America/New_York", "2024-03-10", ["10 00:00-0500", "10 04:00-0400"]),
        (
            "0 */2 * * *",
            "Europe/Berlin",
            "2024-10-27",
            ["27 00:00+0200", "27 02:00+0200", "27 02:00+0100", "27 04:00+0100"],
        ),
        ("0 */2 * * *", "Australia/Lord_Howe", "2024-10-06", ["06 00:00+1030", "06 04:00+1100"]),
        ("@hourly", "Australia/Lord_Howe", "2024-10-06", ["06 00:00+1030", "06 01:00+1030", "06 03:00+1100"]),
        ("@hourly", "Australia/Lord_Howe", "2024-04-07", ["07 00:00+1100", "07 01:00+1100", "07 02:00+1030"]),
        ("0 */12 * * *", "Pacific/Apia", "2011-12-29", ["29 00:00-1000", "29 12:00-1000", "31 00:00+1400"]),
    ],
)
def test_clock_changes_as_documented(cron: str, zone: str, day: str, expected: list[str]) -> None:
    assert _shown(cron, zone, day, len(expected)) == expected


@pytest.mark.parametrize("zone", ZONES + ODD)
@pytest.mark.parametrize(("cron", "pace"), [("*/15 * * * *", 900), ("* * * * *", 60), ("*/30 * * * *", 1800)])
def test_interval_keeps_its_pace_in_real_time(zone: str, cron: str, pace: int) -> None:
    schedule = parse(cron, zone)
    for at in oracle.kinds_of_change(zone, START, END):
        moments = schedule.between(at, at + 2 * DAY, 10**6)
        assert moments == [float(t) for t in range(at + pace, at + 2 * DAY + 1, pace)]


def test_day_of_month_or_weekday_as_in_crontab() -> None:
    either = _shown("0 0 13 * FRI", "UTC", "2024-09-01", 6)
    assert " ".join(at[:2] for at in either) == "06 13 20 27 04 11"
    both = _shown("0 0 */10 * MON", "UTC", "2024-01-01", 3)
    assert " ".join(at[:2] for at in both) == "01 11 01"


def test_leap_day_is_found_across_the_year_2100() -> None:
    found = [datetime.fromtimestamp(at, UTC).year for at in parse("0 0 29 2 *").upcoming(moment(2093), 3)]
    assert found == [2096, 2104, 2108]


def test_leap_day_on_a_certain_weekday_is_found_decades_away() -> None:
    # The step keeps the day of month from standing alone: the 1st and the 29th, and a Sunday.
    found = [datetime.fromtimestamp(at, UTC) for at in parse("0 0 */28 2 SUN").upcoming(START, 20)]
    assert [at.year for at in found if at.day == 29][:2] == [2032, 2060]


def _agrees(cron: str, zone: str, start: int, days: int) -> None:
    """The schedule and the walk say the same for some days."""
    walk = clock(zone, start - 2 * DAY, start + days * DAY)
    expected = [float(t) for t in due(cron, walk) if t > start]
    assert parse(cron, zone).between(start, start + days * DAY - 1, 10**6) == expected


def _numbers(low: int, high: int) -> st.SearchStrategy[str]:
    """Single values, ranges and steps of a field."""
    number = st.integers(low, high)
    reach = (
        st.tuples(number, number)
        .filter(lambda ends: ends[0] != ends[1])
        .map(sorted)
        .map(lambda ends: f"{ends[0]}-{ends[1]}")
    )
    step = st.integers(2, high - low).map(lambda step: f"*/{step}")
    return st.one_of(st.lists(st.one_of(number.map(str), reach), min_size=1, max_size=3).map(",".join), step)


_EARLY = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda hours: ",".join(map(str, hours)))
CRONS = st.tuples(
    st.one_of(_numbers(0, 59), st.just("0"), st.just("*")),
    st.one_of(_EARLY, st.just("*"), st.just("23"), _numbers(0, 23)),
    st.one_of(st.just("*"), _numbers(1, 28)),
    st.one_of(st.just("*"), st.just("MAR-APR,SEP-NOV"), _numbers(1, 12)),
    st.one_of(st.just("*"), _numbers(0, 6), st.sampled_from(["MON-FRI", "5-7", "SAT,SUN"])),
).map(" ".join)


@settings(deadline=None, max_examples=100)
@given(CRONS, st.sampled_from(CHANGES))
@example("30 3 * * *", ("Europe/Helsinki", moment(2024, 10, 26)))
def test_every_minute_around_a_change_agrees_with_the_walk(cron: str, change: tuple[str, int]) -> None:
    _agrees(cron, change[0], change[1] - DAY // 4, 2)


@settings(deadline=None, max_examples=60)
@given(CRONS, st.sampled_from(ZONES + ODD), st.integers(START // 60, END // 60 - 3 * 1440))
def test_any_minute_agrees_with_the_walk(cron: str, zone: str, minute: int) -> None:
    _agrees(cron, zone, minute * 60, 1)


@pytest.mark.parametrize(
    "zone", ["Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein", "Asia/Pyongyang"]
)
@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "0 0 * * *", "59 23 * * *", "*/15 * * * *", "0,30 0-23 * * *"]
)
def test_date_line_and_new_offsets_agree_with_the_walk(zone: str, cron: str) -> None:
    for at in oracle.changes(zone, moment(1990), moment(2020)):
        _agrees(cron, zone, at - DAY, 3)


BY_MINUTE = ("37 1-4 * * *", "*/7 * * * *", "59 0-23 * * *", "5-10 */3 * * SUN", "0 0 * * *")


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_ten_years_agrees_with_the_walk_by_the_minute(zone: str) -> None:
    for at in oracle.changes(zone, START, END) or [START]:  # India has none
        for cron in BY_MINUTE:
            _agrees(cron, zone, at - DAY // 4, 2)


WHOLE_YEARS = (2024, 2026, 2027)
"""A leap year, and those in which the changes that go by the Sunday come earliest and latest."""
BY_QUARTER = ("30 2 * * *", "0,15,30,45 1-3 * * SUN", "*/15 0-4 * * SUN", "45 2-23/7 * * *")


@pytest.mark.parametrize("year", WHOLE_YEARS)
@pytest.mark.parametrize("zone", ZONES)
def test_whole_years_agree_with_the_walk(zone: str, year: int) -> None:
    """In steps of a quarter of an hour, which every change and every minute named here is a multiple of."""
    start, end = moment(year), moment(year + 1)
    walk = clock(zone, start - 3 * DAY, end, 900)
    for cron in BY_QUARTER:
        expected = [float(t) for t in due(cron, walk) if t > start]
        assert parse(cron, zone).between(start, end - 1, 10**6) == expected


DATES = st.tuples(
    st.one_of(st.just("*"), _numbers(1, 31)),
    st.one_of(st.just("*"), _numbers(1, 12)),
    st.one_of(st.just("*"), _numbers(0, 6)),
).map(" ".join)


@settings(deadline=None, max_examples=40)
@given(DATES, st.integers(1971, 2200), st.just(5))
@example("29 2 */6", 2086, 31)  # a leap day on a Saturday or Sunday, across the year 2100
@example("29-31 2,4 MON", 2000, 8)
def test_dates_of_some_years_agree_with_the_calendar(dates: str, year: int, years: int) -> None:
    cron, start, end = f"0 0 {dates}", moment(year), moment(year + years)
    expected = [float(t) for t in range(start, end, DAY) if oracle.day_fits(cron, t)]
    try:
        schedule = parse(cron)
    except ValueError:
        assert expected == []
        return
    assert schedule.between(start - 1, end - 1, 10**6) == expected


@settings(deadline=None, max_examples=100)
@given(CRONS, st.sampled_from(CHANGES), st.floats(0, 2 * DAY), st.integers(0, 12))
def test_due_moments_rise_and_all_ways_to_ask_agree(
    cron: str, change: tuple[str, int], since: float, limit: int
) -> None:
    schedule, start = parse(cron, change[0]), change[1] + since
    moments = schedule.upcoming(start, 12)
    asked, at = [], start
    for _ in range(12):
        assert schedule.after(at) > at
        at = schedule.after(at)
        asked.append(at)
    assert moments == asked
    assert all(earlier < later for earlier, later in pairwise(moments))
    assert schedule.between(start, moments[-1], limit) == moments[:limit]
    assert schedule.between(start, moments[5], 100) == moments[:6]
    assert schedule.between(start, math.nextafter(moments[5], 0), 100) == moments[:5]


def test_a_due_moment_and_the_fractions_around_it() -> None:
    schedule = parse("* * * * *")
    assert [schedule.after(at) for at in (59.999, 60, 60.001, 0)] == [60, 120, 120, 60]


def test_nothing_is_due_in_an_empty_stretch() -> None:
    schedule = parse("@hourly")
    assert schedule.between(7200, 7200, 5) == []
    assert schedule.between(7200, 3600, 5) == []
    assert schedule.between(0, 10**9, 0) == []


@pytest.mark.parametrize("at", [-1.0, math.nan, math.inf, 1e12])
def test_a_moment_outside_the_calendar_is_refused(at: float) -> None:
    with pytest.raises(ValueError, match="between the years 1970 and 3000"):
        parse("@daily").after(at)


def test_a_schedule_is_a_value() -> None:
    one, other = parse("0 4 * * MON", "Asia/Kolkata"), parse("0 4 * * MON", "Asia/Kolkata")
    assert one == other
    assert len({one, other, parse("0 4 * * MON")}) == 2
    assert repr(one) == "Schedule(cron='0 4 * * MON', timezone='Asia/Kolkata')"
    assert isinstance(one, Schedule)


@settings(deadline=None)
@given(st.text(), st.one_of(st.just(0.0), st.floats(0.001, 1e9)))
def test_jitter_is_stable_and_within_its_bounds(job: str, jitter: float) -> None:
    assert spread(job, jitter) == spread(job, jitter)
    assert 0 <= spread(job, jitter) < jitter or jitter == spread(job, jitter) == 0


def test_jitter_spreads_jobs_evenly() -> None:
    quarters = [int(spread(f"job-{number}", 4)) for number in range(4000)]
    assert all(900 < quarters.count(quarter) < 1100 for quarter in range(4))
    assert spread("migrate", 60) == pytest.approx(spread("migrate", 6) * 10)


@pytest.mark.parametrize("jitter", [-1.0, math.inf, math.nan])
def test_a_jitter_that_is_no_length_is_refused(jitter: float) -> None:
    with pytest.raises(ValueError, match="a jitter of 0 seconds or more"):
        spread("migrate", jitter)
