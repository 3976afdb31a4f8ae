"""What pushes and due moments decided, and why something was not started, in words (Markdown).

Reasons come from the database, and a newer version of Errand may have written them: what is not known here
is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.catalog.due import Pause, reason_of
from bot.messages import freezes, waits
from bot.tables import OccurrenceSeen, PushVerdict, Tick
from bot.text import vocabulary
from bot.text.wording import quoted

Reason = Mapping[str, Any]
"""A `kind` and what it speaks of."""

_NEWER = {
    "older": "a newer push was decided first",
    "repeated": "this push was decided before",
    "deleted": "it was deleted",
}
_TAG, _BRANCH = "refs/tags/", "refs/heads/"


def short_ref(ref: str) -> str:
    """`main` and `tags/v1`, of what git calls `refs/heads/main` and `refs/tags/v1`."""
    return f"tags/{ref.removeprefix(_TAG)}" if ref.startswith(_TAG) else ref.removeprefix(_BRANCH)


def push_note(head: str, rows: Sequence[PushVerdict]) -> str:
    """What a push decided, for the log: `head`, and a line for each image and each job that did not start."""
    built = [row.image for row in rows if row.verdict == "built"]
    if built:
        first = f"rebuilds {', '.join(built)}"
    elif any(row.verdict != "filtered" for row in rows):
        first = "rebuilds nothing any more"
    else:
        first = "no image is built from it"
    lines = [f"{head}{first}", *(push_line(row) for row in rows)]
    return "\n".join(lines + [line for row in rows for line in unstarted_lines(row)])


def push_line(row: PushVerdict) -> str:
    """What a push decided of one image."""
    why = _NEWER.get(row.verdict) or reason(row.reason)
    became = "built" if row.verdict == "built" else "not built"
    return f"image {row.image}: {became}: {why}" if why else f"image {row.image}: {became}"


def unstarted_lines(row: PushVerdict, job: str | None = None) -> list[str]:
    """The jobs, or only `job`, that were to follow the build and could not be started."""
    return [
        f"job {name}: not started: {reason(why)}"
        for name, why in row.unstarted.items()
        if job is None or name == job
    ]


def occurrence_note(head: str, row: OccurrenceSeen | None) -> str:
    """What a thing that happened started, for the log; None: that was decided before."""
    if row is None:
        return f"{head}: it was decided before"
    lines = [f"job {job}: {occurrence_line(row, job)}" for job in row.decisions]
    return "\n".join([head, *lines]) if lines else f"{head}: it starts nothing"


def occurrence_line(row: OccurrenceSeen, job: str) -> str:
    """What became of one of its jobs."""
    why = row.decisions.get(job)
    return f"not started: {reason(why)}" if why else "started"


def tick_note(tick: Tick) -> str | None:
    """Why a due moment became no run, where that is known."""
    return tick.note if tick.reason is None else reason(tick.reason)


def reason(why: Reason) -> str:
    """A reason in words."""
    say = _REASONS.get(why.get("kind", ""))
    return "" if say is None else say(why)


def _paused(why: Reason) -> str:
    pause = Pause(why["by"], None, why.get("why"), why.get("failures"), bool(why.get("every")))
    words = reason_of(pause)
    return f"Paused by {vocabulary.who(pause.by)}{f': {words}' if words else ''}."


def _default(why: Reason) -> str:
    return f"{quoted(why['name'])} is the default branch{_paths(why)}"


def _fits(why: Reason) -> str:
    return f"the {why['ref']} {quoted(why['name'])} fits {quoted(why['pattern'])}{_paths(why)}"


def _paths(why: Reason) -> str:
    if "unclear" in why:
        return f"; what changed is not known ({why['unclear']}), so `paths` let it pass"
    return f", and a path that fits {quoted(why['path'])} changed" if "path" in why else ""


def _no_filter(why: Reason) -> str:
    return "it names no `tags`" if why["ref"] == "tag" else "`branches: []` leaves building to commands"


def _fits_none(why: Reason) -> str:
    key = "tags" if why["ref"] == "tag" else "branches"
    return f"the {why['ref']} {quoted(why['name'])} fits none of its `{key}` ({_patterns(why)})"


def _patterns(why: Reason) -> str:
    shown = ", ".join(quoted(pattern) for pattern in why["patterns"])
    return f"{shown} and {why['more']} more" if why["more"] else shown


def _after(why: Reason) -> str:
    """Another job that has to have succeeded first, what there is of it, and what to do."""
    other, commit = why["after"], why["of"] == "commit"
    if why["value"] is None:
        return (
            f"{quoted(why['job'])} runs only where {quoted(other)} has succeeded for the same commit,"
            " and this run is of none: name one with `--ref`."
        )
    version = why["value"][:10] if commit else why["value"].rpartition("@")[2][:19]
    within = f" in the last {vocabulary.duration(why['within'])}" if why.get("within") else ""
    what = f"{quoted(other)} has not succeeded for {why['of']} {quoted(version)}{within}"
    if "ended" in why:
        seen = f": its success, #{why['run']}, ended {vocabulary.moment(why['ended'])}"
    elif "run" in why:
        seen = f": #{why['run']} {vocabulary.standing(why['state'], why['result']).verb}"
    else:
        seen = ": it has not run for it"
    ask = f"run {other} --ref {version}" if commit else f"run {other}"
    return f"{quoted(why['job'])} is not started. {what}{seen}. First {quoted(ask)} has to succeed."


_REASONS: dict[str, Callable[[Reason], str]] = {
    "default": _default,
    "not_default": lambda why: f"{quoted(why['name'])} is not the default branch",
    "fits": _fits,
    "fits_none": _fits_none,
    "no_filter": _no_filter,
    "no_path": lambda why: f"nothing changed that fits its `paths` ({_patterns(why)})",
    "skip": lambda why: f"the message of its newest commit says {quoted(why['mark'])}",
    "superseded": lambda why: "a later deployment to that environment was decided first",
    "over": lambda why: "the pull request was pushed to again, or closed, before this was decided",
    "alone": waits.not_alone,
    "frozen": freezes.refused,
    "after": _after,
    "circle": lambda why: (
        f"{' -> '.join(quoted(job) for job in why['jobs'])} is a circle, which would never end."
    ),
    "long_chain": lambda why: "The chain has as many runs as one may have.",
    "late": lambda why: (
        f"Errand was not there in time; it would have been made up for within {why['within']}."
    ),
    "made_up": lambda why: "Made up for by a later one.",
    "skipped": lambda why: f"Left out by {vocabulary.who(why['by'])}.",
    "paused": _paused,
    "no_image": lambda why: f"There is no image {why['image']} any more.",
    "requirements": lambda why: f"it requires {', '.join(quoted(code) for code in why['codes'])}",
    "answer": lambda why: str(why["text"]),
}
