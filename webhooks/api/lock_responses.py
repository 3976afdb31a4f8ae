"""What the API answers with about locks."""

from pydantic import Field

from webhooks.api.shapes import Moment, Shape, State, Text, Url, page_url


class Closed(Shape):
    """Who closed a target, why, and until when."""

    actor: str
    reason: str | None
    since: Moment = Field(validation_alias="created_at")
    until: Moment | None
    everyone: bool
    pull_request: int | None


class Holder(Shape):
    """The run that holds a target."""

    run: int = Field(validation_alias="number")
    job: str
    actor: str
    state: State
    url: Url = page_url("runs", "run")


class Lock(Shape):
    """A target, who keeps it closed or holds it, and how many runs wait for it."""

    target: str
    closed: Closed | None
    held: Holder | None = Field(validation_alias="holder")
    waiting: int


class Locks(Shape):
    """All targets that are closed or held, by name."""

    locks: list[Lock]


class LockAnswer(Shape):
    """A target that was locked; `text` is what the command is answered in a chat, in Markdown."""

    target: str
    closed: Closed
    text: Text


class UnlockAnswer(Shape):
    """A target that is open again."""

    target: str
    text: Text
