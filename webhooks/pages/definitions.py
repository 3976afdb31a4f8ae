"""A job's definition as its page shows it, and how its versions differ. Pure.

Of variables and files only the names are told, and that one has changed: their texts may be secrets.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot import config
from bot.catalog.catalog import Job
from bot.catalog.requirements import code_of
from bot.catalog.retries import rules_of
from bot.messages import needs_yes
from bot.messages.chains import order_lines
from bot.messages.overlaps import overlap
from bot.messages.retries import policy
from bot.tables import JobVersion
from bot.text.units import duration_text, size_text

_HIDDEN = ("env", "files")
"""Keys of which the texts are not told."""
_LONG = 80
"""Characters of a text that is compared within a line."""
_MOST_CHARACTERS, _MOST_COMPARED, _MOST_LINES = 40_000, 500, 120
"""Of two texts whose lines are compared, lines of each, and lines of the comparison that is shown."""
_MOST_CHANGES = 60
"""Of one version that are shown."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the definition: texts that stand as they are where `code`, else words."""

    label: str
    texts: Sequence[str]
    code: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What is other at `path` than in the version before.

    `old` and `new` are None where there was or is nothing, and both None where the texts are not told;
    `lines` is a comparison line by line instead, each beginning with `+`, `-`, a space, or `…` for a gap.
    """

    path: str
    verb: str
    old: str | None = None
    new: str | None = None
    lines: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version, and what it changed; `changes` is None where that is not known (any more)."""

    row: JobVersion
    changes: Sequence[Change] | None
    left_out: int = 0


def facts(job: Job) -> list[Fact]:
    """What the definition says, in the order in which people ask."""
    written = config.definition(job)
    made = [
        Fact("Working directory", [job.workdir] if job.workdir else []),
        Fact("Variables", sorted(job.env)),
        Fact("Masked", sorted(job.mask)),
        Fact("Files", sorted(job.files)),
        Fact("Time limit", [duration_text(job.timeout)], code=False),
        Fact("Grace to stop", [duration_text(job.grace)], code=False),
        Fact("Expected to take", [duration_text(job.expect)] if job.expect else [], code=False),
        Fact("Size", [job.size] if job.size else []),
        Fact("Resources", _resources(job), code=False),
        Fact("Retries", _retries(job), code=False),
        Fact("Read-only", ["yes"] if job.read_only else [], code=False),
        Fact("Service account", _account(job), code=bool(job.service_account)),
        Fact("Keeps", [f"{job.keep} runs", *([duration_text(job.expire)] if job.expire else [])], code=False),
        Fact("Annotations", job.annotations),
        Fact("Notifies", _lines(written.get("notify"))),
        *_schedules(written.get("schedule")),
    ]
    return [each for each in made if each.texts]


def _account(job: Job) -> list[str]:
    return [] if job.service_account is None else [job.service_account or "none"]


def _retries(job: Job) -> list[str]:
    found = rules_of(job.retries)
    return [] if found is None else [policy(found).replace("`", "")]


def _schedules(written: Any) -> list[Fact]:
    if not isinstance(written, list):
        return [Fact("Schedule", _lines(written))]
    return [Fact(f"Schedule {each.pop('name', '')}".strip(), _lines(each)) for each in written]


def rules(job: Job) -> list[Fact]:
    """What decides whether and when a run of the job begins."""
    made = [
        Fact(
            "A further run",
            [(overlap(job.concurrency) or "may go on beside others").replace("`", "")],
            code=False,
        ),
        Fact("Locks" if len(job.locks) > 1 else "Lock", job.locks),
        Fact("Requires", list(dict.fromkeys(code_of(each) for each in job.requires))),
        Fact("Somebody's yes", _plain(approval_of(job)), code=False),
        Fact("Order", _plain(order_lines(job.predecessors, job.successors, public=False)), code=False),
        Fact("Starts with", job.starters, code=False),
        Fact("Ends with", ["its pull request"] if job.cancel_with else [], code=False),
        Fact("Who may run it", job.allow),
        Fact("Who may not", job.deny),
        Fact("Asked for in pull requests of", job.repositories),
    ]
    return [each for each in made if each.texts]


def approval_of(job: Job) -> list[str]:
    """What is said of the yes that its runs need (Markdown), if any do."""
    return [] if job.approval is None else [needs_yes(job.approval.model_dump(mode="json"))]


def _plain(lines: Sequence[str]) -> list[str]:
    return [line.removeprefix("- ").replace("`", "") for line in lines]


def history(rows: Sequence[JobVersion], count: int) -> list[Version]:
    """The first `count` of these versions of one job, newest first, each compared with the one below it."""
    below = [*rows[1:], None]
    return [_version(row, old) for row, old in zip(rows[:count], below[:count], strict=True)]


def _version(row: JobVersion, old: JobVersion | None) -> Version:
    if old is None or row.deleted or old.deleted or not row.definition or not old.definition:
        return Version(row, None)
    before, after = dict(_flat(old.definition)), dict(_flat(row.definition))
    other = [path for path in dict.fromkeys((*before, *after)) if before.get(path) != after.get(path)]
    changes = [_change(path, before.get(path), after.get(path)) for path in other[:_MOST_CHANGES]]
    return Version(row, changes, len(other) - len(changes))


def _change(path: str, was: str | None, now: str | None) -> Change:
    verb = "added" if was is None else "removed" if now is None else "changed"
    if path.partition(".")[0] in _HIDDEN:
        return Change(path, verb)
    if max(len(was or ""), len(now or "")) <= _LONG and "\n" not in f"{was}{now}":
        return Change(path, verb, was, now)
    return Change(path, verb, lines=compared((was or "").splitlines(), (now or "").splitlines()))


def compared(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """What differs, each line beginning with `+`, `-`, a space or `…`; nothing of texts that are too long."""
    if max(len(old), len(new)) > _MOST_COMPARED or sum(map(len, (*old, *new))) > _MOST_CHARACTERS:
        return []
    found = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    lines = ["…" if line.startswith("@@") else line for line in found]
    rest = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"… {rest} more"] if rest > 0 else lines


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a definition by its path; what says nothing is left out."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _flat(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        for number, each in enumerate(value):
            yield from _flat(each, f"{path}.{number + 1}")
    elif value not in (None, []) and (value != "" or path.partition(".")[0] in _HIDDEN):
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _lines(value: object) -> list[str]:
    """A part of a definition in lines such as `slack: #ops`."""
    return [f"{path}: {text}" if path else text for path, text in _flat(value or {})]


def _resources(job: Job) -> list[str]:
    resources = job.resources
    if resources is None:
        return []
    cpu = [f"{resources.cpu:g} cores"] if resources.cpu else []
    memory = [size_text(resources.memory)] if resources.memory else []
    return [*cpu, *memory, *([f"{resources.gpu} GPU"] if resources.gpu else [])]
