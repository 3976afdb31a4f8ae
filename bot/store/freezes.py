"""Freezes that people began, besides those that the file says; the end of one needs nobody to look at it."""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.orm import Session

from bot.catalog.freezes import Calendar, Scope, Standing, Subject, reason
from bot.store import holds
from bot.store.columns import FREEZE
from bot.store.prepared import Prepared
from bot.store.statements import one
from bot.store.wakeups import wake
from bot.tables import ManualFreeze

MOST = 100
"""Freezes that people may have begun at a time."""

_GOING = or_(FREEZE.until.is_(None), FREEZE.until > bindparam("now"))
_ANY = Prepared(select(FREEZE.id).where(_GOING).limit(1))


def going(session: Session, *, now: float) -> list[ManualFreeze]:
    """Those that are on, oldest first."""
    if one(session, _ANY, {"now": now}) is None:
        return []
    valid = or_(FREEZE.until.is_(None), FREEZE.until > now)
    return list(session.scalars(select(ManualFreeze).where(valid).order_by(FREEZE.id)))


def standings(session: Session, calendar: Calendar, *, now: float) -> list[Standing]:
    """All that are on, those of people first, and those of the file that are to come."""
    return [*(standing(row) for row in going(session, now=now)), *calendar.standings(now)]


def standing(row: ManualFreeze) -> Standing:
    """What somebody began, as what the file says is."""
    scope = Scope(tuple(row.jobs), tuple(row.locks), tuple(row.environments))
    return Standing(scope, row.created_at, row.until, row.why, row.actor, row.number)


def refusal(
    session: Session, calendar: Calendar, subject: Subject, *, now: float
) -> dict[str, object] | None:
    """Why nothing of `subject` starts now, as a reason that is stored, or None."""
    why = reason(standings(session, calendar, now=now), subject, now)
    return {**why, "overridable": True} if why is not None and calendar.overridable else why


def foreseen(
    session: Session, calendar: Calendar, subject: Subject, moments: Iterable[float], *, now: float
) -> dict[float, dict[str, object]]:
    """Why nothing of `subject` would start at these moments to come, of those that a freeze is known for."""
    manual = [standing(row) for row in going(session, now=now)]
    found = ((at, reason([*manual, *calendar.standings(at)], subject, at)) for at in moments)
    return {at: why for at, why in found if why is not None}


def begin(session: Session, row: ManualFreeze, *, now: float) -> ManualFreeze | None:
    """Begin one; None where there are too many. In the place of one of the same scope."""
    session.execute(delete(ManualFreeze).where(FREEZE.until <= now))
    others = [each for each in going(session, now=now) if scope_of(each) != scope_of(row)]
    if len(others) >= MOST:
        return None
    end(session, [each for each in going(session, now=now) if each not in others], now=now)
    session.add(row)
    session.flush()
    wake(session, "locks")
    return row


def end(session: Session, rows: Sequence[ManualFreeze], *, now: float) -> None:
    """End these."""
    if rows:
        session.execute(delete(ManualFreeze).where(FREEZE.id.in_([row.number for row in rows])))
        holds.thawed(session, now=now)
        wake(session, "locks")


def scope_of(row: ManualFreeze) -> Scope:
    """Of what it is."""
    return standing(row).scope
