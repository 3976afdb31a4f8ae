"""What happened in repositories: each thing decided once, with what became of it for each job."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from bot.store import admission
from bot.store.columns import OCCURRENCE, RUN
from bot.store.transitions import UNFINISHED
from bot.tables import OccurrenceSeen, Run

ECHO_SECONDS = 600.0
"""Within which two webhooks tell of the same thing, a redelivery by hand aside."""
JOBS = 100
"""Jobs whose runs count together for one deployment."""


def place(session: Session, row: OccurrenceSeen) -> bool:
    """Store what happened and number it; False where it was decided before.

    No other bot decides it before the transaction has ended; the lock is the gate's, as for pushes.
    """
    admission.hold(session)
    same = (OCCURRENCE.repository == row.repository, OCCURRENCE.key == row.key)
    if session.scalar(select(OCCURRENCE.id).where(*same)) is not None:
        return False
    session.add(row)
    session.flush()
    return True


def get(session: Session, id: int) -> OccurrenceSeen | None:
    """What happened under this number."""
    return session.get(OccurrenceSeen, id)


def current_runs(session: Session, id: int) -> Sequence[Run]:
    """The newest run of each job that an occurrence started, repetitions of the same commit among them."""
    first = select(RUN.commit).where(RUN.occurrence == id).order_by(RUN.number).limit(1).scalar_subquery()
    same = (RUN.occurrence == id, RUN.commit.is_not_distinct_from(first))
    newest = select(func.max(RUN.number)).where(*same).group_by(RUN.job).limit(JOBS)
    return session.scalars(select(Run).where(RUN.number.in_(newest)).order_by(RUN.number)).all()


def is_echo(session: Session, row: OccurrenceSeen, echoes: str) -> bool:
    """Whether another webhook has told of `row`, whose key is `echoes`, who tells, and the delivery.

    Of two that tell the same things each tells all of them, so the one that told less often says nothing new.
    """
    since = row.received_at - ECHO_SECONDS
    same = (OCCURRENCE.repository == row.repository, OCCURRENCE.received_at >= since)
    keys = session.scalars(
        select(OCCURRENCE.key).where(*same, OCCURRENCE.key.startswith(echoes, autoescape=True))
    )
    counts = Counter(key.removeprefix(echoes).partition(":")[0] for key in keys)
    mine = row.key.removeprefix(echoes).partition(":")[0]
    return any(counts[mine] <= count for source, count in counts.items() if source != mine)


def is_superseded(session: Session, row: OccurrenceSeen) -> bool:
    """Whether a later deployment to the environment of `row` was decided before."""
    if row.event != "deployment" or row.deployment is None:
        return False
    same = (OCCURRENCE.repository == row.repository, OCCURRENCE.environment == row.environment)
    later = (OCCURRENCE.event == "deployment", OCCURRENCE.deployment > row.deployment)
    return session.scalar(select(OCCURRENCE.id).where(*same, *later).limit(1)) is not None


def is_over(session: Session, row: OccurrenceSeen) -> bool:
    """Whether the pull request of `row` was pushed to again, or closed, later than that happened.

    Within one second closing it came later, unless `row` is that it was closed, or opened again.
    """
    if row.event != "pull_request" or row.at is None:
        return False
    here = f"pull_request:{row.pull}:"
    closed, pushed = (OCCURRENCE.key.like(f"{here}{action}:%") for action in ("closed", "synchronize"))
    later = (OCCURRENCE.at > row.at) & (closed | pushed)
    if not row.key.startswith((f"{here}closed:", f"{here}reopened:")):
        later |= (OCCURRENCE.at == row.at) & closed
    same = (OCCURRENCE.repository == row.repository, OCCURRENCE.pull == row.pull)
    return session.scalar(select(OCCURRENCE.id).where(*same, later).limit(1)) is not None


def runs_to_end(
    session: Session, row: OccurrenceSeen, repository: str, jobs: Collection[str]
) -> Sequence[int]:
    """The runs of `jobs` that the pull request of `row` started before that, and that have not ended."""
    before = OCCURRENCE.id < row.id if row.at is None else OCCURRENCE.at <= row.at
    earlier = (before, OCCURRENCE.id != row.id, OCCURRENCE.event == "pull_request")
    found = select(RUN.number).join(OccurrenceSeen, OCCURRENCE.id == RUN.occurrence)
    of_it = (RUN.repository == repository, RUN.pull_request == row.pull, RUN.job.in_(sorted(jobs)))
    return session.scalars(found.where(RUN.state.in_(UNFINISHED), *of_it, *earlier)).all()


def newest(session: Session, *, repositories: Collection[str], limit: int) -> Sequence[OccurrenceSeen]:
    """The last things that happened in a repository (by its number and its name) and concerned a job."""
    mine = select(OccurrenceSeen).where(OCCURRENCE.repository.in_(repositories))
    return session.scalars(mine.order_by(OCCURRENCE.id.desc()).limit(limit)).all()


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` occurrences of before a moment, but none that a run names."""
    old = select(OCCURRENCE.id).where(OCCURRENCE.received_at < before, ~_named()).limit(limit)
    gone = session.execute(
        delete(OccurrenceSeen).where(OCCURRENCE.id.in_(old)).execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", gone).rowcount


def strip(session: Session, *, before: float, limit: int) -> int:
    """Forget what up to `limit` older occurrences brought for runs that are no longer kept."""
    bulky = (OCCURRENCE.received_at < before, OCCURRENCE.payload.is_not(None), ~_named())
    old = select(OCCURRENCE.id).where(*bulky).limit(limit)
    done = session.execute(
        update(OccurrenceSeen)
        .where(OCCURRENCE.id.in_(old))
        .values(payload=None)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", done).rowcount


def _named() -> Any:
    return select(RUN.number).where(RUN.occurrence == OCCURRENCE.id).exists()
