"""How the last runs of a job went, for what is drawn of them: only the columns that a drawing shows."""

from typing import NamedTuple

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.columns import RUN

ENDED = RUN.state == literal(State.FINISHED.value, literal_execute=True)
"""Written into the statement, so that the database sees that its indexes of finished runs serve it."""


class EndedRun(NamedTuple):
    """A run that is over; `started_at` is None for one that never began. Seconds since the epoch."""

    number: int
    result: str | None
    created_at: float
    started_at: float | None
    finished_at: float | None

    @property
    def seconds(self) -> float | None:
        """How long it took, never negative; None for one that never began."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(0.0, self.finished_at - self.started_at)


def ended(session: Session, job: str, *, limit: int) -> list[EndedRun]:
    """The last `limit` runs of a job that are over, newest first."""
    columns = (RUN.number, RUN.result, RUN.created_at, RUN.started_at, RUN.finished_at)
    query = select(*columns).where(RUN.job == job, ENDED).order_by(RUN.number.desc()).limit(limit)
    return [EndedRun(*row) for row in session.execute(query)]
