"""Cron text: what it means, and the sentence for everything that is refused."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.schedule import parse
from bot.schedule.cron import read
from tests.bot.schedule.oracle import moment

FIVE = (
    "a schedule is five fields (minute, hour, day of month, month, day of week) or a name such as @daily; "
    "this is "
)

LATER = "cannot be said in five fields; start on each day that it may be, and let the job look at the date"

REFUSED = {
    "": FIVE + "0",
    "* * * *": FIVE + "4",
    "* * * * * *": FIVE + "6; seconds and years are not among them",
    "0 * * * * * 2030": FIVE + "7; seconds and years are not among them",
    "0\u00a00 * * * *": "expected at most 200 characters of plain ASCII",
    "٣ * * * *": "expected at most 200 characters of plain ASCII",
    "0," * 100 + "0 * * * *": "expected at most 200 characters of plain ASCII",
    "@reboot": "`@reboot` is no time; write when to start, such as `0 2 * * *`",
    "@every 5m": "`@every` is of another cron; write a step, such as `*/15 * * * *`",
    "@dayly": "`@dayly` is no name of a schedule; did you mean @daily?",
    "@noon": "`@noon` is no name of a schedule; known are "
    "@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually",
    "@daily 5": "`@daily` stands alone; write nothing behind it, or five fields",
    "5-1 * * * *": "`5-1` in minute runs backwards; write `5-59,0-1`",
    "0 22-2 * * *": "`22-2` in hour runs backwards; write `22-23,0-2`",
    "0 0 * NOV-FEB *": "`NOV-FEB` in month runs backwards; write `11-12,1-2`",
    "0 0 * * FRI-MON": "`FRI-MON` in day of week runs backwards; write `5-6,0-1`",
    "0 0 * * 6-0": "`6-0` in day of week runs backwards; write `6,0`",
    "0-0 * * * *": "`0-0` in minute is a range of one value; write `0`",
    "0 0 0-0 * *": "`0-0` in day of month is out of range; write 1 to 31",
    "0 0 * * SUN-SUN": "`SUN-SUN` in day of week is a range of one value; write `0`",
    "0 0 * * 7-0": "`7-0` in day of week is a range of one value; write `0`",
    "*/90 * * * *": "`*/90` in minute leaves only 0, because the step is longer than the range; "
    "write `0` or a step up to 59",
    "0 */24 * * *": "`*/24` in hour leaves only 0, because the step is longer than the range; "
    "write `0` or a step up to 23",
    "10-20/15 * * * *": "`10-20/15` in minute leaves only 10, because the step is longer than the range; "
    "write `10` or a step up to 10",
    "*/99999999999999 * * * *": "`*/99999999999999` in minute leaves only 0, because the step is longer than "
    "the range; write `0` or a step up to 59",
    "*/0 * * * *": "`*/0` in minute never gets on; write a step of 1 or more",
    "0 2/12 * * *": "`2/12` in hour has a step without a range; write `2-23/12`",
    "0 0 31 2 *": "`31` in day of month never comes in month `2`; write a day up to 29 or another month",
    "0 0 30,31 FEB *": "`30,31` in day of month never comes in month `FEB`; "
    "write a day up to 29 or another month",
    "0 0 31 4,6,9,11 *": "`31` in day of month never comes in month `4,6,9,11`; "
    "write a day up to 30 or another month",
    "60 * * * *": "`60` in minute is out of range; write 0 to 59",
    "0 24 * * *": "`24` in hour is out of range; write 0 to 23",
    "0 0 0 * *": "`0` in day of month is out of range; write 1 to 31",
    "0 0 1 13 *": "`13` in month is out of range; write 1 to 12",
    "0 0 * * 8": "`8` in day of week is out of range; write 0 to 7",
    "0 0 * * 00001": "`00001` in day of week is out of range; write 0 to 7",
    "0-99999 * * * *": "`0-99999` in minute is out of range; write 0 to 59",
    "1,,2 * * * *": "`1,,2` in minute has a comma too many; write a list such as `1,2`",
    ", * * * *": "`,` in minute has a comma too many; write a list such as `1,2`",
    "0 0 * march *": "`MARCH` in month has no known value; did you mean MAR?",
    "0 0 * FOO *": "`FOO` in month has no known value; write 1 to 12 or JAN to DEC",
    "MON * * * *": "`MON` in minute has no known value; write 0 to 59",
    "0 0 * * JAN": "`JAN` in day of week has no known value; write 0 to 7 or SUN to SAT",
    "-5 * * * *": "`-5` in minute is not understood; write `*`, a number, a range such as `0-59`, "
    "a list or a step such as `*/2`",
    "0 0 `1` * *": "`ˋ1ˋ` in day of month is not understood; write `*`, a number, a range such as `1-31`, "
    "a list or a step such as `*/2`",
    "0 0 ? * *": "`?` in day of month is of another cron; write `*`",
    "0 0 L * *": "`L` in day of month (the last one) " + LATER,
    "0 0 L-3 * *": "`L-3` in day of month (the last one) " + LATER,
    "0 0 * * 5L": "`5L` in day of week (the last one) " + LATER,
    "0 0 15W * *": "`15W` in day of month (the nearest working day) " + LATER,
    "0 0 * * MON#1": "`MON#1` in day of week (a certain weekday of the month) cannot be said in five fields, "
    "where a day of the month and a weekday mean either; start on that weekday, "
    "and let the job look at the date",
    "H * * * *": "`H` in minute (a value by chance) is of another cron; write a number and set a jitter",
    "H(0-29)/10 * * * *": "`H(0-29)/10` in minute (a value by chance) is of another cron; "
    "write a number and set a jitter",
    "0 r * * *": "`R` in hour (a value by chance) is of another cron; write a number and set a jitter",
}


@pytest.mark.parametrize(("cron", "sentence"), REFUSED.items(), ids=[repr(cron[:20]) for cron in REFUSED])
def test_refused_with_what_is_wrong_and_what_to_write(cron: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse(cron)


@pytest.mark.parametrize(
    ("cron", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@Midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@monthly", "0 0 1 * *"),
        ("@annually", "0 0 1 JAN *"),
        ("@yearly", "0 0 1 1 *"),
        ("  0\t2 * *  1-5\n", "0 2 * * mon-fri"),
        ("05 02 * * *", "5 2 * * *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * FRI-SUN", "0 0 * * 5-7"),
        ("0 0 * * SUN-TUE", "0 0 * * 0,1,2"),
        ("0 0 * * 1-7/2", "0 0 * * 0,1,3,5"),
        ("0 0 * * MON-SUN", "0 0 * * 0-6"),
        ("0,30,0 2 * * *", "0,30 2 * * *"),
        ("*/20,5 * * * *", "0-40/20,5 * * * *"),
    ],
)
def test_other_writing_means_the_same(cron: str, same: str) -> None:
    (times, fixed), (other, other_fixed) = read(cron), read(same)
    assert times.values == other.values
    assert fixed == other_fixed


@pytest.mark.parametrize(
    ("cron", "fixed"),
    [
        ("30 2 * * *", True),
        ("0,30 9-17 */2 * *", True),
        ("@daily", True),
        ("@hourly", False),
        ("*/15 2 * * *", False),
        ("0 8-18/2 * * *", False),
        ("* 2 * * *", False),
    ],
)
def test_local_times_and_intervals_are_told_apart(cron: str, fixed: bool) -> None:
    assert read(cron)[1] is fixed


def test_day_that_some_of_the_months_have_is_taken() -> None:
    assert parse("0 0 31 2,3 *").upcoming(0, 2) == [moment(1970, 3, 31), moment(1971, 3, 31)]


def test_day_that_never_comes_leaves_the_weekday() -> None:
    assert parse("0 0 31 2 MON").upcoming(0, 5) == parse("0 0 * 2 MON").upcoming(0, 5)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.text(max_size=40),
        st.lists(st.text("0123456789*/-,LWH#?@MONJA", max_size=6), min_size=5, max_size=5).map(" ".join),
    )
)
def test_any_text_is_a_schedule_that_fires_or_one_sentence(cron: str) -> None:
    try:
        schedule = parse(cron)
    except ValueError as refused:
        sentence, kind = str(refused), type(refused)
    else:
        assert schedule.after(0) > 0
        return
    assert kind is ValueError  # none of croniter's own, which are not for people
    assert "\n" not in sentence
    assert len(sentence) < 300
