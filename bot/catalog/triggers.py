"""What a job says in `on`: which happenings in its repository start it. Pure.

An entry is a word (`push`, `merge_group`) or keys, of which one names the event. Each kind is a model here
that says what fits; what an event is and how it is read is in `bot.events.occurrences`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from bot.catalog.conditions import Definition
from bot.catalog.patterns import SOME, Form
from bot.events import Occurrence
from bot.text.globs import matches
from bot.text.wording import nearest

_URL = "^https?://[^\\s\"'<>\\\\]{1,1000}$"


def _pattern(value: str) -> str:
    if not value.strip() or len(value) > 255:
        raise ValueError("expected a name, or a pattern such as review-* (at most 255 characters)")
    return value


def _address(value: str) -> str:
    if not re.match(_URL, value):
        raise ValueError("expected an address such as https://shop.example.com")
    return value


Pattern = Annotated[str, AfterValidator(_pattern), Form(SOME)]
"""A name, in which `*` is anything but `/` and `**` anything."""


class Trigger(Definition):
    """One kind of entry. `event` is what GitHub calls it."""

    event: ClassVar[str]

    def fits(self, happened: Occurrence) -> bool:
        """Whether `happened`, which is of this event, starts the job."""
        raise NotImplementedError


class OnDeployment(Trigger):
    """A deployment to an environment was made; its status tells how the job goes. `url`: of the site."""

    event = "deployment"
    deployment: Pattern
    url: Annotated[str, AfterValidator(_address), Form(_URL)] | None = None

    def fits(self, happened: Occurrence) -> bool:
        """By the name of the environment."""
        return matches(self.deployment, happened.environment)


class OnDeploymentStatus(Trigger):
    """Somebody said how a deployment stands."""

    event = "deployment_status"
    deployment_status: Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]
    environment: Pattern = "**"

    def fits(self, happened: Occurrence) -> bool:
        """By the state and the environment."""
        same = happened.facts.get("state") == self.deployment_status
        return same and matches(self.environment, happened.environment)


KINDS: Mapping[str, type[Trigger]] = {
    "deployment": OnDeployment,
    "deployment_status": OnDeploymentStatus,
}
"""By the key that names them."""
WORDS = ("push",)
"""Entries that are a word alone."""


def _kind(entry: Any) -> str | None:
    """Which kind an entry is; None for what is none."""
    if isinstance(entry, str):
        return "word" if entry in WORDS else None
    names = (
        entry
        if isinstance(entry, Mapping)
        else type(entry).model_fields
        if isinstance(entry, Trigger)
        else ()
    )
    return next((name for name in names if name in KINDS), None)


def _known(entry: object) -> object:
    if _kind(entry) is None:
        name = str(next(iter(entry), "")) if isinstance(entry, Mapping) else entry
        near = nearest(name, [*WORDS, *KINDS]) if isinstance(name, str) else None
        examples = f"{', '.join(WORDS)}, or keys such as {{deployment: production}}"
        raise ValueError(f"expected {examples}" + (f"; did you mean {near}?" if near else ""))
    return entry


_Written = (
    Annotated[Literal["push"], Tag("word")]
    | Annotated[OnDeployment, Tag("deployment")]
    | Annotated[OnDeploymentStatus, Tag("deployment_status")]
)
Entry = Annotated[Annotated[_Written, Discriminator(_kind)], BeforeValidator(_known)]
"""One entry of `on`."""
