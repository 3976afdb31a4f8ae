"""What a run has to do with at the gate: its job, its queue in that, and its locks, which may be several.

Of a single lock the run itself knows everything. Of several, `run_locks` has a row each, which follows the
run in the same statement's transaction, whatever changes it.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, not_, select, update
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.columns import RUN, RUN_LOCK, table_of
from bot.store.prepared import Prepared
from bot.store.statements import one, run_all
from bot.tables import Run, RunLock


@dataclass(frozen=True, slots=True)
class Scope:
    """What the end of a run, or its coming, concerns. `queue` None is all of the job, as is `whole`."""

    job: str
    queue: str | None = None
    locks: tuple[str, ...] = ()
    whole: bool = False


def locks_of(run: Run) -> tuple[str, ...]:
    """The locks that a run takes, by name."""
    if run.locks:
        return tuple(run.locks)
    return () if run.lock is None else (run.lock,)


def scope_of(run: Run) -> Scope:
    """That of a run."""
    return Scope(run.job, run.queue, locks_of(run))


def limit_of(run: Run) -> int | None:
    """How many of its queue may be under way, with this one; None: any number."""
    if run.concurrency == "allow":
        return None
    return run.at_most or 1


def over_of(run: Run) -> str:
    """What becomes of it where it is one too many: `queue`, `forbid` or `replace`; or `allow`."""
    return run.over or run.concurrency


def add(session: Session, run: Run) -> None:
    """After `run` is stored: its locks, where it takes several."""
    if run.locks and run.state != State.FINISHED:
        rows = [{"run": run.identity, "target": lock, "held": run.admitted} for lock in run.locks]
        run_all(session, _ADD, rows)


def follow(session: Session, run: Run) -> None:
    """After `run` changed: its locks are held once it is let through, and free at its end."""
    if not run.locks:
        return
    if run.state == State.FINISHED:
        one(session, _FREE, {"run": run.identity})
    else:
        one(session, _HOLD, {"run": run.identity, "held": run.admitted})


def repair(session: Session) -> None:
    """Put right what an older version, which knows nothing of these rows, left."""
    quietly = {"synchronize_session": False}
    unfinished = select(RUN.number).where(RUN.state != State.FINISHED, RUN.locks.is_not(None))
    gone = delete(RunLock).where(RUN_LOCK.run_number.not_in(unfinished))
    session.execute(gone.execution_options(**quietly))
    admitted = select(RUN.admitted).where(RUN.number == RUN_LOCK.run_number).scalar_subquery()
    other = update(RunLock).where(not_(RUN_LOCK.held == admitted)).values(held=admitted)
    session.execute(other.execution_options(**quietly))


_TABLE = table_of(RunLock)
_ADD = Prepared(
    insert(_TABLE).values(
        run_number=bindparam("run"),
        target=bindparam("target"),
        held=bindparam("held", type_=_TABLE.c.held.type),
    )
)
_FREE = Prepared(delete(_TABLE).where(RUN_LOCK.run_number == bindparam("run")))
_HOLD = Prepared(
    update(_TABLE)
    .where(RUN_LOCK.run_number == bindparam("run"))
    .values(held=bindparam("held", type_=_TABLE.c.held.type))
)
