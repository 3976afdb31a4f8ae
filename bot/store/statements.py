"""Statements that are made once, and rows of a model without the ORM's unit of work.

To make a statement takes SQLAlchemy longer than SQLite takes to run it, and an UPDATE that the ORM makes and
reads costs four times one of Core. So what every run needs is made at import or at its first use, with
parameters by name, and run here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable
from sqlalchemy.orm import Mapper, Session, class_mapper
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlmodel import SQLModel

from bot.store.prepared import Prepared

Model = TypeVar("Model", bound=SQLModel)


Parameters = Mapping[str, Any]


def execute(session: Session, statement: Executable, parameters: Parameters | Sequence[Parameters]) -> Any:
    """The result of a Core statement, which sees what the session has yet to write."""
    return _connection(session).execute(statement, parameters)


def one(session: Session, prepared: Prepared, parameters: Parameters) -> Any:
    """The first row of a statement that is kept, a named tuple; None where there is none."""
    rows = prepared.rows(_connection(session), parameters)
    return rows[0] if rows else None


def all_of(session: Session, prepared: Prepared, parameters: Parameters) -> Sequence[Any]:
    """All rows of a statement that is kept, named tuples."""
    return prepared.rows(_connection(session), parameters)


def run_all(session: Session, prepared: Prepared, several: Sequence[Parameters]) -> None:
    """Run a statement that is kept with each of several sets of values; it gives no rows."""
    prepared.run_all(_connection(session), several)


def rows_of(
    session: Session, model: type[Model], statement: Prepared | Executable, parameters: Parameters
) -> list[Model]:
    """What a statement gives that reads or returns all columns of `model`: detached and fully loaded.

    A row that the session knows already is brought up to date and given itself.
    """
    mapper = class_mapper(model)
    if isinstance(statement, Prepared):
        found = statement.rows(_connection(session), parameters)
    else:
        found = execute(session, statement, parameters).all()
    return [_row(session, mapper, row._asdict()) for row in found]


def _row(session: Session, mapper: Mapper[Model], values: Mapping[str, Any]) -> Model:
    (key,) = mapper.primary_key
    identity = mapper.identity_key_from_primary_key((values[key.name],))
    known = session.identity_map.get(identity)
    if known is not None:
        for name, value in values.items():
            set_committed_value(known, name, value)
        return known
    row: Model = mapper.class_manager.new_instance()
    vars(row).update(values)
    instance_state(row).key = identity
    return row


def _connection(session: Session) -> Connection:
    session.flush()
    bind = session.get_bind()  # of the writer a connection in its transaction, of a reader an engine
    return bind if isinstance(bind, Connection) else session.connection()
