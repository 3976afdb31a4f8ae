"""Schedules that stop by themselves: failures in a row are counted in the transaction that ends a run.

Only runs that the schedule itself started count; one that was cancelled neither counts nor breaks the row. A
schedule that has been resumed counts from none.
"""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.states import Cause, EntryKind, State
from bot.store import journal
from bot.store.columns import JOB_STATE, RUN, table_of
from bot.tables import JobState, JournalEntry, Run
from bot.text.names import schedule_key
from executor.spec import Result


def ended(session: Session, run: Run) -> int | None:
    """Note how a run ended; gives the failures in a row after which its schedule is paused from now on."""
    if run.state != State.FINISHED or run.tick_at is None or run.cause != Cause.SCHEDULE:
        return None
    limit = _limit(run)
    if limit is None or run.result == Result.CANCELLED:
        return None
    key, table = schedule_key(run.job, run.schedule), table_of(JobState)
    mine = table.c.job == key
    if run.result == Result.SUCCEEDED:
        session.connection().execute(update(table).where(mine, table.c.failures > 0).values(failures=0))
        return None
    counted = func.coalesce(table.c.failures, 0) + 1
    count = session.connection().scalar(
        update(table).where(mine).values(failures=counted).returning(table.c.failures)
    )
    if count is None or count < limit:
        return None
    stops = {"paused": True, "paused_until": None, "paused_by": f"run:{run.identity}", "paused_why": None}
    is_paused = session.scalar(select(JOB_STATE.paused).where(JOB_STATE.job == key))
    if is_paused:  # by somebody, who lets it go on as they see fit
        return None
    session.connection().execute(update(table).where(mine).values(**stops))
    session.connection().execute(
        update(table_of(Run)).where(RUN.number == run.identity).values(stopped_after=count)
    )
    run.stopped_after = count
    _record(session, run, key, limit, count)
    return int(count)


def _limit(run: Run) -> int | None:
    """After how many failures the schedule stops, as the definition said that the run was made of."""
    written = run.definition.get("schedule")
    several = written if isinstance(written, list) else [written]
    mine = (each for each in several if isinstance(each, dict) and each.get("name") == run.schedule)
    found: object = next(mine, {}).get("stop_after")
    return found if isinstance(found, int) else None


def _record(session: Session, run: Run, key: str, limit: int, count: int) -> None:
    entry = JournalEntry(
        at=run.finished_at or run.created_at,
        kind=EntryKind.PAUSED,
        actor=run.actor,
        subject=f"schedule:{key}",
        job=run.job,
        run=run.identity,
        repository=run.repository,
        rule=f"stop_after: {limit}",
        facts={"failures": count},
    )
    journal.record(session, [entry])
