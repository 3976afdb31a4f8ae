"""Time zones by name, and when their clocks change."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bot.schedule import parse
from bot.schedule.zones import spans
from tests.bot.schedule.oracle import moment

WHICH = "; expected one such as Europe/Helsinki"

PLACE = "expected a place, such as Europe/Helsinki, which knows its summer time as well"
AHEAD = f"{PLACE}. Etc/GMT-2, with the sign the other way round, is always 2h ahead of UTC"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Europe/Helsinky", "`Europe/Helsinky` is no IANA time zone; did you mean Europe/Helsinki?"),
        ("europe/berlin", "`europe/berlin` is no IANA time zone; did you mean Europe/Berlin?"),
        ("New York", "`New York` is no IANA time zone; did you mean America/New_York?"),
        ("utc", "`utc` is no IANA time zone; did you mean UTC?"),
        ("CEST", "`CEST` is no IANA time zone" + WHICH),
        ("UTC+2", "`UTC+2` is no IANA time zone; " + AHEAD),
        ("GMT+2", "`GMT+2` is no IANA time zone; " + AHEAD),  # Etc/GMT+2 is four hours away
        ("gmt +02:00", "`gmt +02:00` is no IANA time zone; " + AHEAD),
        ("+2", "`+2` is no IANA time zone; " + AHEAD),
        (
            "GMT-3",
            f"`GMT-3` is no IANA time zone; {PLACE}. Etc/GMT+3, with the sign the other way round, is always "
            "3h behind UTC",
        ),
        ("UTC+5:30", "`UTC+5:30` is no IANA time zone; " + PLACE),
        ("GMT+99", "`GMT+99` is no IANA time zone; " + PLACE),
        ("", "`''` is no IANA time zone" + WHICH),
        ("localtime", "`localtime` is no IANA time zone" + WHICH),
        ("Factory", "`Factory` is no IANA time zone" + WHICH),
        ("../../etc/passwd", "`../../etc/passwd` is no IANA time zone" + WHICH),
        ("right/UTC", "`right/UTC` is no IANA time zone; did you mean Etc/UTC?"),
        ("UTC\0", "`UTCU+0000` is no IANA time zone" + WHICH),
    ],
)
def test_unknown_zone_is_refused_with_the_nearest(name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse("@daily", name)


def test_zone_is_utc_where_none_is_named() -> None:
    assert parse("@daily").timezone == "UTC"


@pytest.mark.parametrize("name", sorted(available_timezones() - {"localtime", "Factory"})[::12])
def test_spans_are_without_holes_and_tell_the_offset(name: str) -> None:
    tz, at = ZoneInfo(name), moment(2005, 6, 15)
    before = None
    for span in spans(tz, at):
        assert span.start <= at < span.end
        for probe in (at, (at + span.end) // 2, span.end - 1):
            offset = datetime.fromtimestamp(probe, tz).utcoffset()
            assert offset is not None
            assert offset.total_seconds() == span.offset
        if before is not None:
            assert span.start == before.end
            assert span.shown == max(before.shown, before.end + before.offset)
        before, at = span, span.end
        if at >= moment(2012):
            return
