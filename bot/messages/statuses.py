"""Runs and builds as GitHub commit statuses, and the words that checks share with them.

https://docs.github.com/rest/commits/statuses
"""

import re
from dataclasses import dataclass

from bot.messages.text import clean, shortened, url
from bot.messages.view import View
from executor.spec import Result

DESCRIPTION_CHARACTERS = 140
_BEYOND_BMP = re.compile(r"[\U00010000-\U0010ffff]\ufe0f?")

_STATUSES = {
    Result.SUCCEEDED: "success",
    Result.FAILED: "failure",
    Result.CANCELLED: "error",
    Result.TIMED_OUT: "failure",
    Result.ERROR: "error",
}


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


def label_of(view: View) -> str:
    """By which GitHub knows a check or a status: `errand / migrate`; the newest of one name counts."""
    return f"errand / {view.label}{basic(clean(view.name, 100))}"


def status(view: View, link: str | None) -> StatusFields:
    """A run or a build as a commit status."""
    link = view.build_link or link
    return StatusFields(
        state=_STATUSES[view.result] if view.result is not None else "pending",
        context=label_of(view),
        description=shortened(basic(sentence(view)), DESCRIPTION_CHARACTERS),
        target_url=url(link) if link else None,
    )


def sentence(view: View) -> str:
    """`#142 failed with exit code 3 after 12s: OOMKilled`, without an emoji; `#142 by schedule ...`."""
    by = "" if view.tick_at is None else f" by {view.by[1]}"
    words = f"#{view.number}{by} {view.verdict}"
    if view.why:
        words += f"{view.before_why}{clean(view.why, 200)}"
    return words


def basic(text: str) -> str:
    """The text without the characters that GitHub refuses in statuses (those of four UTF-8 bytes)."""
    return _BEYOND_BMP.sub("\ufffd", text)
