"""Who looks through what GitHub recorded, and how far that was done: one bot of all, once in a while."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.claims import Claim
from bot.store.columns import DELIVERY, DELIVERY_SCAN, table_of
from bot.store.leases import LeaseLost
from bot.tables import DeliveryScan

_CLAIM = Claim(DeliveryScan, [])
_SEVERAL = 100
"""Apps, of which all but one were given up."""


def begin(session: Session, source: str, *, now: float) -> None:
    """From `now` on nothing of `source` is missed, what was sent before the first time is of before Errand.

    The next look is due at once, as soon as nobody looks.
    """
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = DeliveryScan(source=source, mark=now).model_dump(exclude={"id"})
    new = make(table_of(DeliveryScan)).values(values)
    session.execute(new.on_conflict_do_update(index_elements=["source"], set_={"due_at": 0.0}))


def claim(session: Session, source: str, *, owner: str, now: float, lease: float) -> DeliveryScan | None:
    """The look that is due for `source`, for `lease` seconds; None where it is not due, or another bot's."""
    rows = _CLAIM.take(session, owner=owner, span=(now, lease), limit=_SEVERAL)
    return next((row for row in rows if row.source == source), None)


def settle(session: Session, id: int, *, owner: str, mark: float, due_at: float) -> None:
    """Note how far a look that `owner` holds came, and when the next is due; raises `LeaseLost`."""
    mine = update(DeliveryScan).where(DELIVERY_SCAN.id == id, DELIVERY_SCAN.lease_owner == owner)
    changed = session.execute(
        mine.values(
            mark=mark,
            due_at=due_at,
            attempts=0,
            lease_owner=None,
            lease_until=0.0,
        ).returning(DELIVERY_SCAN.id)
    )
    if changed.first() is None:
        raise LeaseLost(f"the look through deliveries is not held by {owner}")


def missing(session: Session, keys: Collection[str]) -> set[str]:
    """Those of a few hundred keys of which no delivery is here."""
    return set(keys) - set(session.scalars(select(DELIVERY.key).where(DELIVERY.key.in_(keys))))
