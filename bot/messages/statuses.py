"""Runs and builds as GitHub check runs and as commit statuses.

https://docs.github.com/rest/checks/runs and https://docs.github.com/rest/commits/statuses
"""

import re
from dataclasses import dataclass

from bot.messages.comments import details, headline
from bot.messages.text import clean, fence, iso, shortened, url
from bot.messages.view import View
from bot.states import State
from executor.spec import Result

DESCRIPTION_CHARACTERS = 140
TITLE_CHARACTERS = 200
SUMMARY_CHARACTERS = 60_000  # GitHub takes 65,535 for the summary and for the text each
TAIL_CHARACTERS = 12_000
_BEYOND_BMP = re.compile(r"[\U00010000-\U0010ffff]\ufe0f?")

# An error of the platform is told as a failure: `neutral` would let a required check pass.
_CONCLUSIONS = {
    Result.SUCCEEDED: "success",
    Result.FAILED: "failure",
    Result.CANCELLED: "cancelled",
    Result.TIMED_OUT: "timed_out",
    Result.ERROR: "failure",
}
_STATUSES = {
    Result.SUCCEEDED: "success",
    Result.FAILED: "failure",
    Result.CANCELLED: "error",
    Result.TIMED_OUT: "failure",
    Result.ERROR: "error",
}


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
        }
        return {key: value for key, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class StatusFields:
    """A commit status; `description` has at most 140 characters."""

    state: str  # pending | success | failure | error
    context: str
    description: str
    target_url: str | None

    def body(self) -> dict[str, object]:
        """The fields as GitHub's API takes them, without those that are not set."""
        fields = {"state": self.state, "context": self.context, "description": self.description}
        return {**fields, **({"target_url": self.target_url} if self.target_url else {})}


def _name(view: View) -> str:
    return f"errand / {view.label}{_basic(clean(view.name, 100))}"


def check(view: View, link: str | None, *, nonce: str, now: float) -> CheckFields:
    """A run or a build as a check run, found again by `nonce`."""
    done = view.result is not None
    page = view.build_link or link
    state = "completed" if done else "queued" if view.state is State.WAITING else "in_progress"
    ended = view.finished_at if view.finished_at is not None else now
    return CheckFields(
        name=_name(view),
        status=state,
        conclusion=_CONCLUSIONS[view.result] if view.result is not None else None,
        title=shortened(_sentence(view), TITLE_CHARACTERS),
        summary=shortened(f"{headline(view, link)}\n\n{details(view, on_commit=True)}", SUMMARY_CHARACTERS),
        text=fence(view.tail, limit=TAIL_CHARACTERS) if view.shows_tail else None,
        details_url=url(page) if page else None,
        external_id=nonce,
        started_at=iso(view.started_at) if view.started_at is not None else None,
        completed_at=iso(ended) if done else None,
    )


def status(view: View, link: str | None) -> StatusFields:
    """A run or a build as a commit status."""
    link = view.build_link or link
    return StatusFields(
        state=_STATUSES[view.result] if view.result is not None else "pending",
        context=_name(view),
        description=shortened(_basic(_sentence(view)), DESCRIPTION_CHARACTERS),
        target_url=url(link) if link else None,
    )


def _sentence(view: View) -> str:
    """`#142 failed with exit code 3 after 12s: OOMKilled`, without an emoji; `#142 by schedule ...`."""
    by = "" if view.tick_at is None else f" by {view.by[1]}"
    sentence = f"#{view.number}{by} {view.verdict}"
    if view.why:
        sentence += f"{view.before_why}{clean(view.why, 200)}"
    return sentence


def _basic(text: str) -> str:
    """The text without the characters that GitHub refuses in statuses (those of four UTF-8 bytes)."""
    return _BEYOND_BMP.sub("\ufffd", text)
