"""Freezes: from one moment to another, every week, over changes of the clock; what they are of."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.catalog.freezes import Calendar, Freeze, Scope, Standing, Subject, over_at, reason

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    """The epoch seconds of what a clock shows."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def freeze(**fields: object) -> Freeze:
    return Freeze.model_validate(fields)


def is_on(one: Freeze, now: float) -> bool:
    return any(window.begin <= now < window.end for window in one.windows(now))


def test_once_is_from_its_beginning_until_before_its_end() -> None:
    christmas = freeze(**{"from": "2026-12-23T18:00", "until": "2027-01-02T08:00", "timezone": BERLIN})
    begin, end = at("2026-12-23T18:00", BERLIN), at("2027-01-02T08:00", BERLIN)
    assert [is_on(christmas, now) for now in (begin - 1, begin, end - 1, end)] == [False, True, True, False]


def test_moment_may_name_its_own_offset() -> None:
    made = freeze(**{"from": "2026-12-23T18:00+02:00", "until": "2026-12-23T17:00Z", "timezone": BERLIN})
    assert made.windows(0.0) == [(at("2026-12-23T16:00"), at("2026-12-23T17:00"))]


def test_weekend_is_every_week() -> None:
    weekend = freeze(every="FRI 16:00 to MON 08:00", timezone=BERLIN)
    for week in ("2026-01-09", "2026-06-12", "2027-12-31"):
        friday = at(f"{week}T16:00", BERLIN)
        assert not is_on(weekend, friday - 1)
        assert is_on(weekend, friday)
        assert is_on(weekend, friday + 2 * 86400)
    assert is_on(weekend, at("2026-01-12T07:59:59", BERLIN))
    assert not is_on(weekend, at("2026-01-12T08:00", BERLIN))


@pytest.mark.parametrize("every", ["WED 10:00 to WED 12:00", "wed 10:00  to  wed 12:00"])
def test_hours_of_a_day_are_every_week(every: str) -> None:
    made = freeze(every=every)
    assert is_on(made, at("2026-01-07T11:00"))
    assert not is_on(made, at("2026-01-08T11:00"))


def test_what_the_clock_shows_twice_is_frozen_from_the_first_to_the_last() -> None:
    """In Berlin 02:30 of 2026-10-25 comes twice."""
    made = freeze(every="SUN 02:30 to SUN 02:45", timezone=BERLIN)
    first, last = at("2026-10-25T02:30", BERLIN), at("2026-10-25T02:45", BERLIN, fold=1)
    assert last - first == 3600 + 900
    assert [is_on(made, now) for now in (first - 1, first, last - 1, last)] == [False, True, True, False]


def test_what_the_clock_leaves_out_is_the_moment_after_the_gap() -> None:
    """In Berlin 02:30 of 2026-03-29 does not come."""
    ends = freeze(every="SAT 12:00 to SUN 02:30", timezone=BERLIN)
    begins = freeze(every="SUN 02:30 to SUN 12:00", timezone=BERLIN)
    gap = at("2026-03-29T01:00")
    assert [is_on(ends, now) for now in (gap - 1, gap)] == [True, False]
    assert [is_on(begins, now) for now in (gap - 1, gap)] == [False, True]


