"""What happened in a repository besides pushes and comments and may start jobs: facts, read leniently.

Every event of GitHub that a job can name in `on` has one row in `READERS`: what it is known by, which commit
it speaks of, and what a job's `on` compares. Fields that are missing, null or of another kind are as if they
were empty; an event that lacks what it cannot do without is ignored with the reason, never an error.
Payload shapes: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.text import refs

PAYLOAD_LIMIT = 256 * 1024
"""Bytes of what a deployment or a dispatch brings for the job; larger ones start nothing."""
TEXT = 255
"""Characters of a name that is read; GitHub's own are no longer."""


class Unreadable(ValueError):
    """An event without what is needed, or one that starts nothing: the sentence says which."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing that happened in `repository`. Texts are empty and numbers None where nothing is known.

    `key` is what makes it one thing within its repository, however often and by whichever webhook it is
    told; it is made of what GitHub signs. `subject` is what people call it. `commit` is a full SHA, `ref` the
    branch or the tag (`tags/v1`); without a commit it is that of the ref, without both that of the default
    branch. `own`: the commit is the repository's and no fork's, None where GitHub has to be asked. `facts`
    are what a job's `on` compares. `payload` is what whoever made it wants the job to have, as text.
    """

    event: str
    repository: str
    public: bool
    default_branch: str
    key: str
    subject: str
    sender: str
    commit: str = ""
    ref: str = ""
    own: bool | None = None
    head: str = ""
    """The fork that the commit is of, where that is known."""
    facts: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""
    deployment: int | None = None
    callback: str = ""
    """Where GitHub wants to hear whether an environment may be deployed to."""
    pull: int | None = None
    at: str = ""
    """When it happened, ISO 8601, as far as the order of several matters."""
    message: str | None = None
    """Of the newest commit, where the payload has it."""
    payload: str | None = None
    number: int | None = None
    owner_number: int | None = None


class Payload:
    """A payload as it came; every look at it has an answer."""

    def __init__(self, data: object) -> None:
        self._data = data

    def value(self, *path: str) -> Any:
        """What is at `path`, None where there is nothing."""
        found = self._data
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def text(self, *path: str) -> str:
        """The text at `path`, empty where there is none or one that no name is as long as."""
        found = self.value(*path)
        return found if isinstance(found, str) and len(found) <= TEXT and _is_sayable(found) else ""

    def number(self, *path: str) -> int | None:
        """The whole number at `path` that counts something and fits where it is stored."""
        found = self.value(*path)
        whole = isinstance(found, int) and not isinstance(found, bool)
        return found if whole and 0 < found < 1 << 62 else None

    def sha(self, *path: str) -> str:
        """The full SHA at `path`."""
        found = self.text(*path)
        return found if refs.is_full_sha(found) else ""

    def branch(self, *path: str) -> str:
        """The name of a branch or a tag at `path`, without `refs/heads/`; empty where git lets none be so."""
        found = self.text(*path).removeprefix("refs/heads/")
        if found.startswith("refs/tags/"):
            found = found.removeprefix("refs/")
        return found if refs.is_name(found) else ""

    def needed(self, *path: str) -> int:
        """The number at `path`; raises `Unreadable`."""
        found = self.number(*path)
        if found is None:
            raise Unreadable(f"the payload lacks what is needed, first: {'.'.join(path)}")
        return found

    def words(self, *path: str) -> str:
        """The text at `path`; raises `Unreadable` where there is none."""
        found = self.text(*path)
        if not found:
            raise Unreadable(f"the payload lacks what is needed, first: {'.'.join(path)}")
        return found


def _is_sayable(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


Reader = Callable[[Payload], dict[str, Any]]
"""Gives the fields of an `Occurrence`, but for its repository and its sender."""


def _deployment(payload: Payload) -> dict[str, Any]:
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment"""
    _only(payload, "created")
    number, environment = payload.needed("deployment", "id"), payload.words("deployment", "environment")
    return {
        "key": f"deployment:{number}",
        "subject": f"deployment to {environment}",
        **_deployed(payload),
        "payload": _given(payload.value("deployment", "payload")),
    }


def _deployment_status(payload: Payload) -> dict[str, Any]:
    """https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_status"""
    _only(payload, "created")
    number, state = payload.needed("deployment_status", "id"), payload.words("deployment_status", "state")
    deployed = _deployed(payload)
    environment = payload.text("deployment_status", "environment") or deployed["environment"]
    return {
        **deployed,
        "key": f"deployment_status:{number}",
        "subject": f"deployment to {environment}: {state}",
        "environment": environment,
        "deployment": None,  # its status is somebody else's
        "facts": {"state": state, "environment": environment},
        "payload": _given(payload.value("deployment", "payload")),
    }


def _deployed(payload: Payload) -> dict[str, Any]:
    """What every event about a deployment has."""
    environment = payload.text("deployment", "environment")
    return {
        "commit": payload.sha("deployment", "sha"),
        "ref": payload.branch("deployment", "ref"),
        "environment": environment,
        "deployment": payload.number("deployment", "id"),
        "facts": {"environment": environment},
    }


READERS: Mapping[str, Reader] = {
    "deployment": _deployment,
    "deployment_status": _deployment_status,
}
"""By the name of the event."""


def read(event: str, data: object) -> Occurrence:
    """What happened; raises `Unreadable` with a sentence for the operator."""
    payload = Payload(data)
    fields = READERS[event](payload)
    if fields.get("commit") == "" and fields.get("ref") == "" and event in _ON_A_COMMIT:
        raise Unreadable("the payload lacks what is needed, first: the commit")
    private = payload.value("repository", "private")
    return Occurrence(
        event=event,
        repository=payload.words("repository", "full_name"),
        public=private is False,
        default_branch=payload.branch("repository", "default_branch"),
        sender=payload.text("sender", "login") or "somebody",
        number=payload.number("repository", "id"),
        owner_number=payload.number("repository", "owner", "id"),
        **fields,
    )


_ON_A_COMMIT = frozenset(READERS)
"""Events that are about a commit, so one without is none."""


def _only(payload: Payload, *actions: str) -> None:
    action = payload.text("action")
    if action not in actions:
        raise Unreadable(f"it was {action[:40] or 'something'}, which starts nothing")


def _given(value: object) -> str | None:
    """What is to reach the job: a text as it is, everything else as JSON; None where there is nothing."""
    if value is None or value in ("", {}, []):
        return None
    text = value if isinstance(value, str) and _is_sayable(value) else json.dumps(value)
    if len(text.encode()) > PAYLOAD_LIMIT:
        raise Unreadable(f"its payload is larger than {PAYLOAD_LIMIT // 1024} KiB")
    return text
