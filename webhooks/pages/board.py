"""What the first page shows, read in one go for all who see the same jobs."""

import asyncio
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import NamedTuple

from bot.catalog.catalog import Catalog
from bot.catalog.due import Pause, pause_of_all
from bot.handlers.agenda import HOUR, Agenda, Coming
from bot.registry import Registry
from bot.store import Session, Store, boards, freezes, holds, locks, ticks
from bot.tables import Lock, Run
from webhooks.pages.freezes import FreezeRow, rows
from webhooks.view import Summary, build_summary, run_summary

MOST = 100
"""What is counted; beyond it a page says that there are more."""
SHOWN = 12
"""Rows of each part of the page."""
ON_LINE = 200
"""Starts that the line of the next hour shows."""
DAY = 86400.0
WEEK = 7 * DAY

_FRESH_S = 2.0
"""Seconds for which what was read is shown where no run or build changed meanwhile."""
_KEPT = 64
"""Readings that are kept, of those who see different jobs."""
_PATIENCE_S = 0.03
"""Seconds for which a page waits for schedules to be read."""

Jobs = AbstractSet[str] | None


class Counts(NamedTuple):
    """Runs under way, runs that wait, and deliveries that were given up; up to one beyond `MOST`."""

    running: int
    waiting: int
    given_up: int


class RunRow(NamedTuple):
    """A run, and how many seconds one of its job usually takes, if that is known."""

    summary: Summary
    usual: float | None = None


class LockHolder(NamedTuple):
    """The run that holds a lock; a lease of it that is renewed is no news."""

    number: int
    job: str
    actor: str


