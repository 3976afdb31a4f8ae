"""Reads what lists of jobs and the Home show to one person, in a few statements however much there is."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot import messages
from bot.catalog.catalog import Job
from bot.catalog.due import (
    DEFINITION,
    EVERY,
    Plan,
    States,
    pause_of,
    pause_of_all,
    plans_of,
    reason_of,
    upcoming,
)
from bot.catalog.freezes import Calendar, Standing, Subject
from bot.handlers.visibility import Sight
from bot.messages.freezes import options, scope_text
from bot.messages.slack import homes
from bot.messages.slack.overviews import (
    PAGE,
    FreezeLine,
    JobLine,
    JobPage,
    LockLine,
    Overview,
    RunLine,
    ScheduleLine,
)
from bot.posting.addresses import PageAddresses
from bot.store import Session, Store, freezes, locks, overviews, results, ticks
from bot.store.transitions import QUEUED
from bot.tables import JobState, Lock, Run

UNDER_WAY = 200
"""Runs under way that are counted."""
HELD_FIRST = 3
"""Schedules that are held back and stand above those that are due soonest."""
MOMENTS = 20_000
"""Times of schedules that are remembered."""

_UNTOUCHED = JobState(job="")
"""What nobody said anything about; one for all, since making a thousand takes longer than all the rest."""


class Timetables:
    """When schedules start their jobs next; remembered until then, since a thousand take half a second."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[object, ...], float | None]] = {}

    def line(self, plan: Plan, states: States, now: float) -> ScheduleLine:
        """How a schedule stands."""
        known, timetable = states.get(plan.key) or _UNTOUCHED, plan.timetable
        pause = pause_of(plan, states, now)
        return ScheduleLine(
            key=plan.key,
            timetable=f"{timetable.cron} {timetable.timezone}",
            next_at=self._next(plan, states, now),
            paused_by=None if pause is None else pause.by,
            paused_until=None if pause is None else pause.until,
            paused_why=None if pause is None else reason_of(pause),
            skipped_at=None if known.skip_at is None else plan.starts_at(known.skip_at),
            by_definition=pause is not None and pause.by == DEFINITION,
            by_all=pause is not None and pause.every,
        )

    def _next(self, plan: Plan, states: States, now: float) -> float | None:
        rows = [states.get(each) or _UNTOUCHED for each in (plan.key, EVERY)]
        pauses = [(state.paused, state.paused_until, state.skip_at) for state in rows]
        key = (plan.text, plan.spread, plan.timetable.paused, *pauses)
        old = self._known.get(plan.key)
        if old is not None and old[0] == key and (old[1] is None or old[1] > now):
            return old[1]
        at = next(iter(upcoming(plan, states, now, 1)), None)
        if len(self._known) >= MOMENTS:
            self._known.clear()
        self._known[plan.key] = key, at
        return at


