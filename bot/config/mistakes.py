"""What pydantic found becomes sentences with the place in the file and what was expected."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.catalog import chains, timetables
from bot.catalog.catalog import Job
from bot.catalog.chains import After, Then
from bot.catalog.concurrency import Concurrency
from bot.catalog.conditions import Resources
from bot.catalog.images import BuildFrom, Image
from bot.catalog.notify import Notify
from bot.catalog.parameters import Parameter
from bot.catalog.requirements import KEYS, CheckFilter
from bot.catalog.retries import KEYS as RETRY_KEYS
from bot.catalog.retries import Retries
from bot.catalog.timetables import Timetable
from bot.catalog.triggers import KINDS
from bot.config.config import Config
from bot.config.document import Document, Path, Value
from bot.config.repository_rules import RepositoryRules
from bot.config.settings import (
    Audit,
    Builder,
    Container,
    Deliveries,
    Engine,
    GitHub,
    Kubernetes,
    Limits,
    Logs,
    OperatorLog,
    Process,
    Slack,
)
from bot.text.wording import nearest

_EXPECTED = {
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "int_parsing_size": "expected a smaller number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "dict_type": "expected names and values",
    "model_type": "expected keys and values",
    "tuple_type": "expected a list",
    "missing": "is required",
}
"""By pydantic's type of error."""

_BOUNDS = {
    "less_than_equal": "expected at most {le:g}",
    "greater_than_equal": "expected at least {ge:g}",
    "greater_than": "expected more than {gt:g}",
    "too_long": "expected at most {max_length} entries",
}
"""The same with what pydantic says of the bound."""

_SHAPES: dict[Path, frozenset[str]] = {
    (): frozenset({*Config.model_fields, "defaults"}),
    ("logs",): frozenset(Logs.model_fields),
    ("log",): frozenset(OperatorLog.model_fields),
    ("deliveries",): frozenset(Deliveries.model_fields),
    ("audit",): frozenset(Audit.model_fields),
    ("limits",): frozenset(Limits.model_fields),
    ("github",): frozenset(GitHub.model_fields),
    ("slack",): frozenset(Slack.model_fields),
    ("engine",): frozenset(Engine.model_fields),
    ("engine", "process"): frozenset(Process.model_fields),
    ("engine", "container"): frozenset(Container.model_fields),
    ("engine", "kubernetes"): frozenset(Kubernetes.model_fields),
    ("engine", "kubernetes", "builder"): frozenset(Builder.model_fields),
    ("images", "*"): frozenset(Image.model_fields) - {"name"},
    ("images", "*", "build"): frozenset(BuildFrom.model_fields),
    ("jobs", "*"): frozenset(Job.model_fields) - {"name"},
    ("repository_jobs", "*"): frozenset(RepositoryRules.model_fields),
    ("sizes", "*"): frozenset(Resources.model_fields),
    ("jobs", "*", "resources"): frozenset(Resources.model_fields),
    ("jobs", "*", "schedule"): frozenset(Timetable.model_fields),
    ("jobs", "*", "schedule", "*"): frozenset(Timetable.model_fields),
    ("jobs", "*", "after"): frozenset(After.model_fields),
    ("jobs", "*", "after", "*"): frozenset(After.model_fields),
    ("jobs", "*", "then"): frozenset(Then.model_fields),
    ("jobs", "*", "then", "*"): frozenset(Then.model_fields),
    ("jobs", "*", "notify"): frozenset(Notify.model_fields),
    ("jobs", "*", "parameters", "*"): frozenset(Parameter.model_fields),
    ("jobs", "*", "retries"): frozenset(Retries.model_fields),
    ("jobs", "*", "concurrency"): frozenset(Concurrency.model_fields),
}
"""The keys of each section, by its path; `*` stands for any name."""

_FORMS = ("retries", "concurrency")
"""Keys of jobs that may be written in several ways."""

_SEVERAL = (("schedule",), ("after",), ("then",))
"""Keys of jobs that stand for one thing or for several, and how pydantic names these."""
_FORM_NAMES = tuple((name,) for module in (chains, timetables) for name in (module.ONE, module.SEVERAL))