class LockRow(NamedTuple):
    """A lock as a page shows it: `is_held`, and by which run if that is of a job that the visitor sees."""

    target: str
    closed: Lock | None
    is_held: bool
    holder: LockHolder | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Board:
    """What runs, waits, failed and comes. Counts beyond `MOST` say only that there are more.

    `building` and `locked` count what `builds` and `locks` show the first of. `failures` are the moments at
    which runs of the last week failed, the last first; `failed` shows the first of them. `coming` is None
    while schedules are being read, `later` what people asked for at a moment, soonest first; `paused` is
    how all schedules are. `mark` is another one as soon as anything
    differs.
    """

    counts: Counts
    running: Sequence[RunRow]
    waiting: Sequence[Summary]
    failures: Sequence[float]
    failed: Sequence[Summary]
    recent: Sequence[Summary]
    builds: Sequence[Summary]
    building: int
    broken: Sequence[Summary]
    locks: Sequence[LockRow]
    locked: int
    freezes: Sequence[FreezeRow]
    coming: Sequence[Coming] | None
    later: Sequence[Summary] = ()
    paused: Pause | None = None
    mark: str = ""

    def failed_since(self, since: float) -> int:
        """How many failed after `since`, as far as that goes."""
        return len(self.failures) - bisect_right(self.failures[::-1], since)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A board that is read, or was: as of this turn of changes, these jobs and this moment."""

    turn: int
    catalog: Catalog
    at: float
    task: asyncio.Task[Board]


class BoardReader:
    """Reads a board once for all who ask at the same time, and again when something has changed."""

    def __init__(self, store: Store, registry: Registry, clock: Callable[[], float]) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._agenda = Agenda(registry)
        self._kept: dict[Jobs, _Reading] = {}

    async def board(self, jobs: Jobs) -> Board:
        """For whoever sees these jobs, None for all. Raises `RetryLater`."""
        now, turn, catalog = self._clock(), self._store.changes.turn, self._registry.catalog
        kept = self._kept.get(jobs)
        if (
            kept is None
            or (kept.turn, kept.catalog) != (turn, catalog)
            or not 0 <= now - kept.at < _FRESH_S
            or not _is_whole(kept.task)
        ):
            kept = _Reading(turn, catalog, now, asyncio.create_task(self._read(jobs, now)))
            self._kept.pop(jobs, None)
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[jobs] = kept
        return await asyncio.shield(kept.task)

    async def _read(self, jobs: Jobs, now: float) -> Board:
        ready = await self._agenda.ready(now, _PATIENCE_S)
        return await self._store.read(lambda session: self._board(session, jobs, now, ready))

    def _board(self, session: Session, jobs: Jobs, now: float, ready: bool) -> Board:
        catalog = self._registry.catalog
        running = boards.running(session, jobs, limit=MOST + 1)
        waiting = boards.waiting(session, jobs, limit=MOST + 1)
        going = boards.runs(session, running[:SHOWN])
        usual = boards.usual(session, {run.job for run in going})
        failures = boards.failed(session, jobs, since=now - WEEK, most=MOST + 1)
        failed = boards.runs(session, [number for _, number in failures[:SHOWN]])
        builds, broken = _builds(session, catalog, jobs, now)
        locked = _locks(locks.standing(session, now=now), catalog, jobs)
        states = ticks.held_back(session)
        frozen = freezes.standings(session, self._registry.config.calendar, now=now)
        coming = self._agenda.coming(states, jobs, now=now, most=ON_LINE + 1) if ready else None
        later = holds.later(session, jobs, limit=MOST)
        board = Board(
            counts=Counts(len(running), len(waiting), boards.given_up(session, limit=MOST + 1)),
            running=[RunRow(run_summary(run), usual.get(run.job)) for run in going],
            waiting=[run_summary(run) for run in boards.runs(session, waiting[:SHOWN])],
            failures=[at for at, _ in failures],
            failed=[run_summary(run) for run in failed],
            recent=[run_summary(run) for run in boards.recent(session, jobs, limit=SHOWN)],
            builds=_summaries(session, builds),
            building=len(builds),
            broken=_summaries(session, broken),
            locks=locked[:SHOWN],
            locked=len(locked),
            freezes=rows(frozen, catalog, jobs, now)[:SHOWN],
            coming=None if coming is None else _together(coming, later, now),
            later=[run_summary(run) for run in later[:SHOWN]],
            paused=pause_of_all(states, now),
        )
        return replace(board, mark=hashlib.sha256(repr(board).encode()).hexdigest()[:16])


def _together(coming: Sequence[Coming], later: Sequence[Run], now: float) -> list[Coming]:
    """What schedules start within the hour, and what people asked for then."""
    runs = [Coming(run.due_at, run.job, None, run.number) for run in later if now < run.due_at <= now + HOUR]
    return sorted([*coming, *runs], key=lambda each: each.at)[: ON_LINE + 1] if runs else list(coming)


def _is_whole(task: asyncio.Task[Board]) -> bool:
    """Whether what is read, or was, can be shown again: it did not fail, and waited for no schedules."""
    if not task.done():
        return True
    return not task.cancelled() and task.exception() is None and task.result().coming is not None


def _builds(session: Session, catalog: Catalog, jobs: Jobs, now: float) -> tuple[list[int], list[int]]:
    """The builds under way and those that failed within a day, of images of these jobs."""
    going, ended = (
        boards.building(session, limit=boards.LOOKS),
        boards.failed_builds(session, since=now - DAY),
    )
    if jobs is None or not (going or ended):
        return [each.number for each in going], [each.number for each in ended]
    images = {job.image for name in jobs if (job := catalog.jobs.get(name)) is not None and job.image}

    def mine(build: boards.BuildKey) -> bool:
        image = catalog.images.get(build.image) if build.image in images else None
        repository = None if image is None else image.repository
        return repository is not None and repository.casefold() == build.repository.casefold()

    return [each.number for each in going if mine(each)], [each.number for each in ended if mine(each)]


def _summaries(session: Session, numbers: Sequence[int]) -> list[Summary]:
    return [build_summary(build) for build in boards.builds(session, numbers[:SHOWN])]


def _locks(found: Sequence[locks.Standing], catalog: Catalog, jobs: Jobs) -> list[LockRow]:
    """What is locked of these jobs."""
    targets: set[str] = set()
    if jobs is not None and found:
        for name in jobs:
            job = catalog.jobs.get(name)
            targets |= {name} if job is None else {*job.targets}
    rows: list[LockRow] = []
    for each in found:
        if jobs is not None and each.target not in targets:
            continue
        run = each.holder
        seen = run is not None and (jobs is None or run.job in jobs)
        holder = LockHolder(run.identity, run.job, run.actor) if run is not None and seen else None
        rows.append(LockRow(each.target, each.closed, run is not None, holder, each.waiting))
    return rows
