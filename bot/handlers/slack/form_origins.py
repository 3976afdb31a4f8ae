"""What a form keeps of where it came from: Slack brings it back with whatever is done in the form."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bot.events.slack_facts import SlackSpot
from bot.messages.slack import elements
from bot.posting.slack_posts import RESPONSE_SECONDS

URL_CHARACTERS = 1000
"""Of an address for answers that is kept; Slack's own have about a hundred."""
MARK_CHARACTERS = 8
"""Of what stands for a repository: a form keeps a few thousand characters."""
MARKS_CHARACTERS = 1500
LARGEST = 10**18
"""No run has such a number."""


@dataclass(frozen=True, slots=True)
class FormOrigin:
    """The job that it is about, empty where that is asked, and where the run is to be told of.

    `opened` is when, in epoch seconds: an address for answers lasts for half an hour. `rerun_of` is the run
    whose values it was filled in with. `repositories` are marks of those whose jobs may be chosen, or of what
    else says who may.
    """

    job: str = ""
    channel: str | None = None
    name: str = ""
    thread: str | None = None
    response_url: str | None = None
    opened: float = 0.0
    rerun_of: int | None = None
    repositories: frozenset[str] = frozenset()

    @classmethod
    def of(cls, spot: SlackSpot | None, *, now: float) -> "FormOrigin":
        """Of a form that is opened from `spot`, None for Home and a global shortcut."""
        if spot is None:
            return cls(opened=now)
        url = spot.response_url if len(spot.response_url or "") <= URL_CHARACTERS else None
        return cls("", spot.channel, spot.name[:100], spot.thread, url, now)

    @classmethod
    def read(cls, metadata: str) -> "FormOrigin":
        """What `metadata` says; a `ValueError` where that is nothing of ours."""
        found = json.loads(metadata)
        if not isinstance(found, dict):
            raise ValueError("the form's metadata is no object")
        number, opened, marks = found.get("rerun_of"), found.get("opened"), found.get("repositories")
        return cls(
            job=_text(found, "job") or "",
            channel=_text(found, "channel"),
            name=_text(found, "name") or "",
            thread=_text(found, "thread"),
            response_url=_text(found, "response_url"),
            opened=float(opened) if isinstance(opened, int | float) else 0.0,
            rerun_of=number if isinstance(number, int) and 0 < number < LARGEST else None,
            repositories=frozenset(marks.split() if isinstance(marks, str) else ()),
        )

    def for_job(self, job: str, *, rerun_of: int | None = None) -> "FormOrigin":
        """The same for the form of one job."""
        return replace(self, job=job, rerun_of=rerun_of, repositories=frozenset())

    def for_jobs_of(self, repositories: Iterable[str]) -> "FormOrigin":
        """The same for a form in which a job with one of these keys is chosen: of as many as it can keep."""
        most = MARKS_CHARACTERS // (MARK_CHARACTERS + 1)
        return replace(self, job="", repositories=frozenset(sorted(map(mark, repositories))[:most]))

    @property
    def metadata(self) -> dict[str, Any]:
        """As a form keeps it."""
        facts: dict[str, Any] = {
            "job": self.job,
            "channel": self.channel,
            "name": self.name,
            "thread": self.thread,
            "response_url": self.response_url,
            "opened": int(self.opened),
            "rerun_of": self.rerun_of,
            "repositories": " ".join(sorted(self.repositories)),
        }
        kept = {name: fact for name, fact in facts.items() if fact}
        if len(json.dumps(kept)) > elements.METADATA_CHARACTERS:
            kept.pop("response_url", None)
        return kept

    def spot(self, channel: str | None, response_url: str | None, *, now: float) -> SlackSpot | None:
        """Where the run is told of: where it came from, else in the `channel` that was chosen in the form."""
        if self.channel is not None:
            url = self.response_url if now - self.opened < RESPONSE_SECONDS else None
            return SlackSpot(self.channel, self.name, thread=self.thread, response_url=url)
        return None if channel is None else SlackSpot(channel, response_url=response_url)


def mark(repository: str) -> str:
    """What stands for a repository in a form."""
    return hashlib.sha256(repository.casefold().encode()).hexdigest()[:MARK_CHARACTERS]


def _text(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and value else None
