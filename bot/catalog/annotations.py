"""Places that a log speaks of: `::error file=a.py,line=3::what`, and lines of a job's own form. Pure.

A form such as `{file}:{line}: {message}` is no regular expression: what stands between two fields is looked
for once, so a line takes as long as it is long, whatever it says.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

FORM_CHARACTERS = 200
PATH_CHARACTERS = 500
MESSAGE_CHARACTERS = 2000
TITLE_CHARACTERS = 200

FAILURE, WARNING, NOTICE = "failure", "warning", "notice"
LEVELS = (FAILURE, WARNING, NOTICE)
"""As GitHub calls them, the gravest first."""

_FIELDS = ("file", "line", "column", "level", "message", "")
_FIELD = re.compile(r"\{([a-z]*)\}")
_WORDS: Mapping[str, str] = {
    "error": FAILURE,
    "fatal error": FAILURE,
    "fatal": FAILURE,
    "warning": WARNING,
    "warn": WARNING,
    "notice": NOTICE,
    "note": NOTICE,
    "info": NOTICE,
}
_COMMAND = re.compile(r"\s*::(error|warning|notice)(?: |::)", re.IGNORECASE)
_STOP = re.compile(r"\s*::stop-commands::([A-Za-z0-9_-]{1,100})\s*$")
_NUMBER = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_DRIVE = re.compile(r"[A-Za-z]:")
_ESCAPES = {"%0A": "\n", "%0D": "", "%3A": ":", "%2C": ",", "%25": "%"}
_ESCAPED = re.compile("|".join(_ESCAPES), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A place of the repository and what is said of it; `path` None where it names none that may be shown."""

    level: str
    message: str
    path: str | None = None
    line: int = 1
    end_line: int = 1
    column: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class LineForm:
    """A form: each field with what follows it, None for the end of the line."""

    start: str
    fields: tuple[tuple[str, str | None], ...]

    def read(self, line: str) -> dict[str, str] | None:
        """The fields of a line, None for one that is not so."""
        if not line.startswith(self.start):
            return None
        at, found = len(self.start), dict[str, str]()
        for name, after in self.fields:
            end = len(line) if after is None else line.find(after, at)
            if end < 0:
                return None
            found[name] = line[at:end]
            at = end + len(after or "")
        return found


@lru_cache(maxsize=256)
def form(text: str) -> LineForm:
    """The form that a job names; `ValueError` with what was expected."""
    if not 0 < len(text) <= FORM_CHARACTERS or "\n" in text:
        raise ValueError(f"expected one line of at most {FORM_CHARACTERS} characters")
    pieces = _FIELD.split(text)
    names, between = pieces[1::2], pieces[2::2]
    if unknown := next((name for name in names if name not in _FIELDS), None):
        known = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise ValueError(f"{{{unknown}}} is no field; {known} are")
    named = [name for name in names if name]
    if len(set(named)) < len(named) or not {"file", "line"} <= set(named):
        raise ValueError('expected each field once, {file} and {line} among them: "{file}:{line}: {message}"')
    if not all(between[:-1]):
        raise ValueError("expected a character between two fields")
    ends = [*between[:-1], between[-1] or None]
    return LineForm(pieces[0], tuple(zip(names, ends, strict=True)))


def annotation(line: str, forms: Sequence[LineForm]) -> Annotation | None:
    """What a line of the log says of a place, None where it says nothing of any."""
    if (command := _COMMAND.match(line)) is not None:
        return _command(command[1], line[command.end(1) :])
    for each in forms:
        found = each.read(line.strip())
        if found is not None and (made := _of_fields(found, line)) is not None:
            return made
    return None


def stopping(line: str) -> str | None:
    """The word that lets commands count again, where a line says that what follows holds none."""
    found = _STOP.match(line)
    return None if found is None else found[1]


def _command(word: str, rest: str) -> Annotation:
    """`rest` is ` file=a.py,line=3::message`."""
    head, _, message = rest.partition("::")
    values = dict[str, str]()
    for each in head.split(",")[:20]:
        name, _, value = each.strip().partition("=")
        values[name] = _plain(value)
    line = _number(values.get("line", "")) or 1
    end = _number(values.get("endLine", "")) or line
    return Annotation(
        level=_WORDS[word.lower()],
        message=_plain(message)[:MESSAGE_CHARACTERS],
        path=safe_path(values.get("file", "")),
        line=line,
        end_line=max(line, end),
        column=_number(values.get("col", "")) if end == line else None,
        title=values.get("title", "")[:TITLE_CHARACTERS] or None,
    )


def _of_fields(found: Mapping[str, str], line: str) -> Annotation | None:
    number, level = _number(found["line"]), _WORDS.get(found.get("level", "error").strip().lower())
    if number is None or level is None or not found["file"].strip():
        return None
    return Annotation(
        level=level,
        message=(found.get("message", "").strip() or line.strip())[:MESSAGE_CHARACTERS],
        path=safe_path(found["file"].strip()),
        line=number,
        end_line=number,
        column=_number(found.get("column", "")),
    )


def safe_path(path: str) -> str | None:
    """A path within the repository; None for one that leads out of it, is absolute, or is none."""
    path = path.removeprefix("./")
    odd = not path.isprintable() or "\\" in path or _DRIVE.match(path) is not None
    if not path or len(path) > PATH_CHARACTERS or odd:
        return None
    return None if any(part in ("", ".", "..") for part in path.split("/")) else path


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0].upper()], value)
