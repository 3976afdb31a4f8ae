"""Lines: where closed runs stand, when their turn may come, and what their cards say they wait for.

A line is what waits for one lock or, without a lock, for one job. Only the first `COUNTED` of a line
are told of every change of it, so that a long line costs no more than a short one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from sqlalchemy import false, or_, select, true, update
from sqlalchemy.orm import Session

from bot.states import Wait, Waiting
from bot.store import posts
from bot.store.columns import LOCK, RUN
from bot.store.transitions import QUEUED, UNFINISHED
from bot.store.wakeups import changed
from bot.tables import Lock, Run

COUNTED = 20
"""How many of a line know their place."""

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
    mates: dict[tuple[str, bool], Sequence[Run]] = field(default_factory=dict)
    medians: dict[str, float | None] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        valid = or_(LOCK.until.is_(None), LOCK.until > self.now)
        self.locks = {lock.target: lock for lock in self.session.scalars(select(Lock).where(valid))}

    def closed(self, run: Run) -> Lock | None:
        """The lock of a person that keeps `run` back."""
        return self.locks.get(run.lock or run.job) or self.locks.get(run.job)

    def holder(self, lock: str) -> Run | None:
        """The run that holds `lock`."""
        if lock not in self.holders:
            holds = [RUN.lock == lock, RUN.state.in_(UNFINISHED), RUN.admitted == true()]
            self.holders[lock] = self.session.scalar(select(Run).where(*holds).limit(1))
        return self.holders[lock]

    def ahead(self, run: Run) -> Run | None:
        """The run of the same job that it may not run beside: under way or, if none is, the first to come."""
        key = (run.job, run.concurrency == "allow")
        if key not in self.mates:
            which = [RUN.job == run.job, *([RUN.concurrency != "allow"] if key[1] else [])]
            going = [*which, RUN.state.in_(UNFINISHED), RUN.admitted == true()]
            found = list(self.session.scalars(select(Run).where(*going).limit(2)))
            self.mates[key] = found or waiting(self.session, *which, limit=1)
        return next((each for each in self.mates[key] if each.number != run.number), None)

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


def tell(session: Session, *, job: str, lock: str | None, now: float) -> None:
    """Put on the cards of whoever waits for `job` or `lock` what that is, and the place."""
    look = _Look(session, now)
    if lock is not None:
        _tell_line(look, waiting(session, RUN.lock == lock, limit=COUNTED + 1))
    _tell_line(look, waiting(session, RUN.job == job, RUN.lock.is_(None), limit=COUNTED + 1))


def tell_last(session: Session, run: Run, *, now: float) -> None:
    """Put on the card of `run`, which came last, what it waits for."""
    mine = [RUN.lock == run.lock] if run.lock is not None else [RUN.job == run.job, RUN.lock.is_(None)]
    line = waiting(session, *mine, limit=COUNTED + 1)
    if line and line[-1].number != run.number:
        line = [*line[:COUNTED], run]
    _tell_line(_Look(session, now), line, only=run.number)


def cause(session: Session, run: Run, *, now: float) -> Waiting | None:
    """What is in the way of `run`."""
    return _cause(_Look(session, now), run)


def _tell_line(look: _Look, line: Sequence[Run], only: int | None = None) -> None:
    """Note for each of `line` (or for `only` one) what it waits for; what is no news is not written."""
    at: float | None = None
    told: list[Run] = []
    for index, run in enumerate(line):
        why = _cause(look, run)
        if index == 0:
            at = _first_turn(look, run)
        if why is not None and (only is None or run.number == only):
            if why.kind is not Wait.CLOSED:  # turns are taken, but not where a person decides
                why = replace(why, on=why.on | _place(index, at))
            if not _is_known(run, why):  # nobody else changes it while we decide
                told.append(_note(look, run, why))
        takes = look.duration(run.job)
        at = at + takes if at is not None and takes is not None else None
    posts.want(look.session, "run", [run.identity for run in told])
    changed(look.session, *told)


def _place(index: int, at: float | None) -> dict[str, Any]:
    """The place in a line, from 1, and the minute of the turn, as far as they are known."""
    if index >= COUNTED:
        return {"place": None}
    return {"place": index + 1} if at is None else {"place": index + 1, "around": at // 60 * 60}


def _is_known(run: Run, why: Waiting) -> bool:
    """Whether the run says so already."""
    return (run.waiting_for, run.waiting_on) == (why.kind, why.on)


def _note(look: _Look, run: Run, why: Waiting) -> Run:
    """The run with what it waits for."""
    values = {"waiting_for": why.kind, "waiting_on": why.on}
    noted = update(Run).where(RUN.number == run.number).values(values).returning(Run)
    options = {"synchronize_session": False, "populate_existing": True}
    return look.session.scalars(noted.execution_options(**options)).one()


def _cause(look: _Look, run: Run) -> Waiting | None:
    if run.build_number is not None and run.digest is None:
        return None  # its card shows the build
    if (lock := look.closed(run)) is not None:
        about = {"lock": lock.target, "actor": lock.actor, "reason": lock.reason, "until": lock.until}
        return Waiting(Wait.CLOSED, about)
    if run.lock is not None and (holder := look.holder(run.lock)) is not None:
        named = holder.repository == run.repository or not run.public
        by = {"run": holder.number, "job": holder.job, "actor": holder.actor} if named else {}
        return Waiting(Wait.HELD, {"lock": run.lock} | by)
    if (other := look.ahead(run)) is not None:
        return Waiting(Wait.AHEAD, {"run": other.number, "stopping": bool(other.stop_by)})
    return None


def _first_turn(look: _Look, run: Run) -> float | None:
    """When the first of a line may start: when what is under way has taken as long as it usually does."""
    under_way = look.holder(run.lock) if run.lock is not None else None
    under_way = under_way or look.ahead(run)
    if under_way is None:
        return None
    takes = look.duration(under_way.job)
    if takes is None:
        return None
    return max((under_way.started_at or look.now) + takes, look.now)
