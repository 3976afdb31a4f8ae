"""Claims: one conditional UPDATE gives rows to one bot for a while, whoever else asks at the same time."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from bot.store.clocks import moment
from bot.store.columns import key_of, table_of
from bot.tables import Claimable

TAKEN = 1000
"""Most runs or builds under way that one claim takes over from a bot that is gone."""

Row = TypeVar("Row", bound=Claimable)


def claim(
    session: Session,
    model: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    *,
    owner: str,
    span: tuple[float, float],
    limit: int,
) -> list[Row]:
    """Lease up to `limit` rows that meet `conditions`, are due and free; oldest due first.

    `span` is now, by which is judged what is due, and how many seconds the lease lasts. On PostgreSQL rows
    that another claim holds locked are skipped, not waited for. The choice is a CTE of its own, since a
    subquery may be run again and then choose more than `limit`. A claim counts as one of the row's
    `attempts`: who died over it is known.
    """
    if limit < 1:
        return []
    now, lease = span
    instant = moment(session, now)
    key, columns = key_of(model), table_of(model).c
    chosen = (
        select(key.label("chosen"))
        .where(*conditions, columns.due_at <= now, columns.lease_until <= instant)
        .order_by(columns.due_at, key)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("chosen")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    rows = session.scalars(
        update(model)
        .where(key.in_(select(chosen.c.chosen)))
        .values(lease_owner=owner, lease_until=instant + lease, attempts=columns.attempts + 1)
        .returning(model)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(rows, key=lambda row: (row.due_at, getattr(row, key.name)))
