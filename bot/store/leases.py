"""Leases: who holds a row must say so again before its time is up, or somebody else takes it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.clocks import moment
from bot.store.columns import BUILD, DELIVERY, POST, REPOSITORY_FILE, RUN, key_of, table_of
from bot.store.wakeups import Queue, wake
from bot.tables import Build, Claimable, Delivery, Post, RepositoryFile, Run

_UNFINISHED = tuple(state for state in State if state is not State.FINISHED)
_OPEN: tuple[tuple[type[Claimable], Queue, Any], ...] = (
    (Delivery, "deliveries", DELIVERY.state == "stored"),
    (Build, "builds", BUILD.state.in_(_UNFINISHED)),
    (Run, "runs", RUN.state.in_(_UNFINISHED)),
    (Post, "posts", POST.state == "open"),
    (RepositoryFile, "repositories", REPOSITORY_FILE.wanted > REPOSITORY_FILE.read),
)


class LeaseLost(Exception):
    """What was to be stored of a row is another bot's to say by now; nothing of it was."""


@dataclass(frozen=True, slots=True)
class LeaseRenewal:
    """What is still ours, and which of it somebody asked to stop."""

    ours: frozenset[int]
    stopping: frozenset[int]


def renew(
    session: Session, table: type[Claimable], *, owner: str, ids: Collection[int], now: float, lease: float
) -> LeaseRenewal:
    """Hold rows for `lease` seconds more; those missing from the answer belong to somebody else now."""
    if not ids:
        return LeaseRenewal(frozenset(), frozenset())
    key, columns = key_of(table), table_of(table).c
    stop_by = columns.get("stop_by")
    rows = session.execute(
        update(table)
        .where(key.in_(ids), columns.lease_owner == owner)
        .values(lease_until=moment(session, now) + lease)
        .returning(key, *([] if stop_by is None else [stop_by]))
        .execution_options(synchronize_session=False)
    ).all()
    return LeaseRenewal(
        frozenset(row[0] for row in rows),
        frozenset(row[0] for row in rows if len(row) > 1 and row[1] is not None),
    )


def release(session: Session, *, owner: str) -> None:
    """At shutdown: everything that `owner` holds may be claimed at once, and whoever can is told."""
    for table, queue, open_ in _OPEN:
        if _free(session, table, open_, table_of(table).c.lease_owner == owner):
            wake(session, queue)


def release_all(session: Session) -> None:
    """At the start of a store that is alone: whoever held something is dead."""
    for table, _, open_ in _OPEN:
        _free(session, table, open_, table_of(table).c.lease_owner.is_not(None))


def _free(session: Session, table: type[Claimable], *conditions: Any) -> bool:
    # Reading first keeps a start without leases from writing, and the open rows are few.
    key = key_of(table)
    keys = session.scalars(select(key).where(*conditions)).all()
    if keys:
        session.execute(
            update(table)
            .where(key.in_(keys), *conditions)
            .values(lease_owner=None, lease_until=0.0)
            .execution_options(synchronize_session=False)
        )
    return bool(keys)
