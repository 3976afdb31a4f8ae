"""Ticks: what became of the due moments of schedules, and what people said about a schedule.

A tick is decided once: by the transaction that moves the job's `ticked_to` past it, while no other bot
decides. The unique keys of the tick and of its run forbid a second time whatever else happens.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, delete, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.catalog.due import EVERY
from bot.store import admission, versions
from bot.store.columns import JOB_STATE, TICK, table_of
from bot.store.wakeups import wake
from bot.tables import JobState, Tick
from bot.text.names import job_and_schedule

AHEAD = 60.0
"""Seconds by which clocks may differ; ticks that were decided further ahead were so by a wrong one."""

ROWS = 1000
"""Jobs that one statement names; databases take some ten thousand."""

_PLAIN: dict[str, Any] = {"synchronize_session": False}


def begin(
    session: Session, timetables: Mapping[str, str], *, now: float, mark: int | None = None
) -> dict[str, float] | None:
    """Note which schedules there are, by key; gives up to when the ticks of each were decided.

    None, and nothing noted, where a job changed since the one who asks looked: at the `mark` of `versions`.

    A schedule that is new or was changed begins now: its earlier moments were nobody's. So does one that
    comes back after it was taken away, and one that a clock decided which has been set back since: what is
    on record of it is not decided again, and what is not becomes due.
    """
    admission.hold(session)
    if mark is not None and mark != versions.mark(session):
        return None
    known = {row.job: row for row in session.scalars(select(JobState))}
    fresh = [
        {"job": key, "paused": False, "ticked_to": now, "timetable": None, "named_timetable": None}
        | {_column(key): timetable}
        for key, timetable in timetables.items()
        if key not in known
    ]
    if fresh:
        make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(make(JobState).on_conflict_do_nothing(index_elements=["job"]), fresh)
    begun = dict.fromkeys(timetables, now)
    for key, row in known.items():
        timetable = timetables.get(key)
        if timetable_of(row) != timetable:
            setattr(row, _column(key), timetable)
            row.ticked_to, row.skip_at, row.skipped_by = now, None, None
        elif timetable is not None and row.ticked_to is not None:
            if row.ticked_to > now + AHEAD:
                row.ticked_to = now
            begun[key] = row.ticked_to
    session.flush()
    return begun


def _column(key: str) -> str:
    return "timetable" if job_and_schedule(key)[1] is None else "named_timetable"


def timetable_of(state: JobState) -> str | None:
    """The schedule for which the rest holds, as `begin` was told of it."""
    timetable: str | None = getattr(state, _column(state.job))
    return timetable


def states(session: Session, keys: Collection[str]) -> dict[str, JobState]:
    """What is known of these schedules, by key, and of all together, where anything is."""
    found: dict[str, JobState] = {}
    for some in _parts(sorted({*keys, EVERY})):
        query = select(JobState).where(JOB_STATE.job.in_(some)).execution_options(populate_existing=True)
        found |= {row.job: row for row in session.scalars(query)}
    return found


def paused(session: Session, *, now: float) -> set[str]:
    """The jobs of which people paused a schedule, until resumed or later than `now`; `EVERY`: all are."""
    query = select(JOB_STATE.job).where(JOB_STATE.paused == true())
    lasting = or_(JOB_STATE.paused_until.is_(None), JOB_STATE.paused_until > now)
    return {job_and_schedule(key)[0] for key in session.scalars(query.where(lasting))}


def held_back(session: Session) -> dict[str, JobState]:
    """What people hold back of schedules now, whole or one time of it, by key; `EVERY` is all of them."""
    query = select(JobState).where(or_(JOB_STATE.paused == true(), JOB_STATE.skip_at.is_not(None)))
    return {row.job: row for row in session.scalars(query)}


def hold(session: Session, keys: Collection[str]) -> dict[str, JobState]:
    """The same, and no other bot decides before this transaction has ended; what is set there is stored."""
    admission.hold(session)
    return states(session, keys)


def change(session: Session, key: str, **values: Any) -> JobState:
    """Store what people said about a schedule, or about all (`EVERY`); gives what is known of it then."""
    row = hold(session, [key]).get(key)
    if row is None:
        row = JobState(job=key)
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    wake(session, "ticks")
    return row


def record(session: Session, ticks: Iterable[Tick]) -> set[tuple[str, float]]:
    """Store what became of due moments; gives the key and the time of those that were not decided before."""
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    insert = make(Tick).on_conflict_do_nothing(index_elements=["job", "at"]).returning(TICK.job, TICK.at)
    rows = [tick.model_dump(exclude={"id"}) for tick in ticks]
    return {(row[0], row[1]) for row in session.execute(insert, rows)} if rows else set()


def started(session: Session, numbers: Mapping[tuple[str, float], int]) -> None:
    """Store which runs these ticks, by key and time, became."""
    rows = [{"key": key, "moment": at, "number": number} for (key, at), number in numbers.items()]
    if rows:
        table = table_of(Tick)
        mine = (table.c.job == bindparam("key"), table.c.at == bindparam("moment"))
        session.connection().execute(update(table).where(*mine).values(run_number=bindparam("number")), rows)


def newest(session: Session, *keys: str, limit: int = 20) -> list[Tick]:
    """What became of the last due moments of these schedules, newest first."""
    found: list[Tick] = []
    for key in keys:  # one by one: of several together the database would sort all that there is
        mine = select(Tick).where(TICK.job == key).order_by(TICK.at.desc()).limit(limit)
        found += session.scalars(mine)
    return sorted(found, key=lambda tick: -tick.at)[:limit] if len(keys) > 1 else found


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` ticks decided before `before`; gives how many. They cannot come again."""
    old = select(TICK.id).where(TICK.decided_at < before).limit(limit)
    gone = session.execute(delete(Tick).where(TICK.id.in_(old)).execution_options(**_PLAIN))
    return cast("CursorResult[Any]", gone).rowcount


def _parts(names: Sequence[str]) -> Iterable[list[str]]:
    rest = iter(names)
    while part := list(islice(rest, ROWS)):
        yield part
