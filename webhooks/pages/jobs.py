"""The list of jobs: how each stands, what its last runs came to, what comes next and what holds it back."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bot.catalog.due import EVERY, Outlook
from bot.catalog.freezes import Subject, reason
from bot.messages.timetables import local_time
from bot.store import Session, freezes, locks, series, ticks
from bot.store.transitions import ACTIVE, QUEUED
from bot.tables import Lock
from bot.text.vocabulary import RESULTS
from webhooks import schedules, view
from webhooks.access import Visitor
from webhooks.pages.job_index import FLAGS, GROUPS, PAGE, Entry, JobIndex, Wish
from webhooks.pages.parts import Pages
from webhooks.pages.strips import MARKS, strip

_CHOICES = 100
"""Repositories or images that are offered to choose from; of more the name is typed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One job as the list shows it; `last` is the newest run, `waiting` and `going` count its open ones."""

    entry: Entry
    last: series.LastRun | None
    strip: Markup
    outlook: Outlook | None
    lock: Lock | None
    freeze: dict[str, Any] | None
    waiting: int
    going: int

    @property
    def status(self) -> view.Status | None:
        """How its newest run stands."""
        return None if self.last is None else view.status(self.last.state, self.last.result)

    def local(self, at: float) -> str:
        """A moment as the clocks of the schedule's zone show it."""
        return local_time(at, self.outlook.timetable.timezone) if self.outlook else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list: its lines, and how many jobs there are before, on and after it."""

    lines: Sequence[Line]
    first: int
    total: int

    @property
    def last(self) -> int:
        """The place of the last line, from 1."""
        return self.first + len(self.lines) - 1

    def groups(self, by: str) -> Iterator[tuple[str | None, list[Line]]]:
        """The lines under their repository or image, or all of them under nothing."""
        for value, lines in groupby(self.lines, key=lambda line: line.entry.value_of(by) if by else None):
            yield value, list(lines)


class JobListPages:
    """The list of jobs, for whoever sees any."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._index: JobIndex | None = None

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The jobs that the address asks for."""
        wish, seen = Wish.of(request.query_params), visitor.jobs

        def read(session: Session) -> tuple[Listing, dict[str, Sequence[str]]]:
            index = self._today()  # here, since it takes a while among many jobs
            choices = {group: index.values_of(group, seen) for group in GROUPS}
            return self._listing(session, index, wish, seen), choices

        listing, choices = await self._pages.store.read(read)
        return self._pages.renderer.page(
            "jobs.html",
            listing=listing,
            wish=wish,
            results=[(result.value, word.label) for result, word in RESULTS.items()],
            flags=FLAGS,
            choices=choices,
            most=_CHOICES,
            size=PAGE,
            visitor=visitor,
        )

    def _today(self) -> JobIndex:
        catalog, index = self._pages.registry.catalog, self._index
        if index is None or index.catalog is not catalog:
            index = self._index = JobIndex(catalog)
        return index

    def _listing(
        self, session: Session, index: JobIndex, wish: Wish, seen: Collection[str] | None
    ) -> Listing:
        closed = {lock.target: lock for lock in locks.closed(session, now=self._pages.clock())}
        found = index.found(wish, seen, self._among(session, index, wish, closed))
        if wish.result:
            ended = series.that_ended(session, [entry.name for entry in found], wish.result)
            found = [entry for entry in found if entry.name in ended]
        start = (wish.page - 1) * PAGE
        lines = self._lines(session, found[start : start + PAGE], closed, self._frozen(session))
        return Listing(lines, start + 1, len(found))

    def _among(
        self, session: Session, index: JobIndex, wish: Wish, closed: Collection[str]
    ) -> list[Collection[str]]:
        """The jobs that meet each of the conditions besides a result of which only the database knows."""
        found: list[Collection[str]] = []
        for flag, states in (("running", ACTIVE), ("waiting", QUEUED)):
            if flag in wish.flags:
                found.append(series.jobs_in(session, states))
        if "paused" in wish.flags:
            found.append(self._paused(session, index))
        if "frozen" in wish.flags:
            why = self._frozen(session)
            found.append({each.name for each in index.entries if why(each) is not None})
        if "locked" in wish.flags:
            found.append({e.name for e in index.entries if any(target in closed for target in e.job.targets)})
        return found

    def _paused(self, session: Session, index: JobIndex) -> set[str]:
        known = ticks.paused(session, now=self._pages.clock())
        return {
            entry.name
            for entry in index.entries
            if any(each.paused or EVERY in known or entry.name in known for each in entry.job.schedules)
        }

    def _frozen(self, session: Session) -> Callable[[Entry], dict[str, Any] | None]:
        """Why nothing of a job starts now, whatever it deploys to."""
        now = self._pages.clock()
        standings = freezes.standings(session, self._pages.registry.config.calendar, now=now)
        return lambda entry: reason(standings, Subject(entry.name, entry.job.locks), now)

    def _lines(
        self,
        session: Session,
        shown: Sequence[Entry],
        closed: dict[str, Lock],
        frozen: Callable[[Entry], dict[str, Any] | None],
    ) -> list[Line]:
        names = [entry.name for entry in shown]
        last, open_runs = series.last(session, names), series.unfinished(session, names)
        strips = series.strips(session, names, limit=MARKS)
        coming = schedules.outlooks(session, [entry.job for entry in shown], now=self._pages.clock())
        return [
            Line(
                entry,
                last.get(entry.name),
                strip(strips.get(entry.name, [])),
                next(iter(coming.get(entry.name, ())), None),
                next((closed[target] for target in entry.job.targets if target in closed), None),
                frozen(entry),
                *open_runs.get(entry.name, (0, 0)),
            )
            for entry in shown
        ]
