"""Statements that are made once, and rows of a model without the ORM's unit of work.

To make a statement takes SQLAlchemy longer than SQLite takes to run it, and an UPDATE that the ORM makes and
reads costs four times one of Core. So what every run needs is made at import or at its first use, with
parameters by name, and run here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Executable, Row
from sqlalchemy.orm import Mapper, Session, class_mapper
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlmodel import SQLModel

Model = TypeVar("Model", bound=SQLModel)


Parameters = Mapping[str, Any]


def execute(session: Session, statement: Executable, parameters: Parameters | Sequence[Parameters]) -> Any:
    """The result of a Core statement, which sees what the session has yet to write."""
    return _connection(session).execute(statement, parameters)


def one(session: Session, statement: Executable, parameters: Mapping[str, Any]) -> Row[Any] | None:
    """The first row of a Core statement, None where there is none."""
    return cast("Row[Any] | None", execute(session, statement, parameters).first())


def rows_of(
    session: Session, model: type[Model], statement: Executable, parameters: Mapping[str, Any]
) -> list[Model]:
    """What a Core statement gives that reads or returns all columns of `model`: detached and fully loaded.

    A row that the session knows already is brought up to date and given itself.
    """
    mapper = class_mapper(model)
    found = execute(session, statement, parameters).mappings().all()
    return [_row(session, mapper, values) for values in found]


def _row(session: Session, mapper: Mapper[Model], values: Mapping[Any, Any]) -> Model:
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
