"""Claims: one conditional UPDATE gives rows to one bot for a while, whoever else asks at the same time."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import CTE, ColumnElement, case, func, select, union_all, update
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
    chosen = _chosen(session, model, conditions, now=span[0], limit=limit)
    return _lease(session, model, select(chosen.c.chosen), owner=owner, span=span)


def claim_with_begun(
    session: Session,
    model: type[Row],
    parts: tuple[Sequence[ColumnElement[bool]], Sequence[ColumnElement[bool]]],
    *,
    owner: str,
    span: tuple[float, float],
    limit: int,
) -> list[Row]:
    """Lease all rows (up to `TAKEN`) that meet the first of `parts`, then of the second up to `limit` in all.

    In one statement: mostly there is nothing of the first, and asking for it apart costs a third of the rate.
    """
    begun = _chosen(session, model, parts[0], now=span[0], limit=TAKEN, name="begun")
    taken = select(func.count()).select_from(begun).scalar_subquery()
    left = case((taken < limit, limit - taken), else_=0)
    fresh = _chosen(session, model, parts[1], now=span[0], limit=left, name="fresh")
    both = union_all(select(begun.c.chosen), select(fresh.c.chosen))
    return _lease(session, model, both, owner=owner, span=span)


def _chosen(
    session: Session,
    model: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    *,
    now: float,
    limit: int | ColumnElement[int],
    name: str = "chosen",
) -> CTE:
    key, columns = key_of(model), table_of(model).c
    return (
        select(key.label("chosen"))
        .where(*conditions, columns.due_at <= now, columns.lease_until <= moment(session, now))
        .order_by(columns.due_at, key)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte(name)
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


def _lease(
    session: Session, model: type[Row], chosen: Any, *, owner: str, span: tuple[float, float]
) -> list[Row]:
    key, columns = key_of(model), table_of(model).c
    until = moment(session, span[0]) + span[1]
    rows = session.scalars(
        update(model)
        .where(key.in_(chosen))
        .values(lease_owner=owner, lease_until=until, attempts=columns.attempts + 1)
        .returning(model)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(rows, key=lambda row: (row.due_at, getattr(row, key.name)))
