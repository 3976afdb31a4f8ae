"""Letting runs through the gate, the oldest first, and ending what newer ones take the place of."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import false, func, or_, select, true
from sqlalchemy.orm import Session

from bot.states import EVERYTHING, Hold
from bot.store import obstacles
from bot.store.columns import LOCK, RUN, RUN_LOCK
from bot.store.lock_owners import are_of
from bot.store.obstacles import IS_CLOSED, IS_READY, IS_SHUT, PRESENT, Obstacle, is_ready
from bot.store.prepared import Prepared
from bot.store.run_locks import limit_of, locks_of
from bot.store.statements import all_of
from bot.store.transitions import QUEUED, RUNS, UNFINISHED
from bot.store.wakeups import wake
from bot.tables import Run, RunLock

_OWN = 100
"""So many waiting runs of somebody who closed a target are let through at once, of so many people."""
_PAGE = 3
"""So many of a queue are looked at together: mostly the first of them begins, and the second waits."""

_PERSONS = Prepared(select(LOCK.person).where(LOCK.person.is_not(None)).distinct().limit(_OWN))

_IS_REPLACED = or_(RUN.hold.is_(None), RUN.hold != Hold.TIME)
"""Whether a newer run takes its place: not where somebody chose the moment at which it is to begin."""
_REPLACES = func.coalesce(RUN.over, RUN.concurrency) == "replace"
_OPEN: dict[str, Any] = {"admitted": True, "due_at": 0.0, "waiting_for": None}
_ANYBODY: dict[str, Any] = {"key": "", "name": "", "cause": "", "actor": "", "created_at": 0.0}


class Opening:
    """What one transaction lets through; `locks` are those that were taken or given up meanwhile."""

    def __init__(self, session: Session, now: float) -> None:
        self._session = session
        self._now = now
        self.locks: dict[str, None] = {}

    def lock(self, lock: str) -> None:
        """Let one run through that waits for `lock`: the oldest of those that nothing else keeps back."""
        kept_back: list[Any] = []
        while (run := self._next_of(lock, kept_back)) is not None:
            obstacle = self._try(run)
            if obstacle is not None and obstacle.closed in (lock, EVERYTHING):
                return
            if obstacle is None or obstacle.lock is not None:
                return  # now this one holds it, or it is promised to one that is older
            kept_back.append(_kept_back(run, obstacle))

    def owners(self, job: str | None = None, locks: Collection[str] = ()) -> None:
        """Let go on what those who closed something ask for, of `job` and of what waits for `locks`, or all.

        That goes past whatever waits, in whichever line, so it is looked for by itself and after the lines.
        """
        persons = all_of(self._session, _PERSONS, {})
        if not persons:
            return
        shared = select(RUN_LOCK.run_number).where(RUN_LOCK.target.in_(locks))
        which: Any = true()
        if job is not None:
            which = or_(RUN.job == job, RUN.lock.in_(locks), RUN.number.in_(shared))
        for row in persons:
            query = select(Run).where(*IS_CLOSED, IS_READY, are_of(row.person), which).order_by(RUN.number)
            for run in self._session.scalars(query.limit(_OWN)).all():
                self._try(run)

    def replace(self, job: str, queue: str | None) -> bool:
        """Let the newest that is ready and replaces others do so; gives whether any was ended at once."""
        newest = select(func.max(RUN.number)).where(*_waiting_in(job, queue), _REPLACES, IS_READY)
        number = self._session.scalar(newest)
        run = None if number is None else self._session.get(Run, number)
        return run is not None and self._make_room(run)

    def queue(self, job: str, queue: str | None) -> None:
        """Let through what may run beside any number of others, and of the rest as many as may."""
        mine = _waiting_in(job, queue)
        first = 0
        if queue is None:
            alone = select(func.min(RUN.number)).where(*mine, RUN.concurrency != "allow")
            found = self._session.scalar(alone)
            self._beside(job, [*mine, *([] if found is None else [RUN.number < found])])
            if found is None:
                return
            first = found
        self._in_turn(job, mine, first)

    def _in_turn(self, job: str, mine: Sequence[Any], first: int) -> None:
        """Of those that are not let run beside any number of others, as many as may, from `first` on."""
        blocked: set[tuple[str, ...]] = set()
        for place, run in enumerate(self._in_order(mine, first)):
            limit = limit_of(run)
            if limit is not None and place >= limit:  # also what waits for something else keeps its place
                return
            if not is_ready(run) or locks_of(run) in blocked:
                continue
            obstacle = self._try(run)
            if obstacle is not None and obstacle.closed in (job, EVERYTHING):
                return
            if obstacle is not None and obstacle.is_crowd:
                return
            if obstacle is not None:
                blocked.add(locks_of(run))

    def _in_order(self, conditions: Sequence[Any], first: int) -> Iterator[Run]:
        """Those that meet the conditions, from the number `first` on, a few at a time."""
        at = first
        while True:
            query = select(Run).where(*conditions, RUN.number >= at).order_by(RUN.number).limit(_PAGE)
            some = self._session.scalars(query.execution_options(populate_existing=True)).all()
            yield from some
            if len(some) < _PAGE:
                return
            at = some[-1].identity + 1

    def _beside(self, job: str, beside: Sequence[Any]) -> None:
        """Let through those that say `allow`, as far as they share no lock and nobody wants to be alone."""
        session = self._session
        beside = [*beside, RUN.concurrency == "allow"]
        oldest = session.scalar(select(Run).where(*beside).order_by(RUN.number).limit(1))
        if oldest is None:
            return
        anybody = Run(**_ANYBODY, job=job, number=oldest.number)
        obstacle = obstacles.find(session, anybody, self._now)
        if obstacle is not None:
            return
        counts: list[Any] = [RUN.job == job, PRESENT, RUN.admitted == true(), RUN.concurrency != "allow"]
        if session.scalar(select(RUN.number).where(*counts).limit(1)) is not None:
            self._one_by_one(beside)
            return
        if RUNS.change_all(session, [*beside, RUN.lock.is_(None), IS_READY], **_OPEN):
            wake(session, "runs")
        locks = session.scalars(select(RUN.lock).where(*beside, RUN.lock.is_not(None)).distinct()).all()
        several = RUN_LOCK.run_number.in_(select(RUN.number).where(*beside, RUN.locks.is_not(None)))
        others = session.scalars(select(RUN_LOCK.target).where(several).distinct()).all()
        for lock in sorted({*others, *(lock for lock in locks if lock is not None)}):
            self.lock(lock)

    def _one_by_one(self, beside: Sequence[Any]) -> None:
        """Those who are under way say a number, which is not reached yet."""
        for run in self._in_order(beside, 0):
            obstacle = self._try(run) if is_ready(run) else None
            if obstacle is not None and obstacle.is_crowd:
                return

    def _next_of(self, lock: str, kept_back: Sequence[Any]) -> Run | None:
        """The oldest that waits for `lock` and is ready, without those that are kept back."""
        ready = [*IS_SHUT, IS_READY, *kept_back]
        queries = [  # one per state, so that the index gives it at once
            select(Run).where(RUN.lock == lock, RUN.state == state, *ready).order_by(RUN.number).limit(1)
            for state in QUEUED
        ]
        if obstacles.is_shared(self._session, lock):
            waits = [RUN_LOCK.target == lock, RUN_LOCK.held == false(), *IS_CLOSED, IS_READY, *kept_back]
            several = select(Run).join(RunLock, RUN_LOCK.run_number == RUN.number).where(*waits)
            queries.append(several.order_by(RUN_LOCK.run_number).limit(1))
        found = [self._session.scalar(query) for query in queries]
        return min((run for run in found if run is not None), key=lambda run: run.identity, default=None)

    def _try(self, run: Run) -> Obstacle | None:
        """Let `run` through, or say what is in the way."""
        obstacle = obstacles.find(self._session, run, self._now)
        if obstacle is None and RUNS.change(self._session, run.identity, IS_CLOSED, **_OPEN) is not None:
            self.locks |= dict.fromkeys(locks_of(run))
            wake(self._session, "runs")
        return obstacle

    def _make_room(self, run: Run) -> bool:
        """`run`, the newest of its queue that is ready, takes the place of the oldest that are too many.

        What waits will not be wanted any more. What is under way is asked to stop, with its grace, where
        nothing but that is in the way. Gives whether any was ended.
        """
        session = self._session
        older = [RUN.job == run.job, obstacles.in_queue(run.queue), _IS_REPLACED, RUN.number < run.number]
        query = select(RUN.number, RUN.admitted).where(*older, RUN.state.in_(UNFINISHED))
        keep = (limit_of(run) or 1) - 1
        numbers = session.execute(query.order_by(RUN.number.desc()).offset(keep)).all()
        ended = self._end(run, [number for number, admitted in numbers if not admitted])
        obstacle = obstacles.find(session, run, self._now)
        if obstacle is not None and obstacle.is_crowd:
            under_way = [number for number, admitted in numbers if admitted]
            ended |= self._end(run, under_way)
            for number in sorted({*under_way} - ended):
                RUNS.ask_to_stop(session, number, by=f"run:{run.number}", now=self._now)
        return bool(ended)

    def _end(self, run: Run, numbers: Collection[int]) -> set[int]:
        """End those that nobody began; what only they kept back may start."""
        by = f"run:{run.number}"
        end = RUNS.end_unbegun
        rows = [end(self._session, number, by=by, now=self._now, stop_by=by) for number in numbers]
        ended = [each for each in rows if each is not None]
        locks = sorted({lock for each in ended for lock in locks_of(each)})
        self.locks |= dict.fromkeys(locks)
        for lock in locks:
            if lock not in locks_of(run):
                self.lock(lock)
        return {each.identity for each in ended}


def _waiting_in(job: str, queue: str | None) -> list[Any]:
    return [RUN.job == job, obstacles.in_queue(queue), PRESENT, RUN.admitted == false()]


def _kept_back(run: Run, obstacle: Obstacle) -> Any:
    """The others, which what is in the way of `run` is not in the way of as well."""
    if obstacle.closed == run.job:
        return RUN.job != run.job
    if obstacle.closed is not None:
        closed = select(RUN_LOCK.run_number).where(RUN_LOCK.target == obstacle.closed)
        return RUN.number.not_in(closed)
    return obstacles.in_others(run.job, run.queue)
