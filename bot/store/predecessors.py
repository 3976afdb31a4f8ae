"""Whether a job has succeeded for a commit or an image: what others wait for. Each is a step of an index."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.catalog.chains import After
from bot.store.columns import RUN
from bot.tables import Run
from executor.spec import Result


@dataclass(frozen=True, slots=True)
class Version:
    """What a run is of: a full commit, and what exactly its image is; None where that is not known (yet)."""

    commit: str | None
    digest: str | None


def missing(session: Session, after: After, version: Version, *, now: float) -> dict[str, Any] | None:
    """What of `after` does not hold, as facts of a reason; None where it holds, or nobody can say yet."""
    value = version.commit if after.of == "commit" else version.digest
    facts = {"kind": "after", "after": after.job, "of": after.of, "value": value, "within": after.within}
    if value is None:
        return facts if after.of == "commit" else None
    mine = [RUN.job == after.job, (RUN.commit if after.of == "commit" else RUN.digest) == value]
    newest = select(Run).where(*mine).order_by(RUN.number.desc()).limit(1)
    succeeded = session.scalar(newest.where(RUN.result == Result.SUCCEEDED))
    if succeeded is not None and (after.within is None or _ended(succeeded) >= now - after.within):
        return None
    if succeeded is not None:
        return facts | {"run": succeeded.number, "ended": _ended(succeeded)}
    last = session.scalar(newest)
    return facts if last is None else facts | {"run": last.number, "state": last.state, "result": last.result}


def _ended(run: Run) -> float:
    return run.created_at if run.finished_at is None else run.finished_at