class OverviewReader:
    """Reads for whoever has a `Sight`; nothing of other repositories is read."""

    def __init__(
        self,
        store: Store,
        addresses: PageAddresses,
        clock: Callable[[], float],
        calendar: Callable[[], Calendar],
    ) -> None:
        self._calendar = calendar
        self._store = store
        self._addresses = addresses
        self._clock = clock
        self._timetables = Timetables()

    async def jobs(self, sight: Sight, number: int) -> JobPage:
        """A page of the jobs."""

        def read(session: Session) -> JobPage:
            some, _ = _page(sight, number)
            states = ticks.states(session, [plan.key for plan in plans_of(*some)])
            shut = locks.closed(session, now=self._clock())
            return self._job_page(session, sight, number, states, shut)

        return await self._store.read(read)

    async def overview(self, sight: Sight, number: int) -> Overview:
        """All of the Home, with that page of the jobs."""

        def read(session: Session) -> Overview:
            now = self._clock()
            scheduled = plans_of(*sight.jobs.values())
            states = ticks.states(session, [plan.key for plan in scheduled])
            shut = locks.closed(session, now=now)
            scope = overviews.Scope(sight.repositories, sight.hidden, sight.own)
            rows = overviews.under_way(session, scope, limit=UNDER_WAY)
            failing = overviews.failing(session, scope, limit=homes.FAILING)
            waiting = [row for row in rows if row.state in QUEUED]
            running = [row for row in rows if row.state not in QUEUED]
            lines = self._schedules(scheduled, states, now)
            mine = _concerning(shut, sight.jobs.values())
            return Overview(
                jobs=self._job_page(session, sight, number, states, shut),
                running=self._runs(running[: homes.RUNS]),
                more_running=len(running[homes.RUNS :]),
                waiting=self._runs(waiting[: homes.RUNS]),
                more_waiting=len(waiting[homes.RUNS :]),
                failing=self._runs(failing),
                later=self._runs(overviews.later(session, scope, limit=homes.LATER)),
                every=_every(states, now),
                schedules=lines[: homes.SCHEDULES],
                more_schedules=len(lines[homes.SCHEDULES :]),
                locks=[
                    LockLine(each.target, each.actor, each.reason, each.until, each.everyone)
                    for each in mine[: homes.LOCKS]
                ],
                more_locks=len(mine[homes.LOCKS :]),
                freezes=self._freezes(session, sight.jobs.values(), now),
            )

        return await self._store.read(read)

    def _freezes(self, session: Session, jobs: Iterable[Job], now: float) -> list[FreezeLine]:
        """Those that are on for any of the jobs, or for deployments, which may be of any."""
        on = [each for each in freezes.standings(session, self._calendar(), now=now) if each.is_on(now)]
        subjects = [Subject(job.name, job.locks) for job in jobs] if on else []
        return [
            FreezeLine(scope_text(each.scope), each.by, each.why, each.end, _thaw(each) if subjects else None)
            for each in on
            if each.scope.environments or any(each.scope.covers(subject) for subject in subjects)
        ][: homes.LOCKS]

    def _job_page(
        self,
        session: Session,
        sight: Sight,
        number: int,
        states: Mapping[str, JobState],
        shut: Sequence[Lock],
    ) -> JobPage:
        some, number = _page(sight, number)
        rows = results.newest(session, [job.name for job in some]).items()
        newest = {
            name: row for name, row in rows if name in sight.own or row.repository in sight.repositories
        }
        closed = {lock.target: lock.actor for lock in shut}
        lines = [self._job(job, newest.get(job.name), states, closed) for job in some]
        return JobPage(lines, number, _pages(sight), len(sight.jobs), sight.unknown)

    def _job(
        self, job: Job, run: Run | None, states: Mapping[str, JobState], closed: Mapping[str, str]
    ) -> JobLine:
        last = None if run is None else self._run(run)
        by = next((closed[target] for target in job.targets if target in closed), None)
        schedules = self._schedules(plans_of(job), states, self._clock())
        return JobLine(job.name, job.description, last, min(schedules, key=_moment, default=None), by)

    def _schedules(
        self, plans: Iterable[Plan], states: Mapping[str, JobState], now: float
    ) -> list[ScheduleLine]:
        """Some of what people hold back, then what is due soonest, then the rest."""
        found = [self._timetables.line(plan, states, now) for plan in plans]
        lines = sorted(found, key=_moment)
        held_back = [line for line in lines if _is_held(line)]
        free = [line for line in lines if line.paused_by is None and not _is_held(line)]
        paused = [line for line in lines if line.by_definition or line.by_all]
        return [*held_back[:HELD_FIRST], *free, *held_back[HELD_FIRST:], *paused]

    def lines(self, rows: Iterable[Run]) -> list[RunLine]:
        """These runs with their pages."""
        return self._runs(rows)

    def _runs(self, rows: Iterable[Run]) -> list[RunLine]:
        return [self._run(row) for row in rows]

    def _run(self, row: Run) -> RunLine:
        return RunLine(messages.run_view(row), self._addresses.of(row, open_place=False))


def _page(sight: Sight, number: int) -> tuple[list[Job], int]:
    """The jobs of a page, by name, and its number: beyond the last it is that."""
    number = min(max(number, 1), _pages(sight))
    names = sorted(sight.jobs)[(number - 1) * PAGE : number * PAGE]
    return [sight.jobs[name] for name in names], number


def _pages(sight: Sight) -> int:
    return max(-(-len(sight.jobs) // PAGE), 1)


def _concerning(shut: Sequence[Lock], jobs: Iterable[Job]) -> list[Lock]:
    targets = {target for job in jobs for target in job.targets}
    return [lock for lock in shut if lock.target in targets]


def _every(states: States, now: float) -> ScheduleLine | None:
    """How all schedules are paused together; None where they are not."""
    pause = pause_of_all(states, now)
    return None if pause is None else ScheduleLine("", "", None, pause.by, pause.until, pause.why)


def _thaw(freeze: Standing) -> str | None:
    """The options of the command that ends a freeze; None for one of the file, which nobody ends."""
    return None if freeze.number is None else options(freeze.scope).strip()


def _is_held(line: ScheduleLine) -> bool:
    """Whether people hold it back, who can let it go on as well."""
    by_people = line.paused_by is not None or line.skipped_at is not None
    return by_people and not line.by_definition and not line.by_all


def _moment(line: ScheduleLine) -> tuple[float, str]:
    return line.next_at if line.next_at is not None else math.inf, line.key
