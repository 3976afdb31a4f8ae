"""Schedules in words: when a job runs next, and what somebody did to its schedule (Markdown)."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bot.text.vocabulary import scheduled
from bot.text.wording import quoted


def local_time(at: float, timezone: str) -> str:
    """A moment as the clocks of `timezone` show it: `Sun 2026-03-29 03:30 EEST`."""
    return scheduled(at, ZoneInfo(timezone))


def timetable(cron: str, timezone: str, upcoming: Sequence[float]) -> str:
    """A schedule in one line of plain text, with the times at which it starts its job next."""
    times = ", ".join(local_time(at, timezone) for at in upcoming) or "paused"
    return f"{cron} ({timezone}): {times}"


def paused(subject: str, until: float | None, timezone: str, *, command: str, count: int = 1) -> str:
    """The answer to who paused a schedule, or all `count` of a job; `subject` is what they named."""
    how_long = f" until {local_time(until, timezone)}" if until is not None else ""
    they = "it" if count == 1 else "them"
    ends = "" if until is not None else f" {quoted(f'{command} resume {subject}')} lets {they} go on."
    verb = "is" if count == 1 else "are"
    return f"{_subject(subject, count)} {verb} paused{how_long}. People can still run it.{ends}"


def resumed(subject: str, upcoming: Sequence[float], timezone: str, *, count: int = 1) -> str:
    """The answer to who let a schedule go on, or `count` of a job."""
    verb = "goes" if count == 1 else "go"
    return f"{_subject(subject, count)} {verb} on.{_next(upcoming, timezone)}"


def _subject(subject: str, count: int) -> str:
    return f"The schedule of {quoted(subject)}" if count == 1 else f"{count} schedules of {quoted(subject)}"


def skipped(key: str, left_out: str, upcoming: Sequence[float], timezone: str) -> str:
    """The answer to who left out the next time of a schedule; `upcoming` are times of the job after it."""
    return f"{quoted(key)} leaves out {left_out}.{_next(upcoming, timezone)}"


def _next(upcoming: Sequence[float], timezone: str) -> str:
    return f" It runs next on {local_time(upcoming[0], timezone)}." if upcoming else ""
