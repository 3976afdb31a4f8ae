"""A job's definition while somebody changes it on a page: YAML, and fields for what is common. Pure.

The text is what is saved. A field that was changed is written into it first.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.config import DefinitionText, Wrong
from bot.config.document import Document, Value, read
from bot.config.meanings import MEANINGS
from bot.config.yamltext import with_value
from bot.errors import AskerError, Unfit

_JOB = "jobs.NAME."
_LABELS = {
    "description": "Description",
    "image": "Image",
    "command": "Command",
    "timeout": "Time limit",
    "schedule.cron": "Schedule",
    "schedule.timezone": "Its time zone",
}
"""The fields, by the paths of the keys that they change."""
_AROUND = 60
"""Characters of a line that are shown before and behind a mistake."""

LONGEST = 64 * 1024
"""Characters of a definition that pages take: reading YAML takes seconds for more, and others wait."""

EXAMPLE = "command: |\n  echo hello\n"
"""What a new definition begins with."""

_PARAMETER = "parameter"
"""The field with the name of a parameter that is to be added, and what the others about it begin with."""


@dataclass(frozen=True, slots=True)
class KeyField:
    """A field for one key. `value` is None where the text has there what no field can hold."""

    name: str
    label: str
    value: str | None
    about: str


@dataclass(frozen=True, slots=True)
class LineMistake:
    """What is wrong in a line (from 1; None: in the whole text), with that line and a mark below it."""

    what: str
    setting: str = ""
    line: int | None = None
    column: int = 1
    excerpt: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is in the form. `version` is the one that is to be replaced; None: there is to be no such job."""

    name: str
    text: str
    version: int | None = None
    mistakes: Sequence[LineMistake] = field(default=())

    @property
    def fields(self) -> list[KeyField]:
        """The fields as the text has their keys; none where it cannot be read."""
        document = _document(self.text)
        data = document.data
        if document.mistakes or not isinstance(data, dict | None):
            return []
        return [
            KeyField(f"field.{path}", label, _at(data, path.split(".")), MEANINGS[_JOB + path])
            for path, label in _LABELS.items()
        ]


def draft_of(form: Mapping[str, str], name: str) -> Draft:
    """What was sent, with the fields that were changed written into the text, if that can be read."""
    text = _lines(form.get("definition", ""))
    digits = form.get("version", "")
    version = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 9 else None
    draft = Draft(name, text, version)
    document = _document(text)
    if document.mistakes or not isinstance(document.data, dict | None):
        return draft
    for path in _LABELS:
        sent, before = form.get(f"field.{path}"), form.get(f"was.{path}")
        if sent is not None and before is not None and _lines(sent) != _lines(before):
            text = with_value(text, tuple(path.split(".")), _lines(sent) or None)
    return replace(draft, text=_with_parameter(text, form))


def _with_parameter(text: str, form: Mapping[str, str]) -> str:
    """The text with the parameter that is to be added."""
    name = form.get(_PARAMETER, "").strip()
    if not name:
        return text
    values: list[tuple[str, str | bool | None]] = [
        ("type", form.get(f"{_PARAMETER}.type") or "string"),
        ("required", True if form.get(f"{_PARAMETER}.required") == "true" else None),
        ("default", form.get(f"{_PARAMETER}.default") or None),
        ("description", form.get(f"{_PARAMETER}.description") or None),
    ]
    for key, value in values:
        if value is not None:
            text = with_value(text, ("parameters", name, key), value)
    return text


def definition_of(draft: Draft) -> bytes:
    """The definition as JSON; `Wrong` where the text is none, without places: `mistakes_of` has them."""
    document = _document(draft.text)
    if document.mistakes:
        raise Wrong([("", each.what) for each in document.mistakes])
    return json.dumps({} if document.data is None else document.data).encode()


def mistakes_of(draft: Draft, error: Wrong | AskerError) -> list[LineMistake]:
    """What is wrong with it, each at its line."""
    document, lines = _document(draft.text), draft.text.split("\n")
    if document.mistakes:
        return [
            _placed(lines, each.place.line, each.place.column, each.path, each.what)
            for each in sorted(document.mistakes)[:100]
        ]
    data = document.data if isinstance(document.data, dict) else {}
    text = DefinitionText("", document, {draft.name: data}, {draft.name: ()})
    made: list[LineMistake] = []
    for place, what in _mistakes(error):
        finding = text.finding(draft.name, place, what)
        if not place or finding.place is None:
            made.append(LineMistake(what))
        else:
            at = finding.place
            made.append(_placed(lines, at.line, at.column, finding.setting, what))
    return sorted(made, key=lambda each: (each.line or 0, each.column))


def _document(text: str) -> Document:
    """The text as it reads; of one that is too long only that."""
    if len(text) <= LONGEST:
        return read(text.encode())
    document = Document()
    document.wrong((), f"more than {LONGEST // 1024} KiB: `errand apply` and the API take it, pages do not")
    return document


def _mistakes(error: Wrong | AskerError) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(error, Wrong):
        return [(_names(pointer), what) for pointer, what in error.mistakes]
    return list(error.mistakes) if isinstance(error, Unfit) else [((), str(error))]


def _names(pointer: str) -> tuple[str, ...]:
    """The names in a JSON pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _placed(lines: Sequence[str], line: int, column: int, setting: str, what: str) -> LineMistake:
    """The mistake with as much of its line as shows it."""
    whole = lines[line - 1] if line <= len(lines) else ""
    start = max(0, column - 1 - _AROUND)
    excerpt = whole[start : column - 1 + _AROUND]
    return LineMistake(what, setting, line, column, excerpt, " " * (column - 1 - start) + "^")


def _at(data: Value, path: Sequence[str]) -> str | None:
    """The text at a path; empty where there is nothing, None where it is no text or number."""
    value: Any = data
    for part in path:
        if value is None:
            return ""
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _lines(text: str) -> str:
    """As a form sends it, with line ends as the file has them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
