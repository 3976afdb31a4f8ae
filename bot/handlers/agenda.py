"""When schedules start their jobs in the next hour; remembered, since ten thousand take seconds to read."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple

from bot.catalog.catalog import Catalog
from bot.catalog.due import EVERY, Plan, States, pause_of, plans_of
from bot.registry import Registry

HOUR = 3600.0
_AHEAD = 2 * HOUR
"""Seconds that are read at once, so that they last for an hour."""

_EARLY = 600.0
"""Seconds before what was read runs out at which reading on begins."""

_STEP = 20
"""Schedules between two pauses, so that reading many keeps nobody else from the interpreter."""
_BREATH_S = 0.0005

_MOST = 130
"""Moments of one schedule in that time: it starts its job once a minute at most."""


class Coming(NamedTuple):
    """A job is to start by its schedule, of that name if it has one; epoch seconds, jitter included."""

    at: float
    job: str
    schedule: str | None = None
    run: int | None = None
    """Of what somebody asked for at that moment: the run that is held until then."""


class _Line:
    """The moments of one schedule from `start` to `end`, and the next one after, which are nobody's guess."""

    __slots__ = ("after", "moments", "plan")

    def __init__(self, plan: Plan, start: float, end: float) -> None:
        self.plan = plan
        self.moments: list[float] = []
        self.after = plan.after(start - plan.spread)
        self.extend(start, end)

    def extend(self, start: float, end: float) -> None:
        """Forget what was before `start`, and read on to `end`."""
        kept, plan, more = self.moments[bisect_right(self.moments, start) :], self.plan, list[float]()
        if self.after <= end:
            found = plan.schedule.between(self.after - plan.spread, end - plan.spread, _MOST)
            more = [self.after, *map(plan.starts_at, found)]
            self.after = plan.after(end - plan.spread)
        counts = plan.timetable.counts
        more = [at for at in more if counts(round(at - plan.spread))]
        self.moments = kept + more  # at once: others read it meanwhile

    def is_of(self, plan: Plan) -> bool:
        """Whether the job still has this schedule."""
        return self.plan.timetable == plan.timetable


class Agenda:
    """The next hour of all schedules; read in a thread, once for all who ask."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._catalog: Catalog | None = None
        self._lines: dict[str, _Line] = {}
        self._soon: dict[str, _Line] = {}
        self._keys: dict[str, list[str]] = {}
        """Which of those are of a job."""
        self._end = 0.0
        self._reading: asyncio.Task[None] | None = None

    async def ready(self, now: float, patience: float) -> bool:
        """Wait up to `patience` seconds; gives whether the schedules are read for the hour after `now`."""
        is_known = self._catalog is self._registry.catalog
        if is_known and now + HOUR + _EARLY <= self._end:
            return True
        reading = self._reading
        if reading is None or reading.done():
            reading = self._reading = asyncio.create_task(self._read(now))
        if is_known and now + HOUR <= self._end:
            return True
        done, _ = await asyncio.wait([reading], timeout=patience)
        if done:
            reading.result()
        return bool(done)

    async def _read(self, now: float) -> None:
        catalog, end = self._registry.catalog, now + _AHEAD
        self._lines = await asyncio.to_thread(_lines, catalog, self._lines, now, end)
        self._soon = {key: line for key, line in self._lines.items() if line.moments}
        keys: dict[str, list[str]] = {}
        for key, line in self._soon.items():
            keys.setdefault(line.plan.job.name, []).append(key)
        self._keys = keys
        self._catalog, self._end = catalog, end

    def coming(self, states: States, jobs: AbstractSet[str] | None, *, now: float, most: int) -> list[Coming]:
        """The first `most` starts of the hour after `now`, in order, of these jobs alone unless None.

        `states` tell what people hold back: that does not start.
        """
        lines, of = self._soon, self._keys
        keys = lines.keys() if jobs is None else [key for job in jobs & of.keys() for key in of[job]]
        queue = [turn for key in keys if (turn := _turn(key, lines[key].moments, now)) is not None]
        heapify(queue)
        found: list[Coming] = []
        while queue and len(found) < most and queue[0].at <= now + HOUR:
            turn = queue[0]
            plan = lines[turn.key].plan
            if _starts(plan, states, turn.at):
                found.append(Coming(turn.at, plan.job.name, plan.timetable.name))
            following = _turn(turn.key, turn.moments, turn.at)
            if following is None:
                heappop(queue)
            else:
                heapreplace(queue, following)
        return found


class _Turn(NamedTuple):
    """The next of a schedule's moments."""

    at: float
    key: str
    moments: Sequence[float]


def _turn(key: str, moments: Sequence[float], after: float) -> _Turn | None:
    place = bisect_right(moments, after)
    return _Turn(moments[place], key, moments) if place < len(moments) else None


def _lines(catalog: Catalog, known: Mapping[str, _Line], start: float, end: float) -> dict[str, _Line]:
    """The schedules of today's jobs, read to `end`; those that are known are read on."""
    lines: dict[str, _Line] = {}
    for plan in plans_of(*catalog.jobs.values()):
        if plan.timetable.paused:
            continue
        line = known.get(plan.key)
        if line is not None and line.is_of(plan):
            line.extend(start, end)
        else:
            line = _Line(plan, start, end)
        lines[plan.key] = line
        if len(lines) % _STEP == 0:
            time.sleep(_BREATH_S)
    return lines


def _starts(plan: Plan, states: States, at: float) -> bool:
    """Whether nobody holds back what starts at `at`."""
    if plan.key not in states and EVERY not in states:
        return True
    due, state = round(at - plan.spread), states.get(plan.key)  # as the schedule has it, in whole seconds
    return (state is None or state.skip_at != due) and pause_of(plan, states, due) is None
