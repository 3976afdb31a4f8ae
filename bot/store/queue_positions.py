"""Lines: where closed runs stand, when their turn may come, and what their cards say they wait for.

A line is what waits for one lock or, without a lock, for one queue of a job. A run with several locks stands
in the line of each, and is told its place in that of the first. Only the first `COUNTED` of a line are told
of every change of it, so that a long line costs no more than a short one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heapreplace
from statistics import median
from typing import Any

from sqlalchemy import bindparam, false, or_, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from bot.access import people
from bot.states import EVERYTHING, Wait, Waiting
from bot.store import obstacles, posts
from bot.store.columns import LOCK, RUN, RUN_LOCK, table_of
from bot.store.lock_owners import goes_on
from bot.store.obstacles import PRESENT
from bot.store.prepared import Prepared
from bot.store.run_locks import limit_of, locks_of
from bot.store.statements import run_all
from bot.store.transitions import QUEUED, UNFINISHED
from bot.store.wakeups import changed
from bot.tables import Lock, Run, RunLock

COUNTED = 20
"""How many of a line know their place."""

LINES = 50
"""How many queues of one job are told at once; the others are with their own next change."""

_SAMPLE = 20
"""How many of the newest succeeded runs of a job tell how long one takes."""


def durations(session: Session, job: str) -> list[float]:
    """Seconds that the newest succeeded runs of a job took, newest first."""
    query = (
        select(RUN.started_at, RUN.finished_at)
        .where(RUN.job == job, RUN.result == "succeeded", RUN.started_at.is_not(None))
        .order_by(RUN.number.desc())
        .limit(_SAMPLE)
    )
    return [finished - started for started, finished in session.execute(query)]


@dataclass(slots=True)
class _Look:
    """What was asked of the database for one line, each once."""

    session: Session
    now: float
    holders: dict[str, Run | None] = field(default_factory=dict)
    mates: dict[tuple[str, str | None, bool], Sequence[Run]] = field(default_factory=dict)
    medians: dict[str, float | None] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        valid = or_(LOCK.until.is_(None), LOCK.until > self.now)
        self.locks = {lock.target: lock for lock in self.session.scalars(select(Lock).where(valid))}

    def closed(self, run: Run) -> Lock | None:
        """The lock of a person that keeps `run` back."""
        found = (self.locks.get(target) for target in (*locks_of(run), run.job, EVERYTHING))
        return next((lock for lock in found if lock is not None and not goes_on(run, lock)), None)

    def holder(self, lock: str) -> Run | None:
        """The run that holds `lock`."""
        if lock not in self.holders:
            holds = [RUN.lock == lock, RUN.state.in_(UNFINISHED), RUN.admitted == true()]
            found = self.session.scalar(select(Run).where(*holds).limit(1))
            if found is None:
                several = [RUN_LOCK.target == lock, RUN_LOCK.held == true()]
                joined = select(Run).join(RunLock, RUN_LOCK.run_number == RUN.number)
                found = self.session.scalar(joined.where(*several).limit(1))
            self.holders[lock] = found
        return self.holders[lock]

    def ahead(self, run: Run) -> Sequence[Run]:
        """The runs of its job that it may not run beside: under way or, if none is, the first to come."""
        key = (run.job, run.queue, run.concurrency == "allow")
        if key not in self.mates:
            some = self._mates(run, True, COUNTED) or self._mates(run, False, 1)
            self.mates[key] = sorted(some, key=lambda each: each.identity)
        return [each for each in self.mates[key] if each.number != run.number]

    def _mates(self, run: Run, admitted: bool, limit: int) -> list[Run]:
        """The first that count for `run`; one query per queue, so that the index gives them at once."""
        which: list[Any] = [RUN.job == run.job, PRESENT, RUN.admitted == (true() if admitted else false())]
        if run.concurrency == "allow":
            which.append(RUN.concurrency != "allow")
        queues = [obstacles.in_queue(queue) for queue in dict.fromkeys((run.queue, None))]
        if run.queue is None:
            queues.append(RUN.queue.is_not(None))
        found: list[Run] = []
        for queue in queues:
            found += self.session.scalars(select(Run).where(*which, queue).order_by(RUN.number).limit(limit))
        return found

    def duration(self, job: str) -> float | None:
        """Seconds that a run of `job` takes: the median of the newest that succeeded."""
        if job not in self.medians:
            took = durations(self.session, job)
            self.medians[job] = median(took) if took else None
        return self.medians[job]


def waiting(session: Session, *conditions: Any, limit: int) -> list[Run]:
    """The first closed runs, oldest first; one query per state, so that the index gives them at once."""
    found = [
        run
        for state in QUEUED
        for run in session.scalars(
            select(Run)
            .where(*conditions, RUN.state == state, RUN.admitted == false(), RUN.hold.is_(None))
            .order_by(RUN.number)
            .limit(limit)
        )
    ]
    return sorted(found, key=lambda run: run.identity)[:limit]


def _line_of_lock(session: Session, lock: str) -> list[Run]:
    """The first that wait for `lock`, also those that wait for others with it."""
    line = waiting(session, RUN.lock == lock, limit=COUNTED + 1)
    if obstacles.is_shared(session, lock):
        waits = [RUN_LOCK.target == lock, RUN_LOCK.held == false(), RUN.hold.is_(None)]
        several = select(Run).join(RunLock, RUN_LOCK.run_number == RUN.number).where(*waits)
        line += session.scalars(several.order_by(RUN_LOCK.run_number).limit(COUNTED + 1))
    return sorted({run.identity: run for run in line}.values(), key=lambda run: run.identity)[: COUNTED + 1]


def _line_of_queue(session: Session, job: str, queue: str | None) -> list[Run]:
    mine = [RUN.job == job, obstacles.in_queue(queue), PRESENT, RUN.admitted == false(), RUN.lock.is_(None)]
    return list(session.scalars(select(Run).where(*mine).order_by(RUN.number).limit(COUNTED + 1)))


def tell(
    session: Session, *, job: str, queues: Iterable[str | None], locks: Iterable[str], now: float
) -> None:
    """Put on the cards of whoever waits for these what that is, and the place."""
    look = _Look(session, now)
    lines = dict.fromkeys(locks)
    for lock in list(lines):
        if obstacles.is_shared(session, lock):  # they are told in the line of their first lock
            lines |= dict.fromkeys(run.lock for run in _line_of_lock(session, lock) if run.lock is not None)
    for lock in lines:
        _tell_line(look, _line_of_lock(session, lock), lock)
    for queue in list(queues)[-LINES:]:
        _tell_line(look, _line_of_queue(session, job, queue))


def tell_last(session: Session, run: Run, *, now: float) -> None:
    """Put on the card of `run`, which came last, what it waits for."""
    if run.lock is not None:
        line = _line_of_lock(session, run.lock)
    else:
        line = _line_of_queue(session, run.job, run.queue)
    if line and line[-1].number != run.number:
        line = [*line[:COUNTED], run]
    _tell_line(_Look(session, now), line, run.lock, only=run.number)


def cause(session: Session, run: Run, *, now: float) -> Waiting | None:
    """What is in the way of `run`."""
    return _cause(_Look(session, now), run)


def _tell_line(look: _Look, line: Sequence[Run], lock: str | None = None, only: int | None = None) -> None:
    """Note for each of `line` (or for `only` one) what it waits for; what is no news is not written.

    Those that stand in the line of `lock` besides that of their first one are told there.
    """
    if not any(run.lock == lock for run in line):
        return
    ends = _ends(look, line[0])
    news: list[tuple[Run, Waiting]] = []
    for index, run in enumerate(line):
        why = _cause(look, run) if run.lock == lock else None
        at = ends[0] if ends else None
        if why is not None and (only is None or run.number == only):
            if why.kind is not Wait.CLOSED:  # turns are taken, but not where a person decides
                why = replace(why, on=why.on | _place(index, at))
            if not _is_known(run, why):  # nobody else changes it while we decide
                news.append((run, why))
        takes = look.duration(run.job)
        if ends and takes is not None:
            heapreplace(ends, ends[0] + takes)
        else:
            ends = None
    _note(look.session, news)


def _place(index: int, at: float | None) -> dict[str, Any]:
    """The place in a line, from 1, and the minute of the turn, as far as they are known."""
    if index >= COUNTED:
        return {"place": None}
    return {"place": index + 1} if at is None else {"place": index + 1, "around": at // 60 * 60}


def _is_known(run: Run, why: Waiting) -> bool:
    """Whether the run says so already."""
    return (run.waiting_for, run.waiting_on) == (why.kind, why.on)


def _note(session: Session, news: Sequence[tuple[Run, Waiting]]) -> None:
    """Store what these runs wait for, and have it shown."""
    if not news:
        return
    rows = [{"of": run.number, "kind": why.kind, "on": why.on} for run, why in news]
    run_all(session, _NOTED, rows)
    for run, why in news:
        set_committed_value(run, "waiting_for", why.kind)
        set_committed_value(run, "waiting_on", why.on)
    posts.want(session, "run", [run.identity for run, _ in news])
    changed(session, *(run for run, _ in news))


_TABLE = table_of(Run)
_NOTED = Prepared(
    update(_TABLE)
    .where(RUN.number == bindparam("of"))
    .values(waiting_for=bindparam("kind"), waiting_on=bindparam("on", type_=_TABLE.c.waiting_on.type))
)


def _cause(look: _Look, run: Run) -> Waiting | None:
    if run.build_number is not None and run.digest is None:
        return None  # its card shows the build
    if (lock := look.closed(run)) is not None:
        return Waiting(Wait.CLOSED, _about(lock, run))
    for name in locks_of(run):
        if (holder := look.holder(name)) is not None and holder.number != run.number:
            return Waiting(Wait.HELD, {"lock": name} | _named(holder, run))
    if others := _crowd(look, run):
        return Waiting(Wait.AHEAD, others)
    obstacle = obstacles.find(look.session, run, look.now)
    if obstacle is None or obstacle.run is None:
        return None
    first = look.session.get_one(Run, obstacle.run)
    if obstacle.lock is None:
        return Waiting(Wait.AHEAD, {"run": first.number, "stopping": bool(first.stop_by)})
    return Waiting(Wait.HELD, {"lock": obstacle.lock, "next": True} | _named(first, run))


def _about(lock: Lock, run: Run) -> dict[str, Any]:
    about: dict[str, Any] = {
        "lock": lock.target,
        "actor": lock.actor,
        "reason": lock.reason,
        "until": lock.until,
    }
    about["everyone"] = lock.person is None
    if lock.person is not None and lock.person == people.identity(run.actor):
        about["automatic"] = True  # of who closed it, but not asked for by them
    return about


def _named(other: Run, run: Run) -> dict[str, Any]:
    """Which run that is, where those who see `run` may know."""
    seen = other.repository == run.repository or not run.public
    return {"run": other.number, "job": other.job, "actor": other.actor} if seen else {}


def _crowd(look: _Look, run: Run) -> dict[str, Any]:
    """The runs of its job of which one has to end first; empty where they are not too many."""
    others = look.ahead(run)
    limit = min((found for each in (*others, run) if (found := limit_of(each)) is not None), default=None)
    if not others or limit is None or (limit > 1 and len(others) < limit):
        return {}
    about: dict[str, Any] = {"run": others[0].number, "stopping": bool(others[0].stop_by)}
    if run.at_most is not None:
        about |= {"others": len(others) - 1, "limit": limit}
    return about if run.queue is None else about | {"queue": run.queue}


def _ends(look: _Look, run: Run) -> list[float] | None:
    """When what is in the way of the first of a line ends, as a heap; None where that cannot be told."""
    under_way: Sequence[Run] = []
    if run.lock is not None:
        holders = [holder for name in locks_of(run) if (holder := look.holder(name)) is not None]
        under_way = holders[:1]
    under_way = under_way or look.ahead(run)[: limit_of(run) or 1]
    ends: list[float] = []
    for each in under_way:
        takes = look.duration(each.job)
        if takes is None:
            return None
        ends.append(max((each.started_at or look.now) + takes, look.now))
    heapify(ends)
    return ends or None
