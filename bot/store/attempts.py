"""Attempts: each end of one is kept apart, in the transaction that lets the run go on or finishes it.

Only runs whose job has `retries` have rows here; of all others the run itself is the one attempt.
"""

from collections.abc import Collection
from typing import Unpack

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.runs import AGAIN, State, attempt_name
from bot.store import posts, runs
from bot.store.bells import changed
from bot.store.columns import ATTEMPT, RUN
from bot.store.runs import Facts
from bot.tables import Attempt, Run


def end(
    session: Session,
    number: int,
    attempt: int,
    *,
    owner: str,
    now: float,
    again: bool,
    **facts: Unpack[Facts],
) -> Run | None:
    """Note how `attempt` of a run that `owner` holds ended; None when that is not (any more) ours to say.

    The run goes back to `starting` with the next attempt if `again`, unless somebody asked to stop it:
    then it is finished as `cancelled`. Without `again` it is finished as the attempt was.
    """
    held = [RUN.number == number, RUN.attempt == attempt, RUN.lease_owner == owner]
    run = session.scalar(select(Run).where(*held, RUN.state != State.FINISHED).with_for_update())
    if run is None:
        return None
    session.add(_row(run, now, facts))
    first = run.started_at if run.started_at is not None else facts.get("started_at")
    if again and run.stop_by is None and run.state in AGAIN:
        return _next(session, run, first)
    if again:
        facts["result"] = "cancelled"
    if first is not None:
        facts["started_at"] = first  # how long the run took counts from its first attempt
    return runs.move(session, number, State.FINISHED, owner=owner, now=now, **facts)


def _row(run: Run, now: float, facts: Facts) -> Attempt:
    begun = run.started_at if run.attempt == 1 else None
    finished_at = facts.get("finished_at")
    return Attempt(
        run_number=run.identity,
        attempt=run.attempt,
        name=attempt_name(run.name, run.attempt),
        result=facts.get("result") or "error",
        reason=facts.get("reason"),
        message=facts.get("message"),
        exit_code=facts.get("exit_code"),
        tail=facts.get("tail") or [],
        started_at=facts.get("started_at", begun),
        finished_at=now if finished_at is None else finished_at,
    )


def _next(session: Session, run: Run, started_at: float | None) -> Run | None:
    number = run.identity
    moved = session.scalar(
        update(Run)
        .where(RUN.number == number)
        .values(state=State.STARTING, attempt=run.attempt + 1, started_at=started_at, waiting_for=None)
        .returning(Run)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if moved is not None:
        posts.want(session, runs=[number])
        changed(session, moved)
    return moved


def of_runs(session: Session, numbers: Collection[int]) -> dict[int, list[Attempt]]:
    """The attempts that ended of each of these runs, oldest first."""
    found: dict[int, list[Attempt]] = {number: [] for number in numbers}
    query = select(Attempt).where(ATTEMPT.run_number.in_(numbers))
    for attempt in session.scalars(query.order_by(ATTEMPT.run_number, ATTEMPT.attempt)):
        found[attempt.run_number].append(attempt)
    return found
