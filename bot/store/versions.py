"""Versions of jobs: every definition with who made it and when; the newest row of a job is what holds."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.access.scopes import admin_rule
from bot.states import EntryKind
from bot.store import admission, journal, reviews
from bot.store.columns import REPOSITORY_FILE, table_of
from bot.store.wakeups import wake
from bot.tables import JobVersion, JournalEntry

VERSION = table_of(JobVersion).c
_LARGEST = 2**31 - 1
"""Of a version's number; PostgreSQL compares with no larger one."""


def hold(session: Session) -> None:
    """Let no other bot change a job before this transaction has ended; call it before looking at what holds.

    It is the gate's: who deletes a job also keeps others from starting it, and two locks could be taken in
    either order.
    """
    admission.hold(session)


def mark(session: Session) -> int:
    """A number that grows with every change, whichever bot made it, of the images of repositories too."""
    revisions = select(func.coalesce(func.sum(REPOSITORY_FILE.revision), 0)).scalar_subquery()
    newest = select(func.coalesce(func.max(VERSION.id), 0)).scalar_subquery()
    return int(session.scalar(select(newest + revisions)) or 0)


def newest(session: Session, names: Collection[str] | None = None) -> dict[str, JobVersion]:
    """The newest version of every job that ever was, by name, or of these; also of those that are deleted."""
    every = select(VERSION.job, func.max(VERSION.version).label("version")).group_by(VERSION.job)
    latest = (every if names is None else every.where(VERSION.job.in_(names))).subquery()
    query = select(JobVersion).join(
        latest, (VERSION.job == latest.c.job) & (VERSION.version == latest.c.version)
    )
    return {row.job: row for row in session.scalars(query)}


def of(session: Session, job: str) -> JobVersion | None:
    """The newest version of one job."""
    query = select(JobVersion).where(VERSION.job == job).order_by(VERSION.version.desc()).limit(1)
    return session.scalar(query)


def page(session: Session, job: str, *, limit: int, before: int | None = None) -> Sequence[JobVersion]:
    """Versions of one job, newest first, those before the version `before` where that is said."""
    query = select(JobVersion).where(VERSION.job == job).order_by(VERSION.version.desc()).limit(limit)
    if before is not None:
        query = query.where(VERSION.version < min(before, _LARGEST))
    return session.scalars(query).all()


def find(session: Session, job: str, definition: Mapping[str, Any]) -> int | None:
    """The newest version of a job that says this, among its last 50."""
    query = select(JobVersion).where(VERSION.job == job).order_by(VERSION.version.desc()).limit(50)
    return next((row.version for row in session.scalars(query) if row.definition == definition), None)


def add(
    session: Session,
    job: str,
    definition: Mapping[str, Any],
    *,
    source: str,
    actor: str,
    now: float,
    origin: Mapping[str, Any] | None = None,
) -> tuple[JobVersion, bool]:
    """Make `definition` the newest version unless it is that already; gives it and whether it is new.

    `origin` says of which repository it is, where it is of one.
    """
    last = of(session, job)
    is_ours = last is not None and (last.source, owner(last)) == (source, owner_of(origin))
    if last is not None and is_ours and not last.deleted and last.definition == definition:
        return last, False
    row = JobVersion(
        job=job,
        version=0,
        source=source,
        definition=dict(definition),
        actor=actor,
        created_at=now,
        origin=None if origin is None else dict(origin),
    )
    _added(session, row, last)
    before = {} if last is None or last.deleted else last.definition
    changed = sorted(key for key in {**before, **definition} if before.get(key) != definition.get(key))
    journal.record(session, [_entry(row, EntryKind.JOB_DEFINED, changed if before else [])])
    return row, True


def owner(row: JobVersion) -> int | None:
    """The number of the repository that defines the job; None for a job of the file or of the API."""
    return owner_of(row.origin)


def owner_of(origin: Mapping[str, Any] | None) -> int | None:
    """The same of what a version says of where it is from."""
    return None if origin is None else origin.get("number")


def end(session: Session, job: str, *, source: str, actor: str, now: float) -> JobVersion | None:
    """Note that a job is no more; None when it was not. The row stays: no version is ever named twice.

    One that the file lost may still be removed by somebody, which is another end.
    """
    last = of(session, job)
    if last is None or (last.deleted and source == last.source):
        return None
    row = JobVersion(
        job=job, version=0, source=source, deleted=True, actor=actor, created_at=now, origin=last.origin
    )
    _added(session, row, last)
    journal.record(session, [_entry(row, EntryKind.JOB_REMOVED)])
    return row


def forget(session: Session, job: str) -> None:
    """Empty the definitions of a job that is deleted."""
    session.execute(
        update(JobVersion)
        .where(VERSION.job == job)
        .values(definition={})
        .execution_options(synchronize_session=False)
    )


def _entry(row: JobVersion, kind: EntryKind, changed: Sequence[str] = ()) -> JournalEntry:
    """What the journal says of a version: of a change which keys it changed, and none of their values."""
    return JournalEntry(
        at=row.created_at,
        kind=kind,
        actor=row.actor,
        subject=f"job:{row.job}",
        job=row.job,
        rule="file" if row.source == "file" else admin_rule(row.actor),
        facts={"version": row.version, **({"changed": list(changed)} if changed else {})},
    )


def _added(session: Session, row: JobVersion, last: JobVersion | None) -> JobVersion:
    row.version = 1 if last is None else last.version + 1
    session.add(row)
    session.flush()
    wake(session, "jobs")
    if last is not None:  # else nothing can wait for a yes to it
        reviews.of_job(session, row.job, now=row.created_at)
    return row
