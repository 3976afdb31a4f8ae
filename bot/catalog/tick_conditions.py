"""What a schedule's `when` may ask of a due moment: the date and the time by the clocks of its zone. Pure."""

from calendar import monthrange
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.catalog import expressions
from bot.catalog.parameters import Parameter

_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

FACTS = {
    "weekday": Parameter(type="string", choices=_WEEKDAYS),
    "nth": Parameter(type="integer"),
    "last": Parameter(type="boolean"),
    "year": Parameter(type="integer"),
    "month": Parameter(type="integer"),
    "day": Parameter(type="integer"),
    "week": Parameter(type="integer"),
    "hour": Parameter(type="integer"),
    "minute": Parameter(type="integer"),
}
"""What is known of a moment. `nth`: the how manieth of its weekday in the month, `last`: whether it is the
last of those; `week`: of the year (ISO 8601)."""


def condition(text: str) -> str:
    """`text` if it is a condition on these facts, else ValueError."""
    expressions.check(expressions.check_syntax(text), FACTS)
    return text


def meets(text: str, at: float, timezone: str) -> bool:
    """Whether the condition holds of the moment `at` by the clocks of `timezone`."""
    local = datetime.fromtimestamp(at, ZoneInfo(timezone))
    days = monthrange(local.year, local.month)[1]
    facts = {
        "weekday": _WEEKDAYS[local.weekday()],
        "nth": (local.day - 1) // 7 + 1,
        "last": "true" if local.day + 7 > days else "false",
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "week": local.isocalendar().week,
        "hour": local.hour,
        "minute": local.minute,
    }
    return expressions.holds(text, FACTS, {name: str(value) for name, value in facts.items()})
