"""The times of a row in their order, though more than one clock told them.

The database's clock says when a run was asked for, that of a node or of another machine when its job began
and ended. These may differ by seconds; nothing starts before it was asked for, or ends before it started.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Double, case, func, literal


def in_order(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the `values` of an UPDATE with no time before the one that it follows; `row`: `RUN` or `BUILD`.

    A time may be a parameter of the statement, of which nothing is known yet.
    """
    found = dict(values)
    if found.get("started_at") is not None:
        found["started_at"] = _not_before(row.created_at, found["started_at"])
    if found.get("finished_at") is not None:
        stated = [] if found.get("started_at") is None else [found["started_at"]]
        begun = func.coalesce(*stated, row.started_at, row.created_at)
        found["finished_at"] = _not_before(begun, found["finished_at"])
    return found


def _not_before(earliest: Any, time: float | ColumnElement[float]) -> ColumnElement[float]:
    stated = time if isinstance(time, ColumnElement) else literal(time, Double)
    return case((earliest > stated, earliest), else_=stated)
