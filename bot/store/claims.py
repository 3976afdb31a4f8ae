"""Claims: one conditional UPDATE gives rows to one bot for a while, whoever else asks at the same time."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import CTE, ColumnElement, Double, Integer, bindparam, case, func, select, union_all, update
from sqlalchemy.orm import Session

from bot.store.clocks import counted_by_database, moment_of
from bot.store.columns import key_of, table_of
from bot.store.prepared import Prepared
from bot.store.statements import rows_of
from bot.tables import Claimable

TAKEN = 1000
"""Most runs or builds under way that one claim takes over from a bot that is gone."""

Row = TypeVar("Row", bound=Claimable)

_NOW: Any = bindparam("now", type_=Double)
_LIMIT: Any = bindparam("limit", type_=Integer)


class Claim(Generic[Row]):
    """Leases rows of one table that meet `conditions`, are due and free; oldest due first, or in `order`.

    With `begun`, rows that meet these conditions are taken before, all of them (up to `TAKEN`), and count for
    the limit of the others. In one statement: mostly there are none, and asking apart costs a third of the
    rate. On PostgreSQL rows that another claim holds locked are skipped, not waited for. The choice is a CTE
    of its own, since a subquery may be run again and then choose more than the limit. A claim counts as one
    of the row's `attempts`: who died over it is known.
    """

    def __init__(
        self,
        model: type[Row],
        conditions: Sequence[ColumnElement[bool]],
        *,
        begun: Sequence[ColumnElement[bool]] | None = None,
        order: Sequence[ColumnElement[Any]] = (),
    ) -> None:
        self._model = model
        self._conditions = conditions
        self._begun = begun
        self._order = order or (table_of(model).c.due_at, key_of(model))
        self._statements: dict[bool, Prepared] = {}
        """By whether the database's clock counts; each is made when it is needed first."""

    def take(self, session: Session, *, owner: str, span: tuple[float, float], limit: int) -> list[Row]:
        """Up to `limit` rows for `owner`; without a limit (below 1) only those that have begun.

        `span` is now, by which is judged what is due, and how many seconds the lease lasts.
        """
        if limit < 1 and self._begun is None:
            return []
        by_database = counted_by_database(session)
        if by_database not in self._statements:
            self._statements[by_database] = Prepared(self._statement(moment_of(by_database, _NOW)))
        parameters = {"owner": owner, "now": span[0], "lease": span[1], "limit": limit}
        rows = rows_of(session, self._model, self._statements[by_database], parameters)
        return sorted(rows, key=lambda row: (row.due_at, row.identity))

    def _statement(self, moment: ColumnElement[float]) -> Any:
        table, key = table_of(self._model), key_of(self._model)
        return (
            update(table)
            .where(key.in_(self._chosen(moment)))
            .values(
                lease_owner=bindparam("owner"),
                lease_until=moment + bindparam("lease", type_=Double),
                attempts=table.c.attempts + 1,
            )
            .returning(*table.c)
        )

    def _chosen(self, moment: ColumnElement[float]) -> Any:
        if self._begun is None:
            return select(self._choice(self._conditions, moment, _LIMIT, "chosen").c.chosen)
        begun = self._choice(self._begun, moment, TAKEN, "begun")
        taken = select(func.count()).select_from(begun).scalar_subquery()
        left = case((taken < _LIMIT, _LIMIT - taken), else_=0)
        fresh = self._choice(self._conditions, moment, left, "fresh")
        return union_all(select(begun.c.chosen), select(fresh.c.chosen))

    def _choice(
        self, conditions: Sequence[ColumnElement[bool]], moment: ColumnElement[float], limit: Any, name: str
    ) -> CTE:
        key, columns = key_of(self._model), table_of(self._model).c
        return (
            select(key.label("chosen"))
            .where(*conditions, columns.due_at <= _NOW, columns.lease_until <= moment)
            .order_by(*self._order)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte(name)
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
