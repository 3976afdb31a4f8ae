"""Attempts: each end of one is kept apart, in the transaction that lets the run go on or finishes it.

Only runs whose job has `retries` have rows here; of all others the run itself is the one attempt. Between
two attempts the run waits and nobody holds it. It keeps its lock and its turn, as if it were under way.
"""

from collections.abc import Collection, Mapping
from typing import Any, Unpack

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.catalog.retries import Ended, decision_of
from bot.states import AGAIN, State, Wait, attempt_name, attempts_allowed
from bot.store import runs
from bot.store.columns import ATTEMPT, RUN
from bot.store.runs import RunUpdate
from bot.store.transitions import ACTIVE, FREE, RUNS
from bot.tables import Attempt, Run

_ENDED = select(func.count()).where(ATTEMPT.run_number == RUN.number).scalar_subquery()
_BEGIN = RUNS.transition(
    State.STARTING,
    ["state", "waiting_for"],
    attempt=func.coalesce(func.nullif(_ENDED, 0) + 1, RUN.attempt),
)


def begin(session: Session, number: int, *, owner: str) -> Run | None:
    """Let the next attempt of a run that `owner` holds start; None where the run may not move so."""
    return RUNS.make(session, _BEGIN, number, owner, state=State.STARTING, waiting_for=None)


def end(
    session: Session,
    number: int,
    attempt: int,
    *,
    owner: str,
    now: float,
    pause: float | None,
    **facts: Unpack[RunUpdate],
) -> Run | None:
    """Note how `attempt` of a run that `owner` holds ended; None when that is not (any more) ours to say.

    With `pause` the run waits so many seconds for the next attempt, unless somebody asked to stop it: then
    it is finished as `cancelled`. Without, it is finished as the attempt was.
    """
    mine = [RUN.number == number, RUN.attempt == attempt, RUN.lease_owner == owner]
    run = session.scalar(select(Run).where(*mine, RUN.state.in_(ACTIVE)).with_for_update())
    if run is None:
        return None
    if (begun := facts.get("started_at")) is not None:  # a node's clock may be behind
        facts["started_at"] = max(begun, run.created_at)
    row = _row(run, now, facts)
    session.add(row)
    first = run.started_at if run.started_at is not None else facts.get("started_at")
    if pause is not None and run.stop_by is None and run.state in AGAIN:
        return _wait(session, run, row, pause=pause, started_at=first, now=now)
    if pause is not None:
        facts["result"] = "cancelled"
    if first is not None:
        facts["started_at"] = first  # how long the run took counts from its first attempt
    return runs.move(session, number, State.FINISHED, owner=owner, now=now, **facts)


def _row(run: Run, now: float, facts: RunUpdate) -> Attempt:
    begun = run.started_at if run.attempt == 1 else None
    started_at, finished_at = facts.get("started_at", begun), facts.get("finished_at")
    return Attempt(
        run_number=run.identity,
        attempt=run.attempt,
        name=attempt_name(run.name, run.attempt),
        result=facts.get("result") or "error",
        reason=facts.get("reason"),
        message=facts.get("message"),
        exit_code=facts.get("exit_code"),
        tail=facts.get("tail") or [],
        started_at=started_at,
        finished_at=max(now if finished_at is None else finished_at, started_at or 0.0),
    )


def _wait(
    session: Session, run: Run, row: Attempt, *, pause: float, started_at: float | None, now: float
) -> Run | None:
    number, most = run.identity, attempts_allowed(run.definition)
    why: dict[str, Any] = {}
    if isinstance(run.definition.get("retries"), Mapping):  # a number alone has no rule to tell
        ended = Ended(row.attempt, row.result, row.reason, row.exit_code)
        decision = decision_of(run.definition, ended)
        why = {} if decision is None else {"rule": decision.rule}
    return RUNS.change(
        session,
        number,
        [],
        state=State.WAITING,
        started_at=started_at,
        due_at=now + pause,
        progress=None,
        waiting_for=Wait.ATTEMPT,
        waiting_on={"attempt": run.attempt + 1, "of": most, "pause": pause} | why,
        **FREE,
    )


def of_runs(session: Session, numbers: Collection[int]) -> dict[int, list[Attempt]]:
    """The attempts that ended of each of these runs, oldest first."""
    found: dict[int, list[Attempt]] = {number: [] for number in numbers}
    query = select(Attempt).where(ATTEMPT.run_number.in_(numbers))
    for attempt in session.scalars(query.order_by(ATTEMPT.run_number, ATTEMPT.attempt)):
        found[attempt.run_number].append(attempt)
    return found
