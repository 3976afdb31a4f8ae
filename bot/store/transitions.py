"""The conditional UPDATE that every change of a run is, and the stop that somebody asks for."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, update
from sqlalchemy.orm import Session

from bot.states import State
from bot.store import posts
from bot.store.clocks import moment
from bot.store.columns import RUN, table_of
from bot.store.statements import rows_of
from bot.store.times import in_order
from bot.store.wakeups import changed, ring
from bot.tables import Run

QUEUED = (State.WAITING, State.BUILDING)
"""States of a run that the engine knows nothing of yet."""
ACTIVE = (State.STARTING, State.RUNNING, State.STOPPING)
UNFINISHED = (*QUEUED, *ACTIVE)

FREE: dict[str, Any] = {"lease_owner": None, "lease_until": 0.0}
"""Nobody holds it."""


def change(session: Session, number: int, conditions: Sequence[Any], **values: Any) -> Run | None:
    """Change one run if it meets `conditions`; what changed is shown on the run's cards."""
    rows = change_all(session, [RUN.number == number, *conditions], **values)
    return rows[0] if rows else None


def change_all(session: Session, conditions: Sequence[Any], **values: Any) -> Sequence[Run]:
    """Change every run that meets `conditions`, and show it; gives them as they are now."""
    return _changed(session, _update(conditions, values), {}, urgent=_is_end(values))


def transition(conditions: Sequence[Any], names: Iterable[str], **expressions: ColumnElement[Any]) -> Any:
    """The statement of a change that is made often, to be kept and given to `make`.

    It takes the columns `names` from `make`, computes `expressions`, and the parameters of
    `conditions` are `of`, the run's number, and `owner`.
    """
    values = {name: bindparam(f"new_{name}", type_=RUN[name].type) for name in names}
    return _update(conditions, {**values, **expressions})


def make(session: Session, statement: Any, number: int, owner: str, **values: Any) -> Run | None:
    """Make the change of a `transition` to one run; None where the run does not meet its conditions."""
    new = {f"new_{name}": value for name, value in values.items()}
    parameters = {"of": number, "owner": owner, **new}
    rows = _changed(session, statement, parameters, urgent=_is_end(values))
    return rows[0] if rows else None


def _update(conditions: Sequence[Any], values: dict[str, Any]) -> Any:
    runs = table_of(Run)
    return update(runs).where(*conditions).values(**in_order(RUN, values)).returning(*runs.c)


def _is_end(values: dict[str, Any]) -> bool:
    return values.get("state") == State.FINISHED


def _changed(session: Session, statement: Any, parameters: dict[str, Any], *, urgent: bool) -> Sequence[Run]:
    rows = rows_of(session, Run, statement, parameters)
    if rows:
        posts.want(session, runs=[row.identity for row in rows], urgent=urgent)
        changed(session, *rows)
    return rows


def end_unbegun(session: Session, number: int, *, by: str, now: float) -> Run | None:
    """End a run that nobody began; None where somebody did, or where it has ended."""
    unclaimed = [
        RUN.state.in_(QUEUED),
        or_(RUN.lease_owner.is_(None), RUN.lease_until <= moment(session, now)),
    ]
    end = {"state": State.FINISHED, "result": "cancelled", "finished_at": now, "waiting_for": None}
    return change(session, number, unclaimed, stop_by=by, **end, **FREE)


def ask_to_stop(session: Session, number: int, *, by: str) -> Run | None:
    """Ask whoever holds an unfinished run to stop it; None where somebody asked before."""
    run = change(session, number, [RUN.state != State.FINISHED, RUN.stop_by.is_(None)], stop_by=by)
    if run is not None:
        ring(session, "stops")
    return run
