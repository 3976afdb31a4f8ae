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


def paused(job: str, until: float | None, timezone: str, *, command: str) -> str:
    """The answer to who paused a schedule."""
    how_long = f" until {local_time(until, timezone)}" if until is not None else ""
    ends = "" if until is not None else f" {quoted(f'{command} resume {job}')} lets it go on."
    return f"The schedule of {quoted(job)} is paused{how_long}. People can still run it.{ends}"


def resumed(job: str, upcoming: Sequence[float], timezone: str) -> str:
    """The answer to who let a schedule go on."""
    return f"The schedule of {quoted(job)} goes on.{_next(upcoming, timezone)}"


def skipped(job: str, at: float, upcoming: Sequence[float], timezone: str) -> str:
    """The answer to who left out the next time."""
    return f"{quoted(job)} leaves out {local_time(at, timezone)}.{_next(upcoming, timezone)}"


def _next(upcoming: Sequence[float], timezone: str) -> str:
    return f" It runs next on {local_time(upcoming[0], timezone)}." if upcoming else ""
