"""Runs and builds as GitHub check runs.

https://docs.github.com/rest/checks/runs
"""

import re
from dataclasses import dataclass

from bot.messages.comments import details, headline
from bot.messages.statuses import label_of, sentence
from bot.messages.text import fence, iso, shortened, url
from bot.messages.view import View
from bot.states import State
from executor.spec import Result

TITLE_CHARACTERS = 200
SUMMARY_CHARACTERS = 60_000  # GitHub takes 65,535 for the summary and for the text each
TAIL_CHARACTERS = 12_000

# An error of the platform is told as a failure: `neutral` would let a required check pass.
_CONCLUSIONS = {
    Result.SUCCEEDED: "success",
    Result.FAILED: "failure",
    Result.CANCELLED: "cancelled",
    Result.TIMED_OUT: "timed_out",
    Result.ERROR: "failure",
}

CANCEL, RERUN, LATEST = "cancel", "rerun", "rerun-latest"
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
REPEATS = (
    CheckButton("Re-run", "Once more, exactly as it was", RERUN),
    CheckButton("Re-run with latest", "With today's definition and commit", LATEST),
)


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

    def body(self) -> dict[str, object]:
        """The fields as GitHub's API takes them, without those that are not set."""
        output = {"title": self.title, "summary": self.summary, "text": self.text}
        fields: dict[str, object] = {
            "name": self.name,
            "status": self.status,
            "conclusion": self.conclusion,
            "details_url": self.details_url,
            "external_id": self.external_id,
            "started_at": self.started_at,
            "completed_at": self.completed_at,
            "output": {key: value for key, value in output.items() if value is not None},
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


def check(view: View, link: str | None, *, nonce: str, now: float) -> CheckFields:
    """A run or a build as a check run, found again by `nonce`."""
    done = view.result is not None
    page = view.build_link or link
    state = "completed" if done else "queued" if view.state is State.WAITING else "in_progress"
    ended = view.finished_at if view.finished_at is not None else now
    return CheckFields(
        name=label_of(view),
        status=state,
        conclusion=_CONCLUSIONS[view.result] if view.result is not None else None,
        title=shortened(sentence(view), TITLE_CHARACTERS),
        summary=shortened(f"{headline(view, link)}\n\n{details(view, on_commit=True)}", SUMMARY_CHARACTERS),
        text=fence(view.tail, limit=TAIL_CHARACTERS) if view.shows_tail else None,
        details_url=url(page) if page else None,
        external_id=str(CheckName(view.noun, view.number, nonce)),
        started_at=iso(view.started_at) if view.started_at is not None else None,
        completed_at=iso(ended) if done else None,
        buttons=_buttons(view),
    )


def _buttons(view: View) -> tuple[CheckButton, ...]:
    """What can be asked for by a button; GitHub draws one of its own that repeats."""
    if view.noun != "run":
        return ()
    return REPEATS if view.result is not None else STOPS
