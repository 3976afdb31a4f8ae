"""Runs and builds as GitHub check runs.

https://docs.github.com/rest/checks/runs
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.catalog.annotations import FAILURE, LEVELS, NOTICE, WARNING, Annotation
from bot.messages.comments import chain, details, facts, headline, why
from bot.messages.reports import github
from bot.messages.statuses import label_of, sentence
from bot.messages.text import clean, fence, iso, line_of_log, shortened, url
from bot.messages.view import View
from bot.states import State
from executor.spec import Result

TITLE_CHARACTERS = 200
SUMMARY_CHARACTERS = 60_000  # GitHub takes 65,535 for the summary and for the text each
TAIL_CHARACTERS = 12_000
JOB_CHARACTERS = 40_000  # of the summary that the job wrote
LINE_CHARACTERS = 500  # of one line of an annotation
UNPLACED = 20  # of those without a place, as many are shown
PART = 50  # annotations of one request

# An error of the platform is told as a failure: `neutral` would let a required check pass.
_CONCLUSIONS = {
    Result.SUCCEEDED: "success",
    Result.FAILED: "failure",
    Result.CANCELLED: "cancelled",
    Result.TIMED_OUT: "timed_out",
    Result.ERROR: "failure",
}

CANCEL, RERUN, LATEST, RESUME = "cancel", "rerun", "rerun-latest", "resume"
APPROVE, DENY = "approve", "deny"
"""By which GitHub says which button was pressed."""

_ID = re.compile(r"(run|build):([1-9][0-9]{0,18}):([A-Za-z0-9_-]{1,128})", re.ASCII)


@dataclass(frozen=True, slots=True)
class CheckButton:
    """A button of a check run: 20 characters for its label and `identifier`, 40 for its description."""

    label: str
    description: str
    identifier: str

    def body(self) -> dict[str, str]:
        """As GitHub's API takes it."""
        return {"label": self.label, "description": self.description, "identifier": self.identifier}


STOPS = (CheckButton("Cancel", "Stop this run", CANCEL),)
ANSWERS = (
    CheckButton("Approve", "Say yes: it starts", APPROVE),
    CheckButton("Deny", "Say no: it does not start", DENY),
)
REPEATS = (
    CheckButton("Re-run", "Once more, exactly as it was", RERUN),
    CheckButton("Re-run with latest", "With today's definition and commit", LATEST),
)
RESUMES = (CheckButton("Resume schedule", "Let it start the job again", RESUME),)


