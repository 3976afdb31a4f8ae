"""The conditional UPDATE that every change of a run or build is: moves, and the stop that is asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypedDict, TypeVar

from sqlalchemy import ColumnElement, bindparam, case, or_, update
from sqlalchemy.orm import Session

from bot.states import State, Wait, build_sources, run_sources
from bot.store import chains, journal, journal_entries, occasions, posts, run_locks
from bot.store.clocks import moment
from bot.store.columns import among, key_of, table_of
from bot.store.journal_entries import NONE, Grounds
from bot.store.posts import Wish
from bot.store.prepared import Prepared
from bot.store.statements import rows_of
from bot.store.times import in_order
from bot.store.wakeups import changed, wake
from bot.tables import Build, Run

QUEUED = (State.WAITING, State.BUILDING)
"""States of a run that the engine knows nothing of yet."""
ACTIVE = (State.STARTING, State.RUNNING, State.STOPPING)
UNFINISHED = (*QUEUED, *ACTIVE)

FREE: dict[str, Any] = {"lease_owner": None, "lease_until": 0.0}
"""Nobody holds it."""

_WHY = ("reason", "message")

Row = TypeVar("Row", Run, Build)


class Update(TypedDict, total=False):
    """What may become known of a run or a build together with a move."""

    result: str | None
    reason: str | None
    message: str | None
    exit_code: int | None
    digest: str | None
    tail: list[str]
    started_at: float | None
    finished_at: float | None


class Transitions(Generic[Row]):
    """The changes of one table: what changed is shown on the row's cards, and to whoever watches it.

    `unbegun` are the states of what nobody has to stop, `sources` gives those from which a row may move, and
    with `begun` its time starts. The columns `waiting` are empty in every state but `waiting`, `holding` once
    it has ended.
    """

    def __init__(
        self,
        model: type[Row],
        unbegun: Sequence[State],
        begun: State,
        sources: Callable[[State], Sequence[State]],
        *,
        waiting: Sequence[str] = (),
        holding: Sequence[str] = (),
    ) -> None:
        self._model: type[Row] = model
        self._table, self._key = table_of(model), key_of(model)
        self._unbegun = unbegun
        self._begun = begun
        self._sources = sources
        self._waiting = waiting
        self._holding = holding
        self._moves: dict[tuple[State, frozenset[str], bool], Prepared] = {}

    def change(self, session: Session, number: int, conditions: Sequence[Any], **values: Any) -> Row | None:
        """Change one row if it meets `conditions`."""
        rows = self.change_all(session, [self._key == number, *conditions], **values)
        return rows[0] if rows else None

    def change_all(self, session: Session, conditions: Sequence[Any], **values: Any) -> Sequence[Row]:
        """Change every row that meets `conditions`; gives them as they are now."""
        return self._changed(session, self._update(conditions, values), {}, _wish(values))

    def transition(self, to: State, names: Iterable[str], **expressions: ColumnElement[Any]) -> Prepared:
        """The statement of a move to `to` that is made often, to be kept and given to `make`.

        It takes the columns `names` from `make`, and computes `expressions`.
        """
        mine: list[Any] = [self._key == bindparam("of"), self._table.c.lease_owner == bindparam("owner")]
        values = {name: self._parameter(name) for name in names}
        conditions = [*mine, among(self._table.c.state, self._sources(to))]
        return Prepared(self._update(conditions, {**values, **expressions}))

    def make(
        self, session: Session, statement: Prepared, number: int, owner: str, **values: Any
    ) -> Row | None:
        """Make a `transition` of a row that `owner` holds; None where it is not held, or may not move so."""
        new = {f"new_{name}": value for name, value in values.items()}
        parameters = {"of": number, "owner": owner, **new}
        rows = self._changed(session, statement, parameters, _wish(values))
        return rows[0] if rows else None

    def move(
        self, session: Session, number: int, to: State, *, owner: str, now: float, facts: Mapping[str, Any]
    ) -> Row | None:
        """Move a row that `owner` holds; None when it is not held, not there, or may not move so.

        Its start and its end are noted as `now` unless `facts` give them; the end frees the lease. What is
        cancelled may know why, as that something else took its place, and keeps that.
        """
        values = {**facts, "state": to}
        if to is self._begun:
            values.setdefault("started_at", now)
        if to is State.STOPPING:
            values["stopping_at"] = now
        if to is not State.WAITING:
            values = dict.fromkeys(self._waiting) | values
        if to is State.FINISHED:
            values = {"finished_at": now} | values | FREE
        cancelled = values.get("result") == "cancelled"
        if cancelled:
            values = dict.fromkeys(_WHY) | values
        move = (to, frozenset(values), cancelled)
        if move not in self._moves:
            known = {name: self._known(name) for name in _WHY if cancelled}
            self._moves[move] = self.transition(to, move[1], **known)
        return self.make(session, self._moves[move], number, owner, **values)

    def request_stop(
        self, session: Session, number: int, *, by: str, grounds: Grounds, now: float
    ) -> tuple[Row, bool]:
        """End a row that nobody began at once, else ask its holder to stop it; `LookupError` if unknown.

        Gives it as it is then, and whether it was ended. One that has finished stays as it is; one that was
        asked to stop before keeps who asked first.
        """
        row = self.end_unbegun(session, number, by=by, grounds=grounds, now=now, stop_by=by)
        if row is not None:
            return row, True
        if (row := self.ask_to_stop(session, number, by=by, grounds=grounds, now=now)) is not None:
            return row, False
        if (row := session.get(self._model, number)) is None:
            raise LookupError(f"no {self._model.kind} #{number}")
        return row, False

    def end_unbegun(
        self,
        session: Session,
        number: int,
        conditions: Sequence[Any] = (),
        *,
        by: str | None = None,
        grounds: Grounds = NONE,
        now: float,
        **values: Any,
    ) -> Row | None:
        """End a row that nobody began as cancelled; None where somebody did, or where it has ended.

        The journal says who wanted that, where somebody did, and by which rule.
        """
        end = {"state": State.FINISHED, "result": "cancelled", "finished_at": now, **FREE}
        end |= dict.fromkeys((*self._waiting, *self._holding))
        row = self.change(session, number, [*conditions, *self.unbegun(session, now)], **end, **values)
        if row is not None and by is not None:
            journal.record(session, [journal_entries.cancelled(row, by, grounds, now)])
        return row

    def ask_to_stop(
        self,
        session: Session,
        number: int,
        conditions: Sequence[Any] = (),
        *,
        by: str,
        grounds: Grounds = NONE,
        now: float,
        **values: Any,
    ) -> Row | None:
        """Ask whoever holds an unfinished row to stop it; None where somebody asked before."""
        columns = self._table.c
        unasked: list[Any] = [columns.state != State.FINISHED, columns.stop_by.is_(None)]
        row = self.change(session, number, [*conditions, *unasked], stop_by=by, **values)
        if row is not None:
            wake(session, "stops")
            journal.record(session, [journal_entries.cancelled(row, by, grounds, now)])
        return row

    def unbegun(self, session: Session, now: float) -> list[ColumnElement[bool]]:
        """The conditions of what nobody began and nobody is about to begin."""
        columns = self._table.c
        free = or_(columns.lease_owner.is_(None), columns.lease_until <= moment(session, now))
        return [columns.state.in_(self._unbegun), free]

    def _parameter(self, name: str) -> Any:
        return bindparam(f"new_{name}", type_=self._table.c[name].type)

    def _known(self, name: str) -> ColumnElement[Any]:
        columns = self._table.c
        return case((columns.reason.is_not(None), columns[name]), else_=self._parameter(name))

    def _update(self, conditions: Sequence[Any], values: Mapping[str, Any]) -> Any:
        columns = self._table.c
        return update(self._table).where(*conditions).values(**in_order(columns, values)).returning(*columns)

    def _changed(
        self, session: Session, statement: Any, parameters: Mapping[str, Any], wish: Wish
    ) -> Sequence[Row]:
        rows = rows_of(session, self._model, statement, parameters)
        if rows:
            posts.want(session, self._model.kind, [row.identity for row in rows], wish)
            changed(session, *rows)
            for row in rows:
                if isinstance(row, Run):
                    run_locks.follow(session, row)
                occasions.moved(session, row)
                chains.moved(session, row, wish)
            if wish is Wish.URGENT:
                over = [row for row in rows if row.state == State.FINISHED]
                journal.record(session, [journal_entries.finished(row) for row in over])
        return rows


def _wish(values: Mapping[str, Any]) -> Wish:
    """An end, and that somebody wants one, is shown at once; that it is under way then is shown already.

    So is that another attempt is waited for, where a card with progress is edited once in a minute.
    """
    state = values.get("state")
    if state == State.STOPPING:
        return Wish.GOES_ON
    is_decision = state == State.FINISHED or "stop_by" in values or values.get("waiting_for") == Wait.ATTEMPT
    return Wish.URGENT if is_decision else Wish.NEWS


HOLDING = ("hold", "hold_until")
"""Columns of a run that is held."""

RUNS = Transitions(Run, QUEUED, State.RUNNING, run_sources, waiting=("waiting_for",), holding=HOLDING)
BUILDS = Transitions(Build, (State.WAITING,), State.BUILDING, build_sources)
