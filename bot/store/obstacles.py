"""What is in the way of a run: somebody's lock, a run that holds one of its locks, or too many of its queue.

Of those that count for its limit, the smallest limit of any counts, so that what was said when a run was
asked for holds for that run. A queue of other values of the key never counts; where a run has no key (it is
of another definition), it counts for all queues of its job, and all for it.

Of those that wait for one lock the older goes first: where one with several locks waits for another of them,
nobody younger takes the rest meanwhile, or it might wait for ever. Where its job or a person keeps it back,
others go before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Integer, bindparam, false, null, or_, select, text, true, union_all
from sqlalchemy.orm import Session

from bot.states import EVERYTHING
from bot.store.columns import LOCK, RUN, RUN_LOCK, among
from bot.store.lock_owners import asker_of
from bot.store.prepared import Prepared
from bot.store.run_locks import limit_of, locks_of
from bot.store.statements import all_of, one
from bot.store.transitions import QUEUED, UNFINISHED
from bot.tables import Run, RunLock
from bot.tables.types import AT_THE_GATE

IS_SHUT = (RUN.admitted == false(), RUN.hold.is_(None))
IS_CLOSED = (among(RUN.state, QUEUED), *IS_SHUT)
"""Runs that were not let through."""
IS_READY = or_(RUN.build_number.is_(None), RUN.digest.is_not(None))
"""Runs that have their image, if they need one."""
PRESENT = text(AT_THE_GATE)
"""Runs that have not ended and are not held; written out as the index of them is."""

_LAST = 2**62
"""A number that no run has: all others are older than one that has none yet."""

_MOST = 1001
"""More than any limit is."""

_TURNS = 20
"""So many runs with several locks are asked whether it is their turn."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The first thing in the way of a run: a target that a person `closed`, a `lock` that another run has or
    gets first, or without those a `run` of the same job."""

    closed: str | None = None
    lock: str | None = None
    run: int | None = None

    @property
    def is_crowd(self) -> bool:
        """Whether it is other runs of the job, and nothing else."""
        return self.closed is None and self.lock is None


def in_queue(queue: str | None) -> Any:
    """Runs of this queue of their job."""
    return RUN.queue.is_(None) if queue is None else RUN.queue == queue


def in_others(job: str, queue: str | None) -> Any:
    """Runs of other jobs, or of other queues of this one."""
    if queue is None:
        return or_(RUN.job != job, RUN.queue.is_not(None))
    return or_(RUN.job != job, RUN.queue != queue, RUN.queue.is_(None))


def is_ready(run: Run) -> bool:
    """Whether it has its image, if it needs one."""
    return run.build_number is None or run.digest is not None


def find(session: Session, run: Run, now: float) -> Obstacle | None:
    """The first thing in the way of `run`, which is not stored yet if it has no number."""
    found = _besides_turns(session, run, now)
    if isinstance(found, Obstacle):
        return found
    for lock, awaited in found:
        first = None if awaited is None else _turn_of(session, lock, run.number or _LAST, now)
        if first is not None:
            return Obstacle(lock=lock, run=first)
    return None


def _besides_turns(session: Session, run: Run, now: float) -> Obstacle | list[tuple[str, int | None]]:
    """The same without those whose turn it is; if nothing is, each lock with one that waits for it."""
    locks = locks_of(run)
    statement = _obstacles(run.number is not None, _kind(run))
    about = {"job": run.job, "now": now, "number": run.number or 0, "turn": run.number or _LAST}
    about["person"] = asker_of(run)
    rows = [(lock, one(session, statement, about | {"lock": lock})) for lock in locks or (run.job,)]
    for _, row in rows:
        if row.locked is not None:
            return Obstacle(closed=row.locked)
    for lock, row in rows:
        holder = row.holder if row.holder is not None else row.sharer
        if locks and holder is not None:
            return Obstacle(lock=lock, run=holder)
    is_owner = any(row.owned is not None for _, row in rows)
    mate = _under_way(session, run) if is_owner else _mate(session, run, rows[0][1].mate)
    if mate is not None:
        return Obstacle(run=mate)
    if is_owner:
        return []
    return [(lock, row.awaited) for lock, row in rows] if locks else []


def _mate(session: Session, run: Run, found: int | None) -> int | None:
    """A run of the same job that is in the way; `found` is one that is where nobody says a number."""
    if run.at_most is not None:
        return _crowd(session, run)
    if found is None or run.concurrency != "allow":
        return found
    mate = session.get(Run, found)
    return found if mate is None or mate.at_most is None else _crowd(session, run)


def _crowd(session: Session, run: Run) -> int | None:
    """One of those that are too many for `run` to begin; None where they are not."""
    limit = limit_of(run)
    about = {"job": run.job, "queue": run.queue, "number": run.number or 0, "turn": run.number or _LAST}
    mates = all_of(session, _mates(run.queue is not None), about | {"cap": limit or _MOST})
    limits = [limit or _MOST, *(_limit(mate) for mate in mates)]
    most = min(each for each in limits if each is not None)
    whole = [found for mate in mates if mate.queue is None and (found := _limit(mate)) is not None]
    if (
        len(mates) < most and run.queue is not None and whole
    ):  # of another definition: they count all of the job
        most = min(whole)
        mates = all_of(session, _mates(False), about | {"queue": None, "cap": most})
    if len(mates) < most:
        return None
    return int(min(mates, key=lambda mate: (not mate.admitted, mate.number)).number)


def _under_way(session: Session, run: Run) -> int | None:
    """The same where a lock keeps back all but the runs of who asked for `run`: what waits does not count."""
    mates: list[Any] = [RUN.job == run.job, PRESENT, RUN.admitted == true(), RUN.number != (run.number or 0)]
    if run.queue is not None:
        mates.append(or_(RUN.queue == run.queue, RUN.queue.is_(None)))
    found = session.scalars(select(Run).where(*mates).order_by(RUN.number).limit(_MOST)).all()
    limits = [limit for each in (*found, run) if (limit := limit_of(each)) is not None]
    return found[0].identity if limits and len(found) >= min(limits) else None


def _limit(mate: Any) -> int | None:
    return None if mate.concurrency == "allow" else mate.at_most or 1


def _turn_of(session: Session, lock: str, before: int, now: float) -> int | None:
    """The oldest run with several locks that waits for `lock` and only for locks."""
    waits = [RUN_LOCK.target == lock, RUN_LOCK.held == false(), RUN_LOCK.run_number < before]
    query = select(Run).join(RunLock, RUN_LOCK.run_number == RUN.number).where(*waits, *IS_CLOSED, IS_READY)
    for run in session.scalars(query.order_by(RUN_LOCK.run_number).limit(_TURNS)):
        found = _besides_turns(session, run, now)
        if not isinstance(found, Obstacle) or (found.lock is not None and not _is_kept_back(session, run)):
            return run.identity
    return None


def _is_kept_back(session: Session, run: Run) -> bool:
    """Whether others of its job would be in its way if its locks were free."""
    about = {"job": run.job, "number": run.number, "turn": run.number, "now": 0.0, "lock": run.job}
    about["person"] = ""
    row = one(session, _obstacles(True, _kind(run)), about)
    return _mate(session, run, row.mate) is not None


# Statements -------------------------------------------------------------------------------------------
# Every new run asks these, so they are made once: that takes longer than SQLite takes to answer.

_JOB: Any = bindparam("job")
_A_LOCK: Any = bindparam("lock")
_NUMBER: Any = bindparam("number")
_TURN: Any = bindparam("turn")

_PERSON: Any = bindparam("person")
_CLOSED = (
    LOCK.target.in_([_JOB, _A_LOCK, EVERYTHING]),
    or_(LOCK.until.is_(None), LOCK.until > bindparam("now")),
)
_LOCKED = select(LOCK.target).where(*_CLOSED, or_(LOCK.person.is_(None), LOCK.person != _PERSON)).limit(1)
_OWNED = select(LOCK.target).where(*_CLOSED, LOCK.person == _PERSON).limit(1)
_HOLDER = (
    select(RUN.number)
    .where(RUN.lock == _A_LOCK, among(RUN.state, UNFINISHED), RUN.admitted == true(), RUN.number != _NUMBER)
    .limit(1)
)
_SHARER = (
    select(RUN_LOCK.run_number)
    .where(RUN_LOCK.target == _A_LOCK, RUN_LOCK.held == true(), RUN_LOCK.run_number != _NUMBER)
    .limit(1)
)
_AWAITED = (
    select(RUN_LOCK.run_number)
    .where(RUN_LOCK.target == _A_LOCK, RUN_LOCK.held == false(), RUN_LOCK.run_number < _TURN)
    .limit(1)
)


def _kind(run: Run) -> str:
    if run.at_most is not None:
        return "counted"
    return "beside" if run.concurrency == "allow" else "alone"


@cache
def _obstacles(stored: bool, kind: str) -> Prepared:
    """One row: what a person closed, the numbers of who holds the lock, of who awaits it, and of a mate."""
    parts = {"locked": _LOCKED, "owned": _OWNED, "holder": _HOLDER, "sharer": _SHARER, "awaited": _AWAITED}
    values = [part.scalar_subquery().label(name) for name, part in parts.items()]
    mate = null() if kind == "counted" else _one_mate(stored, kind).scalar_subquery()
    return Prepared(select(*values, mate.label("mate")))


def _one_mate(stored: bool, kind: str) -> Any:
    """A run of the same job that one which is `stored`, or goes `beside` others, may not run beside."""
    query = select(RUN.number).where(RUN.job == _JOB, among(RUN.state, UNFINISHED), RUN.hold.is_(None))
    if kind == "beside":
        query = query.where(RUN.concurrency != "allow")
    if stored:
        query = query.where(RUN.number != _NUMBER, or_(RUN.admitted == true(), RUN.number < _TURN))
    return query.limit(1)


@cache
def _mates(keyed: bool) -> Prepared:
    """Those that count for a run: let through, or older; up to `cap` of each kind, and no more."""
    without, mine = RUN.queue.is_(None), RUN.queue == bindparam("queue", type_=RUN.queue.type)
    parts = [
        _part(queue, *which) for queue in ((mine, without) if keyed else (without,)) for which in _COUNTED
    ]
    if not keyed:
        parts.append(_part(RUN.queue.is_not(None), or_(RUN.admitted == true(), RUN.number < _TURN)))
    return Prepared(union_all(*parts))


_COUNTED = ((RUN.admitted == true(), RUN.number != _NUMBER), (RUN.admitted == false(), RUN.number < _TURN))


def _part(*conditions: Any) -> Any:
    columns = [RUN.number, RUN.admitted, RUN.queue, RUN.concurrency, RUN.at_most]
    cap = bindparam("cap", type_=Integer)
    found = select(*columns).where(RUN.job == _JOB, PRESENT, *conditions, RUN.number != _NUMBER).limit(cap)
    return select(found.subquery())


_CLOSED_QUEUE = Prepared(
    select(RUN.number)
    .where(RUN.job == _JOB, RUN.queue == bindparam("queue"), PRESENT, RUN.admitted == false())
    .limit(1)
)
_CLOSED_JOB = Prepared(
    select(RUN.number).where(RUN.job == _JOB, RUN.queue.is_(None), PRESENT, RUN.admitted == false()).limit(1)
)
_CLOSED_QUEUES = Prepared(
    select(RUN.queue)
    .where(RUN.job == _JOB, RUN.queue.is_not(None), PRESENT, RUN.admitted == false())
    .distinct()
)
_CLOSED_LOCK = Prepared(select(RUN.number).where(RUN.lock == _A_LOCK, *IS_CLOSED).limit(1))
_WAITED_LOCK = Prepared(
    select(RUN_LOCK.run_number).where(RUN_LOCK.target == _A_LOCK, RUN_LOCK.held == false()).limit(1)
)


def closed_queues(session: Session, job: str, queue: str | None, *, whole: bool) -> Sequence[str | None]:
    """The queues of `job` in which runs wait, of those that the end of one in `queue` concerns; None last."""
    found: list[str | None] = []
    if whole or queue is None:
        found += [row.queue for row in all_of(session, _CLOSED_QUEUES, {"job": job})]
    elif one(session, _CLOSED_QUEUE, {"job": job, "queue": queue}) is not None:
        found.append(queue)
    if one(session, _CLOSED_JOB, {"job": job}) is not None:
        found.append(None)
    return found


def is_shared(session: Session, lock: str) -> bool:
    """Whether a run waits that takes this lock and others with it."""
    return one(session, _WAITED_LOCK, {"lock": lock}) is not None


def is_awaited(session: Session, lock: str) -> bool:
    """Whether a run waits that takes this lock."""
    return one(session, _CLOSED_LOCK, {"lock": lock}) is not None or is_shared(session, lock)
