"""Schedules in words: when a job runs next, and what somebody did to its schedule (Markdown)."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.messages.text import plain
from bot.text.vocabulary import scheduled
from bot.text.wording import quoted


def local_time(at: float, timezone: str) -> str:
    """A moment as the clocks of `timezone` show it: `Sun 2026-03-29 03:30 EEST`."""
    return scheduled(at, ZoneInfo(timezone))


def timetable(cron: str, timezone: str, upcoming: Sequence[float]) -> str:
    """A schedule in one line of plain text, with the times at which it starts its job next."""
    times = ", ".join(local_time(at, timezone) for at in upcoming) or "paused"
    return f"{cron} ({timezone}): {times}"


@dataclass(frozen=True, slots=True)
class PauseTerms:
    """Until when schedules are paused (None: until they are resumed), by which clocks, and why."""

    until: float | None
    timezone: str
    why: str | None = None


def paused(subject: str, terms: PauseTerms, *, command: str, count: int = 1) -> str:
    """The answer to who paused a schedule, or all `count` of a job; `subject` is what they named."""
    until, timezone = terms.until, terms.timezone
    how_long = f" until {local_time(until, timezone)}" if until is not None else ""
    they = "it" if count == 1 else "them"
    ends = "" if until is not None else f" {quoted(f'{command} resume {subject}')} lets {they} go on."
    verb = "is" if count == 1 else "are"
    return f"{_subject(subject, count)} {verb} paused{how_long}{_why(terms)}. People can still run it.{ends}"


def every_paused(terms: PauseTerms, *, command: str) -> str:
    """The answer to who paused all schedules at once."""
    how_long = f" until {local_time(terms.until, terms.timezone)}" if terms.until is not None else ""
    ends = "" if terms.until is not None else f" {quoted(f'{command} resume --all')} lets them go on."
    return f"All schedules are paused{how_long}{_why(terms)}. People can still run jobs.{ends}"


def every_resumed(count: int) -> str:
    """The answer to who let all schedules go on; so many of them are still paused by themselves."""
    left = "" if not count else f" {count} of them {'is' if count == 1 else 'are'} still paused by name."
    return f"The schedules go on.{left}"


def _why(terms: PauseTerms) -> str:
    return "" if terms.why is None else f" ({plain(terms.why)})"


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