_KINDS = ("on", "requires", "never")
"""Lists of jobs, or of what is in one, whose entries are of several kinds."""


def note(document: Document, error: ValidationError, prefix: Path = ()) -> None:
    """Add everything that `error` holds to the mistakes of `document`."""
    for detail in error.errors(include_url=False):
        _note(document, detail, (*prefix, *detail["loc"]))


def _note(document: Document, detail: ErrorDetails, path: Path) -> None:
    kind = detail["type"]
    for place in (2, 3):  # pydantic names the form of what is one or several
        if path[place - 1 : place] in _SEVERAL and path[place : place + 1] in _FORM_NAMES:
            path = (*path[:place], *path[place + 1 :])
    in_key = bool(path) and path[-1] in ("[key]", "name") and path not in document.values
    if path and path[-1] == "[key]":
        path = path[:-1]
    path = _as_written(document, _without_kinds(path))
    if any(path[:end] in document.unusable for end in range(1, len(path) + 1)):
        return
    if kind == "extra_forbidden":
        document.wrong(path, _unknown(path), key=True)
    elif kind == "missing":
        document.wrong(path[:-1], f"{path[-1]} is required", key=True)
    else:
        what = _sentence(detail)
        if what.startswith("expected") and in_key:
            what += f", not {_shown(str(path[-1]))}"
        elif what.startswith("expected") and ", not " not in what:
            what += _not(document, path)
        document.wrong(path, what, key=in_key)


def _without_kinds(path: Path) -> Path:
    """The same path without the kinds of what it goes through, which pydantic names beside their places."""
    if path[:1] == ("defaults",) and len(path) > 1:
        return ("defaults", *_without_kinds(("jobs", *path))[2:])
    if len(path) > 3 and path[2] in _FORMS:
        path = (*path[:3], *path[4:])
    for start in (2, 3):
        if len(path) > start + 2 and path[start] in _KINDS and isinstance(path[start + 1], int):
            return (*path[: start + 2], *path[start + 3 :])
    return path


def _as_written(document: Document, path: Path) -> Path:
    """The same path, or the one in `defaults` where the job has the value from there."""
    if len(path) == 3 and path[0] in ("jobs", "images") and path[2] == "name":
        return path[:2]
    return document.written(path)


def _sentence(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"expected {context['expected']}".replace("'", "")
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    return _EXPECTED.get(kind, f"expected something else ({detail['msg']})")


def _unknown(path: Path) -> str:
    if path[-1] == "<<":
        return "unknown key: YAML 1.2 has no merge keys; defaults: does that for jobs"
    name = nearest(str(path[-1]), _known(path[:-1]))
    return f"unknown key; did you mean {name}?" if name else "unknown key"


def _known(section: Path) -> frozenset[str]:
    if len(section) == 4 and section[2] == "on":
        return frozenset(KINDS).union(*(kind.model_fields for kind in KINDS.values()))
    if len(section) > 3 and section[2] == "requires":
        return frozenset(KEYS) if len(section) == 4 else frozenset(CheckFilter.model_fields)
    if section[:1] == ("defaults",):
        section = ("jobs", "*", *section[1:])
    if len(section) == 5 and section[2] == "retries":
        return frozenset(RETRY_KEYS)
    section = tuple("*" if isinstance(part, int) else part for part in section)
    for pattern, keys in _SHAPES.items():
        same = len(pattern) == len(section)
        if same and all(part in ("*", at) for part, at in zip(pattern, section, strict=True)):
            return keys
    return frozenset()


def _not(document: Document, path: Path) -> str:
    """What stands in the file there (never what came from the environment), if it is short and plain."""
    value: Value = document.data
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return ""
    if value is None:
        return ", not nothing"
    if isinstance(value, dict):
        return ", not keys and values"
    if isinstance(value, list):
        return ", not a list"
    return f", not {_shown(value)}"


def _shown(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    short = value if len(value) <= 60 else value[:59] + "…"
    return '"' + "".join(each if each.isprintable() else "?" for each in short) + '"'
