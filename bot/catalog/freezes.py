"""When nothing may start: freezes from one moment to another, or every week, for all or for some. Pure.

Moments are told by the clock of a zone. Where that shows one twice, a freeze begins at the first and ends at
the last; where it leaves one out, at the first moment after the gap: it is never shorter than it says.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from bot import schedule
from bot.catalog.conditions import DAY, Definition
from bot.catalog.patterns import Form, with_keys
from bot.text.globs import matches

MOST = 100
"""Freezes of one file."""
REASON_CHARACTERS = 200
"""Of why, which is told to everybody who runs into it."""

_WEEK = 7 * int(DAY)
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_DAY = f"(?:{'|'.join(_DAYS)})"
WEEKLY = f"^{_DAY} {_TIME} to {_DAY} {_TIME}$"
"""What `every` looks like, for editors."""
_WEEKLY = re.compile(rf"({_DAY}) ({_TIME})\s+to\s+({_DAY}) ({_TIME})", re.ASCII | re.IGNORECASE)
MOMENT = rf"^\d{{4}}-\d\d-\d\d[T ]{_TIME}(?::[0-5]\d)?(?:Z|[+-]\d\d:\d\d)?$"
"""What `from` and `until` look like, for editors."""
_MOMENT = re.compile(MOMENT, re.ASCII)
_STEPS = 100
"""Freezes that may follow upon each other until the end of all of them is looked for no further."""


class Window(NamedTuple):
    """A stretch of time: `begin` <= t < `end`, in epoch seconds."""

    begin: float
    end: float


def _weekly(value: str) -> str:
    found = _WEEKLY.fullmatch(value.strip())
    if found is None:
        raise ValueError('expected two moments of a week, such as "FRI 16:00 to MON 08:00"')
    begin, end = _minutes(found[1], found[2]), _minutes(found[3], found[4])
    if found[1].upper() == found[3].upper() and end <= begin:
        raise ValueError("it ends before it begins, or a week later less a few hours; name another day")
    return value


def _minutes(day: str, time: str) -> int:
    """Minutes since the beginning of the week."""
    hours, _, minutes = time.partition(":")
    return _DAYS.index(day.upper()) * 1440 + int(hours) * 60 + int(minutes)


def _moment(value: object) -> object:
    if isinstance(value, datetime):  # as YAML has read it
        value = value.isoformat()
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("expected a moment such as 2026-12-23T18:00")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"there is no such moment as {value}") from None
    return value


def _timezone(value: str) -> str:
    schedule.zone(value)
    return value


def _printable(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("expected printable characters in one line")
    return value


Moment = Annotated[str, BeforeValidator(_moment, json_schema_input_type=str), Form(MOMENT)]
Why = Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS), AfterValidator(_printable)]
Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)], ...],
    Field(max_length=100),
]

_SHAPES: JsonDict = {"oneOf": [with_keys("from", "until"), with_keys("every")]}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a freeze may be about: a run's job, its locks, and the environment that it deploys to."""

    job: str
    locks: tuple[str, ...] = ()
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Of what nothing starts: of everything where it names nothing, else of what fits any of the names."""

    jobs: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether it is of everything."""
        return not (self.jobs or self.locks or self.environments)

    @property
    def is_wide(self) -> bool:
        """Whether it is of everything, or of whatever fits a pattern."""
        return self.is_all or any("*" in each for each in (*self.jobs, *self.locks, *self.environments))

    def covers(self, subject: Subject) -> bool:
        """Whether it is of this; environments are not told by case, as at GitHub."""
        return self.is_all or (
            _fits(self.jobs, subject.job)
            or any(_fits(self.locks, lock) for lock in subject.locks)
            or _fits(
                [each.casefold() for each in self.environments],
                None if subject.environment is None else subject.environment.casefold(),
            )
        )


def _fits(patterns: Iterable[str], name: str | None) -> bool:
    return name is not None and any(matches(pattern, name) for pattern in patterns)


