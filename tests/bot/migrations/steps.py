"""What a migration does that trips an older version which goes on meanwhile, read from its source."""

import ast
import re
from collections.abc import Iterator

_TAKES = {"drop_table", "drop_column", "drop_constraint", "rename_table"}
_BINDS = {"create_unique_constraint", "create_check_constraint", "create_foreign_key"}
_HARMLESS = {"server_default", "comment", "schema"}
"""Of what `alter_column` takes, besides `existing_...` and `nullable=True`."""
_SQL = re.compile(r"\b(ALTER|DROP|RENAME)\s+(TABLE|COLUMN|CONSTRAINT|TO)\b", re.IGNORECASE)


def contractions(source: str) -> list[str]:
    """Every step of a migration that older code would stumble over, as `line: what`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    tables = [call for call in calls if _name(call) == "create_table"]
    fresh = {ast.unparse(table.args[0]) for table in tables}
    inside = {id(node) for table in tables for node in ast.walk(table)}
    found = [f"{call.lineno}: {what}" for call in calls for what in _step(call, fresh, id(call) in inside)]
    texts = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return found + [
        f"{text.lineno}: {match[0]}" for text in texts if (match := _SQL.search(str(text.value))) is not None
    ]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _step(call: ast.Call, fresh: set[str], of_new_table: bool) -> Iterator[str]:
    name, options = _name(call), {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in _TAKES or (name in _BINDS and not _is_of(call, 1, fresh)):
        yield name
    if name == "alter_column":
        changes = {str(word) for word in options if not str(word).startswith("existing_")} - _HARMLESS
        if changes - {"nullable"} or options.get("nullable") == "False":
            yield "alter_column"
    filled = options.get("nullable") == "False" and options.get("server_default", "None") == "None"
    if name == "Column" and filled and not of_new_table:
        yield "a column that must be filled"
    if name == "create_index" and options.get("unique") == "True" and not _is_of(call, 1, fresh):
        yield "a unique index"


def _is_of(call: ast.Call, place: int, tables: set[str]) -> bool:
    """Whether the table that a call names is a new one."""
    return len(call.args) > place and ast.unparse(call.args[place]) in tables
