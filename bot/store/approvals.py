"""What people said of runs that wait for a yes: each person once a run, and what that comes to."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.access import people
from bot.states import Hold
from bot.store import admission, holds
from bot.store.columns import APPROVAL
from bot.store.transitions import RUNS
from bot.tables import Approval, Run

YES, NO = "yes", "no"
LOOKED_AT = 200
"""Held runs that are looked through for one person."""


def of_run(session: Session, run: int) -> Sequence[Approval]:
    """All that was said of a run and still counts, oldest first."""
    mine = select(Approval).where(APPROVAL.run == run, APPROVAL.lost.is_(False))
    return session.scalars(mine.order_by(APPROVAL.id)).all()


def has_said(session: Session, run: int, actor: str) -> bool:
    """Whether somebody has said something of a run that counts still."""
    return session.scalar(select(APPROVAL.id).where(APPROVAL.run == run, *_of(actor))) is not None


def concerns(session: Session, run: int, actor: str) -> bool:
    """Whether a run waits for a yes, or somebody has said yes or no to it."""
    row = session.get(Run, run)
    if row is None or row.approval is None:
        return False
    return row.hold == Hold.APPROVAL or has_said(session, run, actor)


def awaited(session: Session, jobs: Collection[str], actor: str, *, limit: int) -> list[Run]:
    """Up to `limit` runs of these jobs that wait for a yes of `actor`, who has said nothing to them yet.

    Those first that were asked for first, and none that they asked for themselves.
    """
    if not jobs:
        return []
    found = []
    for row in holds.of_kind(session, Hold.APPROVAL, limit=LOOKED_AT, jobs=jobs):
        is_for_pages = "page" in (row.approval or {}).get("on", ())
        if is_for_pages and not people.is_same(row.actor, actor):
            found.append(row)
    answered = set(
        session.scalars(select(APPROVAL.run).where(*_of(actor), APPROVAL.run.in_(_numbers(found))))
    )
    return [row for row in found if row.identity not in answered][:limit]


def _numbers(rows: Sequence[Run]) -> list[int]:
    return [row.identity for row in rows]


def _of(actor: str) -> tuple[Any, ...]:
    """What somebody said and counts still."""
    return (APPROVAL.person == people.identity(actor), APPROVAL.lost.is_(False))


def hold(session: Session) -> None:
    """Let nobody else say anything before this transaction has ended; call it before anything is read."""
    admission.hold(session)


def add(session: Session, row: Approval) -> bool:
    """Note what a person said of a run; False where they said so before, whatever they came through.

    Who had lost the right and has it again says it anew.
    """
    mine = (APPROVAL.run == row.run, APPROVAL.person == row.person)
    known = session.scalar(select(Approval).where(*mine))
    if known is not None and not known.lost and known.bound == row.bound:
        return False
    if known is None:
        session.add(row)
    else:
        for name in ("actor", "cause", "verdict", "at", "bound", "rule"):
            setattr(known, name, getattr(row, name))
        known.lost = False
    session.flush()
    return True


def lose(session: Session, rows: Collection[int]) -> None:
    """These count no longer: who said it may not say it any more."""
    gone = update(Approval).where(APPROVAL.id.in_(rows)).values(lost=True)
    session.execute(gone.execution_options(synchronize_session="fetch"))


def note(
    session: Session,
    run: Run,
    yeses: Sequence[Approval],
    *,
    due_at: float | None = None,
    released: float | None = None,
) -> Run | None:
    """Show on a held run who said yes so far; `due_at`: look at it then, `released`: it is now."""
    approval = dict(run.approval or {}) | {"given": [given_by(row) for row in yeses]}
    if released is not None:
        approval["released"] = released
    on = dict(run.waiting_on or {}) | {
        "count": max(approval["count"] - len(yeses), 0),
        "given": [row.actor for row in yeses],
    }
    values = {} if due_at is None else {"due_at": due_at}
    return RUNS.change(
        session, run.identity, holds.held_by(Hold.APPROVAL), approval=approval, waiting_on=on, **values
    )


def given_by(row: Approval) -> dict[str, object]:
    """A yes as it stays with the run."""
    return {"actor": row.actor, "cause": row.cause, "at": row.at}
