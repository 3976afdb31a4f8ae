"""Rows that are made by the thousand: pydantic checks nothing of them, yet takes ten times as long."""

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlmodel import SQLModel


class Row(SQLModel):
    """The columns of a table, taken as they are; those that are not named get their defaults."""

    if not TYPE_CHECKING:  # where the fields say which arguments there are

        def __init__(self, **values: Any) -> None:
            """Set what is given; raises `TypeError` for what is no column."""
            constants, made, known = _defaults(type(self))
            if unknown := values.keys() - known:
                raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
            columns = vars(self)
            columns.update(constants)
            columns.update({name: make() for name, make in made if name not in values})
            columns.update(values)
            object.__setattr__(self, "__pydantic_fields_set__", set(values))


@cache
def _defaults(model: type[SQLModel]) -> tuple[dict[str, Any], list[tuple[str, Any]], frozenset[str]]:
    """The default values of a model, what makes others anew for each row, and the names of all fields."""
    fields = model.model_fields
    optional = {name: field for name, field in fields.items() if not field.is_required()}
    constants = {name: field.default for name, field in optional.items() if field.default_factory is None}
    made = [(name, field.default_factory) for name, field in optional.items() if field.default_factory]
    return constants, made, frozenset(fields)
