"""Cron text becomes the local times that it names, or a sentence that says what is wrong with it.

The syntax is that of crontab(5), https://man7.org/linux/man-pages/man5/crontab.5.html, and no more: what
dialects add to it, and what crontab would take but which could never fire or not as it looks, is refused
here, before croniter sees it, which takes much of that for something else.
"""

import re
from calendar import monthrange
from functools import lru_cache
from typing import NamedTuple

from bot.schedule.dates import Times
from bot.text.wording import nearest, quoted

_LONGEST = 200
"""Characters; five fields that name every value one by one are not what anybody means."""

_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LEAP_YEAR = 2024


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 0, 6, _WEEKDAYS)
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)

_ITEM = re.compile(r"(?:(?P<all>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d+))?", re.ASCII)

_BY_DATE = "and let the job look at the date"

_DIALECTS = (
    (r".*\?.*", "is of another cron; write `*`"),
    (
        r".*#.*",
        "(a certain weekday of the month) cannot be said in five fields, where a day of the month and a "
        f"weekday mean either; start on that weekday, {_BY_DATE}",
    ),
    (
        r"L(-\d+)?|\d+L|[A-Z]{3}L|L\d",
        f"(the last one) cannot be said in five fields; start on each day that it may be, {_BY_DATE}",
    ),
    (
        r"L?W|\d+W|W\d+",
        "(the nearest working day) cannot be said in five fields; "
        f"start on each day that it may be, {_BY_DATE}",
    ),
    (r"[HR](\(.*\))?(/\d+)?", "(a value by chance) is of another cron; write a number and set a jitter"),
)
"""What other crons know, and what to write here."""


@lru_cache(maxsize=4096)
def read(cron: str) -> tuple[Times, bool]:
    """The times that `cron` names, and whether they are fixed: no `*` and no step in minute and hour.

    Kept for each text: croniter takes a tenth of a millisecond to make values of the fields.
    """
    texts = _fields(cron)
    for field, text in zip(_FIELDS, texts, strict=True):
        _check(field, text)
    # As in crontab(5): where both kinds of days are restricted, either one is enough.
    either = "*" not in texts[2] and "*" not in texts[4]
    times = Times(" ".join(texts), either)
    _, _, days, months, _ = times.values
    if min(days) > (longest := max(monthrange(_LEAP_YEAR, month)[1] for month in months)):
        if not either:
            raise ValueError(
                f"{quoted(texts[2])} in day of month never comes in month {quoted(texts[3])}; "
                f"write a day up to {longest} or another month"
            )
        # Only the weekday counts; croniter would search fifty years for the other, each time.
        times = Times(" ".join((*texts[:2], "*", *texts[3:])), either)
    return times, not any(mark in text for text in texts[:2] for mark in "*/")


def _fields(cron: str) -> list[str]:
    """The five fields of the text, in capitals; those behind an `@` name are written out."""
    if len(cron) > _LONGEST or not cron.isascii():
        raise ValueError(f"expected at most {_LONGEST} characters of plain ASCII")
    words = cron.split()
    if words and words[0].startswith("@"):
        return _named(words).split()
    if len(words) != len(_FIELDS):
        extra = "; seconds and years are not among them" if len(words) in (6, 7) else ""
        names = ", ".join(field.name for field in _FIELDS)
        raise ValueError(
            f"a schedule is five fields ({names}) or a name such as @daily; this is {len(words)}{extra}"
        )
    return [word.upper() for word in words]


def _named(words: list[str]) -> str:
    """The five fields behind an `@` name."""
    word = words[0].lower()
    if word in _NAMES and len(words) == 1:
        return _NAMES[word]
    if word in _NAMES:
        raise ValueError(f"{quoted(words[0])} stands alone; write nothing behind it, or five fields")
    if word == "@reboot":
        raise ValueError("`@reboot` is no time; write when to start, such as `0 2 * * *`")
    if word == "@every":
        raise ValueError("`@every` is of another cron; write a step, such as `*/15 * * * *`")
    name = nearest(word, _NAMES)
    hint = f"did you mean {name}?" if name else f"known are {', '.join(_NAMES)}"
    raise ValueError(f"{quoted(words[0])} is no name of a schedule; {hint}")


def _check(field: _Field, text: str) -> None:
    """Refuse what is wrong with one field, or would not mean what it looks like."""
    for item in text.split(","):
        if not item:
            raise ValueError(
                f"{quoted(text)} in {field.name} has a comma too many; write a list such as `1,2`"
            )
        for pattern, what in _DIALECTS:
            if re.fullmatch(pattern, item):
                raise ValueError(f"{quoted(item)} in {field.name} {what}")
        _check_item(field, item)


def _check_item(field: _Field, item: str) -> None:
    """Refuse all but `*`, `5`, `1-5`, `*/15` and `10-50/10`."""
    match = _ITEM.fullmatch(item)
    if match is None:
        raise ValueError(
            f"{quoted(item)} in {field.name} is not understood; write `*`, a number, a range such as "
            f"`{field.low}-{field.high}`, a list or a step such as `*/2`"
        )
    if match["all"]:
        low, high = field.low, field.high
    else:
        low = _number(field, match["low"], item)
        high = low if match["high"] is None else _number(field, match["high"], item)
    if field is _WEEKDAY:
        low, high = _week(low, high, match["high"] == "SUN")
    if low > high:
        raise ValueError(f"{quoted(item)} in {field.name} runs backwards; write {_around(field, low, high)}")
    if match["high"] is not None and low == high:  # which croniter takes for `*`
        raise ValueError(f"{quoted(item)} in {field.name} is a range of one value; write `{low}`")
    if match["step"]:
        _check_step(field, match, low, high)


def _number(field: _Field, word: str, item: str) -> int:
    """The value of a number or a name; both ends of a week are Sunday, 0 and 7."""
    if word in field.names:
        return field.low + field.names.index(word)
    high = 7 if field is _WEEKDAY else field.high
    if not word.isdigit():
        names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
        near = next((name for name in field.names if word.startswith(name)), None)
        hint = f"; did you mean {near}?" if near else f"; write {field.low} to {high}{names}"
        raise ValueError(f"{quoted(item)} in {field.name} has no known value{hint}")
    if len(word) > 4 or not field.low <= int(word) <= high:
        raise ValueError(f"{quoted(item)} in {field.name} is out of range; write {field.low} to {high}")
    return int(word)


def _week(low: int, high: int, to_sunday: bool) -> tuple[int, int]:
    """A range of weekdays where Sunday, 0 or 7, stands at the end that makes sense."""
    if low == high or low == 7:
        return low % 7, high % 7
    return low, 7 if to_sunday and low else high


def _around(field: _Field, low: int, high: int) -> str:
    """The list that a range across the end of the field was meant to be."""
    parts = ((low, field.high), (field.low, high))
    return f"`{','.join(str(a) if a == b else f'{a}-{b}' for a, b in parts)}`"


def _check_step(field: _Field, match: re.Match[str], low: int, high: int) -> None:
    """Refuse a step that leaves only one value."""
    item, text = quoted(match[0]), match["step"]
    if not match["all"] and match["high"] is None:
        raise ValueError(
            f"{item} in {field.name} has a step without a range; write `{low}-{field.high}/{text[:4]}`"
        )
    step = int(text) if len(text) <= 4 else field.high + 1
    if step == 0:
        raise ValueError(f"{item} in {field.name} never gets on; write a step of 1 or more")
    if step > 1 and step > high - low:
        raise ValueError(
            f"{item} in {field.name} leaves only {low}, because the step is longer than the range; "
            f"write `{low}` or a step up to {high - low}"
        )