class Freeze(Definition):
    """One entry of `freeze`: `begins` and `until`, or `every`, by the clock of `timezone`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra=_SHAPES, ignored_types=(cached_property,)
    )

    begins: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None
    every: Annotated[str, AfterValidator(_weekly), Form(WEEKLY)] | None = None
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    why: Why | None = None
    jobs: Patterns = ()
    locks: Patterns = ()
    environments: Patterns = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.every is None) == (self.begins is None and self.until is None):
            raise ValueError("either from and until, or every is required")
        if self.every is None:
            if self.begins is None or self.until is None:
                raise ValueError("from and until are needed together")
            if self._only.begin >= self._only.end:
                raise ValueError(f"it ends ({self.until}) before it begins ({self.begins})")
        return self

    @cached_property
    def scope(self) -> Scope:
        """Of what it is."""
        return Scope(self.jobs, self.locks, self.environments)

    @cached_property
    def _only(self) -> Window:
        """From when until when it is, where it is once."""
        return Window(self._epoch(self.begins or "", first=True), self._epoch(self.until or "", first=False))

    def _epoch(self, text: str, *, first: bool) -> float:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.timestamp()
        return self._at(int(moment.replace(tzinfo=UTC).timestamp()), first=first)

    def _at(self, local: int, *, first: bool) -> float:
        clock = schedule.first_moment if first else schedule.last_moment
        return float(clock(schedule.zone(self.timezone), local))

    @cached_property
    def _week(self) -> tuple[int, int]:
        """Seconds from the beginning of a week until it begins, and from then until it ends."""
        found = _WEEKLY.fullmatch((self.every or "").strip())
        if found is None:
            raise ValueError("it is of no week")
        begin, end = _minutes(found[1], found[2]) * 60, _minutes(found[3], found[4]) * 60
        return begin, (end - begin) % _WEEK

    def windows(self, now: float) -> Sequence[Window]:
        """The window that holds `now`, if any, and those that begin within a week after it, in order."""
        if self.every is None:
            return [self._only] if self._only.end > now else []
        begin, length = self._week
        ahead = datetime.fromtimestamp(now, schedule.zone(self.timezone)).utcoffset()
        local = int(now) + (0 if ahead is None else int(ahead.total_seconds()))
        monday = local - (local // int(DAY) + 3) % 7 * int(DAY) - local % int(DAY)  # 1970 began on a Thursday
        found = []
        for week in (-1, 0, 1):
            start = monday + week * _WEEK + begin
            window = Window(self._at(start, first=True), self._at(start + length, first=False))
            if window.end > now:
                found.append(window)
        return found


@dataclass(frozen=True, slots=True)
class Standing:
    """A freeze that is on or to come: of what, from when until when (None: until it is ended), and why.

    `by` is who began it, None where the file says so; `number` is that of one that somebody began.
    """

    scope: Scope
    begin: float
    end: float | None
    why: str | None = None
    by: str | None = None
    number: int | None = None

    def is_on(self, now: float) -> bool:
        """Whether nothing starts now."""
        return self.begin <= now and (self.end is None or now < self.end)


class Calendar:
    """The freezes of a file; what they come to is remembered until one begins or ends.

    `overridable`: there is somebody who may start something in spite of any.
    """

    def __init__(self, freezes: Sequence[Freeze], *, overridable: bool = False) -> None:
        self._freezes = freezes
        self.overridable = overridable
        self._known: tuple[float, float, tuple[Standing, ...]] = (0.0, 0.0, ())

    def standings(self, now: float) -> Sequence[Standing]:
        """Those that are on, and those to come: once ones always, weekly ones within a week."""
        since, until, found = self._known
        if not since <= now < until:
            found = tuple(
                Standing(freeze.scope, window.begin, window.end, freeze.why)
                for freeze in self._freezes
                for window in freeze.windows(now)
            )
            changes = [at for each in found for at in (each.begin, each.end) if at is not None and at > now]
            self._known = now, min([*changes, now + DAY]), found
        return found


def over_at(standings: Sequence[Standing], subject: Subject, now: float) -> float | None:
    """When none of these is on for `subject` any more, where they follow upon each other; None: unknown."""
    mine = [each for each in standings if each.scope.covers(subject)]
    end = now
    for _ in range(_STEPS):
        ends = [each.end for each in mine if each.is_on(end)]
        if not ends:
            return end
        if any(each is None for each in ends):
            return None
        end = max(each for each in ends if each is not None)
    return end


def reason(standings: Sequence[Standing], subject: Subject, now: float) -> dict[str, Any] | None:
    """Why nothing of `subject` starts now, as it is stored; None: something may.

    Of several that of a person counts first, else that which lasts longest.
    """
    on = [each for each in standings if each.is_on(now) and each.scope.covers(subject)]
    if not on:
        return None
    shown = max(on, key=lambda each: (each.by is not None, each.end is None, each.end or 0.0))
    facts: dict[str, Any] = {"kind": "frozen", "job": subject.job}
    more = {"by": shown.by, "why": shown.why, "until": over_at(standings, subject, now)}
    return facts | {name: value for name, value in more.items() if value is not None} | _scope(shown.scope)


def _scope(scope: Scope) -> dict[str, Any]:
    """What is frozen, where that is not everything."""
    named = {"jobs": scope.jobs, "locks": scope.locks, "environments": scope.environments}
    return {name: list(values) for name, values in named.items() if values}
