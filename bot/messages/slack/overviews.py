"""What is shown at a glance, as data: runs, schedules, locks, and a page of jobs. Texts are as they came."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.messages.view import View

PAGE = 10
"""Jobs on one page."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run with its page."""

    view: View
    page: str


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One schedule; `key` is what it is called among all. `next_at`: when it starts its job next.

    That is None while it is paused for good. `skipped_at` is the time that it leaves out. `by_definition`: it
    is paused where nobody can resume it, `by_all`: as all schedules are.
    """

    key: str
    timetable: str
    next_at: float | None
    paused_by: str | None = None
    paused_until: float | None = None
    paused_why: str | None = None
    skipped_at: float | None = None
    by_definition: bool = False
    by_all: bool = False


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job with its newest run, if any. `locked_by`: who closed it or its lock."""

    name: str
    description: str
    last: RunLine | None = None
    schedule: ScheduleLine | None = None
    locked_by: str | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Page `number` (from 1) of `pages` of the `total` jobs that somebody may run.

    `unknown`: of so many repositories it is not known whether they may.
    """

    lines: Sequence[JobLine] = ()
    number: int = 1
    pages: int = 1
    total: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class LockLine:
    """A target that somebody closed, for `everyone` or all others, until a moment or until it is opened."""

    target: str
    actor: str
    reason: str | None
    until: float | None
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class FreezeLine:
    """What nothing of starts now, until a moment or until it is thawed; `by` None: the file says so.

    `thaw` are the options of the command that ends it, empty for all; None: its reader does not end it.
    """

    what: str
    by: str | None
    why: str | None
    until: float | None
    thaw: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it for one person; `more_*` say how much more there is of what is cut.

    `later` are runs that were asked for at a moment. `every` is how all schedules are paused together, None
    where they are not.
    """

    jobs: JobPage
    running: Sequence[RunLine] = ()
    more_running: int = 0
    waiting: Sequence[RunLine] = ()
    more_waiting: int = 0
    failing: Sequence[RunLine] = ()
    later: Sequence[RunLine] = ()
    every: ScheduleLine | None = None
    schedules: Sequence[ScheduleLine] = ()
    more_schedules: int = 0
    locks: Sequence[LockLine] = field(default_factory=tuple)
    more_locks: int = 0
    for_you: Sequence[RunLine] = ()
    """What waits for their yes."""
    freezes: Sequence[FreezeLine] = field(default_factory=tuple)