def test_freeze_within_the_gap_is_none_that_day() -> None:
    made = freeze(every="SUN 02:10 to SUN 02:50", timezone=BERLIN)
    gap = at("2026-03-29T01:00")
    assert not any(is_on(made, gap + second) for second in range(-3600, 3600, 60))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "either from and until, or every"),
        ({"from": "2026-01-01T00:00"}, "needed together"),
        ({"until": "2026-01-01T00:00"}, "needed together"),
        ({"from": "2026-01-02T00:00", "until": "2026-01-01T00:00"}, "before it begins"),
        ({"from": "2026-01-01T00:00", "until": "2026-01-01T00:00"}, "before it begins"),
        (
            {"from": "2026-03-29T02:10", "until": "2026-03-29T02:50", "timezone": BERLIN},
            "before it begins",
        ),
        ({"from": "2026-02-30T00:00", "until": "2026-03-01T00:00"}, "no such moment"),
        ({"from": "tomorrow", "until": "2026-03-01T00:00"}, "such as 2026-12-23T18:00"),
        ({"every": "FRI 16:00 to FRI 16:00"}, "ends before it begins"),
        ({"every": "FRI 16:00 to FRI 08:00"}, "ends before it begins"),
        ({"every": "FRI 25:00 to MON 08:00"}, "two moments of a week"),
        ({"every": "weekend"}, "two moments of a week"),
        ({"every": "FRI 16:00 to MON 08:00", "until": "2026-03-01T00:00"}, "either from and until"),
        ({"every": "FRI 16:00 to MON 08:00", "timezone": "CEST"}, "no IANA time zone"),
        ({"every": "FRI 16:00 to MON 08:00", "why": "a\nb"}, "in one line"),
        ({"every": "FRI 16:00 to MON 08:00", "job": "x"}, "Extra inputs"),
    ],
)
def test_what_is_none_is_refused_in_words(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        freeze(**fields)


def test_scope_covers_what_fits_any_of_its_names() -> None:
    assert Scope().covers(Subject("x"))
    named = Scope(("deploy-*",), ("prod",), ("Production",))
    assert named.covers(Subject("deploy-eu"))
    assert named.covers(Subject("x", ("db", "prod")))
    assert named.covers(Subject("x", (), "production"))
    assert not named.covers(Subject("x", ("staging",), "staging"))


def test_freezes_that_overlap_or_touch_are_over_together() -> None:
    some = [
        Standing(Scope(), 0.0, 10.0),
        Standing(Scope(), 5.0, 20.0),
        Standing(Scope(("x",)), 20.0, 30.0),
        Standing(Scope(), 40.0, None),
    ]
    assert over_at(some, Subject("x"), 1.0) == 30.0
    assert over_at(some, Subject("y"), 1.0) == 20.0
    assert over_at(some, Subject("y"), 25.0) == 25.0
    assert over_at(some, Subject("y"), 41.0) is None


def test_reason_says_who_why_and_until_when_all_is_over() -> None:
    some = [
        Standing(Scope(), 0.0, 10.0, "weekend"),
        Standing(Scope(("x",)), 0.0, 5.0, "fire", "github:ada", 1),
    ]
    assert reason(some, Subject("x"), 1.0) == {
        "kind": "frozen",
        "job": "x",
        "by": "github:ada",
        "why": "fire",
        "until": 10.0,
        "jobs": ["x"],
    }
    assert reason(some, Subject("x"), 10.0) is None
    assert reason([], Subject("x"), 1.0) is None


def test_calendar_is_right_at_every_boundary() -> None:
    calendar = Calendar([freeze(every="FRI 16:00 to MON 08:00")])
    friday = at("2026-01-09T16:00")
    for now, wanted in ((friday - 1, False), (friday, True), (friday - 1, False), (friday + 230400, False)):
        assert any(each.is_on(now) for each in calendar.standings(now)) is wanted


_DAYS = st.sampled_from(["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"])
_TIMES = st.times().map(lambda time: f"{time:%H:%M}")


@settings(deadline=None, max_examples=200)
@given(
    begin=st.tuples(_DAYS, _TIMES),
    end=st.tuples(_DAYS, _TIMES),
    zone=st.sampled_from([BERLIN, "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]),
    now=st.floats(1.0e9, 2.0e9),
)
def test_weekly_is_on_when_the_clock_says_so(
    begin: tuple[str, str], end: tuple[str, str], zone: str, now: float
) -> None:
    """Away from changes of the clock: what it shows lies between the two."""
    if begin[0] == end[0] and end[1] <= begin[1]:
        return
    here = ZoneInfo(zone)
    offsets = {datetime.fromtimestamp(now + day * 43200, here).utcoffset() for day in range(-16, 17)}
    if len(offsets) > 1:
        return
    shown = datetime.fromtimestamp(now, here)
    clock = (shown.weekday(), f"{shown:%H:%M}")
    first, last = ((_DAY.index(day), time) for day, time in (begin, end))
    inside = first <= clock < last if first < last else clock >= first or clock < last
    assert is_on(freeze(every=f"{begin[0]} {begin[1]} to {end[0]} {end[1]}", timezone=zone), now) is inside


_DAY = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