@dataclass(frozen=True, slots=True)
class CheckNotes:
    """What a log says of places in the repository, and without one; `counts` has all of them by level."""

    placed: tuple[Annotation, ...] = ()
    unplaced: tuple[Annotation, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """How many there are, and how many of them stand beside the code; nothing where there are none."""
        words = {FAILURE: "error", WARNING: "warning", NOTICE: "notice"}
        sums = [_count(self.counts.get(level, 0), words[level]) for level in LEVELS if self.counts.get(level)]
        if not sums:
            return ""
        rest = sum(self.counts.values()) - len(self.placed)
        more = f"; {rest} of them stand only in the log" if rest else ""
        return f"The log has {' and '.join(', '.join(sums).rsplit(', ', 1))}{more}."


@dataclass(frozen=True, slots=True)
class CheckFields:
    """A check run. Times are ISO 8601 in UTC."""

    name: str
    status: str  # queued | in_progress | completed
    conclusion: str | None  # with `completed` only
    title: str
    summary: str
    text: str | None
    details_url: str | None
    external_id: str
    started_at: str | None
    completed_at: str | None
    buttons: tuple[CheckButton, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    def body(self) -> dict[str, object]:
        """The fields as GitHub's API takes them, without those that are not set."""
        output: dict[str, object] = {"title": self.title, "summary": self.summary}
        if self.text is not None:
            output["text"] = self.text
        if self.annotations:
            output["annotations"] = [_annotation(each) for each in self.annotations]
        fields: dict[str, object] = {
            "name": self.name,
            "status": self.status,
            "conclusion": self.conclusion,
            "details_url": self.details_url,
            "external_id": self.external_id,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "output": output,
            "actions": [button.body() for button in self.buttons],
        }
        return {key: value for key, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class CheckName:
    """By what a check run is found again: what it is of, and its unguessable word."""

    noun: str  # run | build
    number: int
    nonce: str

    def __str__(self) -> str:
        return f"{self.noun}:{self.number}:{self.nonce}"

    @classmethod
    def read(cls, external_id: str) -> "CheckName | None":
        """What an `external_id` says, None for one that is not ours."""
        found = _ID.fullmatch(external_id)
        return None if found is None else cls(found[1], int(found[2]), found[3])


def check(
    view: View, link: str | None, *, nonce: str, now: float, notes: CheckNotes = CheckNotes()
) -> CheckFields:
    """A run or a build as a check run, found again by `nonce`; its annotations go with `in_requests`."""
    done = view.result is not None
    page = view.build_link or link
    state = "completed" if done else "queued" if view.state is State.WAITING else "in_progress"
    where = facts(view, link, on_commit=True)
    parts = [headline(view, link), where, why(view), chain(view), details(view), notes.sentence]
    if view.summary:
        parts.append(github(view.summary, JOB_CHARACTERS))
    ended = view.finished_at if view.finished_at is not None else now
    return CheckFields(
        name=label_of(view),
        status=state,
        conclusion=_CONCLUSIONS[view.result] if view.result is not None else None,
        title=shortened(sentence(view), TITLE_CHARACTERS),
        summary=shortened("\n\n".join(part for part in parts if part), SUMMARY_CHARACTERS),
        text=_text(view, notes),
        details_url=url(page) if page else None,
        external_id=str(CheckName(view.noun, view.number, nonce)),
        started_at=iso(view.started_at) if view.started_at is not None else None,
        completed_at=iso(ended) if done else None,
        buttons=_buttons(view),
    )


def in_requests(fields: CheckFields, annotations: Sequence[Annotation], sent: int) -> list[CheckFields]:
    """The requests that say it all: GitHub takes 50 annotations with each, and adds them to those `sent`."""
    parts = [annotations[at : at + PART] for at in range(sent, len(annotations), PART)] or [()]
    return [replace(fields, annotations=tuple(part)) for part in parts]


def _text(view: View, notes: CheckNotes) -> str | None:
    """What was said of no place, and the last lines where it failed."""
    lines = [f"{each.level}: {each.message}".replace("\n", " ") for each in notes.unplaced[:UNPLACED]]
    parts = [fence(lines, limit=TAIL_CHARACTERS)] if lines else []
    if view.shows_tail:
        parts.append(fence(view.tail, limit=TAIL_CHARACTERS))
    return "\n\n".join(parts) or None


def _annotation(each: Annotation) -> dict[str, object]:
    """As GitHub's API takes it, whose texts are plain and not empty."""
    lines = [line_of_log(line, LINE_CHARACTERS) for line in each.message.split("\n")]
    fields: dict[str, object] = {
        "path": each.path or "",
        "start_line": each.line,
        "end_line": each.end_line,
        "annotation_level": each.level,
        "message": "\n".join(lines).strip() or each.level,
    }
    if each.column is not None and each.line == each.end_line:
        fields |= {"start_column": each.column, "end_column": each.column}
    title = clean(each.title or "", TITLE_CHARACTERS)
    return {**fields, **({"title": title} if title else {})}


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _buttons(view: View) -> tuple[CheckButton, ...]:
    """What can be asked for by a button; GitHub draws one of its own that repeats."""
    if view.noun != "run":
        return ()
    if view.waits_for_yes:
        return ANSWERS + STOPS
    if view.result is None:
        return STOPS
    return REPEATS if view.stopped_after is None else (*REPEATS, *RESUMES)
