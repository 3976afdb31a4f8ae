"""What a job says in `on`: which happenings in its repository start it. Pure.

An entry is a word (`push`, `merge_group`) or keys, of which one names the event. Each kind is a model here
that says what fits; what an event is and how it is read is in `bot.events.occurrences`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bot.catalog.conditions import Definition
from bot.catalog.patterns import SOME, Form
from bot.events import Occurrence
from bot.text.globs import matches
from bot.text.wording import nearest

_T = TypeVar("_T")

_URL = "^https?://[^\\s\"'<>\\\\]{1,1000}$"


def _pattern(value: str) -> str:
    if not value.strip() or len(value) > 255:
        raise ValueError("expected a name, or a pattern such as review-* (at most 255 characters)")
    return value


def _some(value: tuple[_T, ...]) -> tuple[_T, ...]:
    if not value:
        raise ValueError("expected at least one entry")
    return value


def is_address(text: str) -> bool:
    """Whether it is the address of a site."""
    return re.fullmatch(_URL, text) is not None


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("expected an address such as https://shop.example.com")
    return value


Pattern = Annotated[str, AfterValidator(_pattern), Form(SOME)]
"""A name, in which `*` is anything but `/` and `**` anything."""


class Trigger(Definition, ABC):
    """One kind of entry. `event` is what GitHub calls it."""

    event: ClassVar[str]

    @property
    @abstractmethod
    def words(self) -> str:
        """What starts the job, as people call it."""

    @abstractmethod
    def fits(self, happened: Occurrence) -> bool:
        """Whether `happened`, which is of this event, starts the job."""


class OnDeployment(Trigger):
    """A deployment to an environment was made; its status tells how the job goes. `url`: of the site."""

    event = "deployment"
    deployment: Pattern
    url: Annotated[str, AfterValidator(_address), Form(_URL)] | None = None

    @property
    def words(self) -> str:
        """What it is called."""
        return f"deployments to {self.deployment}"

    def fits(self, happened: Occurrence) -> bool:
        """By the name of the environment."""
        return matches(self.deployment, happened.environment)


class OnDeploymentStatus(Trigger):
    """Somebody said how a deployment stands."""

    event = "deployment_status"
    deployment_status: Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]
    environment: Pattern = "**"

    @property
    def words(self) -> str:
        """What it is called."""
        where = "" if self.environment == "**" else f" to {self.environment}"
        return f"deployments{where} that are {self.deployment_status}"

    def fits(self, happened: Occurrence) -> bool:
        """By the state and the environment."""
        same = happened.facts.get("state") == self.deployment_status
        return same and matches(self.environment, happened.environment)


class OnProtectionRule(Trigger):
    """A workflow waits at an environment that Errand's protection rule guards; the job decides."""

    event = "deployment_protection_rule"
    protection_rule: Pattern

    @property
    def words(self) -> str:
        """What it is called."""
        return f"workflows that wait at {self.protection_rule}"

    def fits(self, happened: Occurrence) -> bool:
        """By the name of the environment."""
        return matches(self.protection_rule, happened.environment)


class OnRelease(Trigger):
    """A release was published (`published`), which was no draft and no preview any more (`released`)."""

    event = "release"
    release: Literal["published", "released", "prereleased"]

    @property
    def words(self) -> str:
        """What it is called."""
        return f"releases ({self.release})"

    def fits(self, happened: Occurrence) -> bool:
        """By what became of it."""
        return happened.facts.get("action") == self.release


class OnTag(Trigger):
    """A tag was pushed."""

    event = "push"
    tag: Pattern

    @property
    def words(self) -> str:
        """What it is called."""
        return f"tags {self.tag}"

    def fits(self, happened: Occurrence) -> bool:
        """By its name."""
        return matches(self.tag, happened.ref.removeprefix("tags/"))


class Labeled(Definition):
    """A label was put on a pull request."""

    labeled: Pattern


CHANGES = ("opened", "synchronize", "reopened", "ready_for_review", "closed")
"""What may become of a pull request, besides a label that is put on it."""


def _change(entry: object) -> object:
    label = entry.get("labeled") if isinstance(entry, Mapping) else None
    if entry in CHANGES or isinstance(entry, Labeled):
        return entry
    if not isinstance(label, str) or not isinstance(entry, Mapping) or len(entry) != 1:
        raise ValueError(f"expected {', '.join(CHANGES)} or {{labeled: NAME}}")
    return entry


_Change = Annotated[
    Literal["opened", "synchronize", "reopened", "ready_for_review", "closed"] | Labeled,
    BeforeValidator(_change),
]


class OnPullRequest(Trigger):
    """Something became of a pull request, to one of `branches` where those are named."""

    event = "pull_request"
    pull_request: Annotated[tuple[_Change, ...], Field(max_length=20), AfterValidator(_some)]
    branches: Annotated[tuple[Pattern, ...], AfterValidator(_some)] | None = None

    @property
    def words(self) -> str:
        """What it is called."""
        changes = [each if isinstance(each, str) else f"labeled {each.labeled}" for each in self.pull_request]
        where = f" to {', '.join(self.branches)}" if self.branches else ""
        return f"pull requests{where} ({', '.join(changes)})"

    def fits(self, happened: Occurrence) -> bool:
        """By what became of it, the label, and the branch that it is to be merged into."""
        action, label = happened.facts.get("action"), happened.facts.get("label", "")
        if self.branches is not None and not _any_fits(self.branches, happened.facts.get("branch", "")):
            return False
        return any(
            action == "labeled" and matches(each.labeled, label)
            if isinstance(each, Labeled)
            else each == action
            for each in self.pull_request
        )


class OnWorkflow(Trigger):
    """A workflow of GitHub Actions ended, by its name or the name of its file.

    Without `branches` on the default branch alone: whoever may push any branch can let one end there.
    """

    event = "workflow_run"
    workflow: Pattern
    conclusion: Literal[
        "success", "failure", "cancelled", "timed_out", "neutral", "skipped", "action_required", "stale"
    ] = "success"
    branches: Annotated[tuple[Pattern, ...], AfterValidator(_some)] | None = None

    @property
    def words(self) -> str:
        """What it is called."""
        return f"ends of the workflow {self.workflow} ({self.conclusion})"

    def fits(self, happened: Occurrence) -> bool:
        """By its name, how it ended, and the branch that it ran on."""
        facts = happened.facts
        branch = facts.get("branch", "")
        known = self.branches if self.branches is not None else (happened.default_branch,)
        named = self.workflow == facts.get("file") or matches(self.workflow, facts.get("name", ""))
        return (
            named and facts.get("conclusion") == self.conclusion and bool(branch) and _any_fits(known, branch)
        )


class OnDispatch(Trigger):
    """Somebody who may write sent `repository_dispatch` of this type, with a job and its parameters."""

    event = "repository_dispatch"
    repository_dispatch: Pattern

    @property
    def words(self) -> str:
        """What it is called."""
        return f"dispatches {self.repository_dispatch}"

    def fits(self, happened: Occurrence) -> bool:
        """By the type."""
        return matches(self.repository_dispatch, happened.facts.get("type", ""))


def _any_fits(patterns: Iterable[str], name: str) -> bool:
    return any(matches(pattern, name) for pattern in patterns)


KINDS: Mapping[str, type[Trigger]] = {
    "deployment": OnDeployment,
    "deployment_status": OnDeploymentStatus,
    "protection_rule": OnProtectionRule,
    "release": OnRelease,
    "tag": OnTag,
    "pull_request": OnPullRequest,
    "workflow": OnWorkflow,
    "repository_dispatch": OnDispatch,
}
"""By the key that names them."""
WORDS = ("push", "merge_group")
"""Entries that are a word alone, as GitHub calls the event."""


def _kind(entry: Any) -> str | None:
    """Which kind an entry is; None for what is none."""
    if isinstance(entry, str):
        return "word" if entry in WORDS else None
    if isinstance(entry, Trigger):
        entry = type(entry).model_fields
    # `deployment_status` is beside `environment`, and no kind is a key of another one.
    return next((name for name in entry if name in KINDS), None) if isinstance(entry, Mapping) else None


def _known(entry: object) -> object:
    if _kind(entry) is None:
        name = str(next(iter(entry), "")) if isinstance(entry, Mapping) else entry
        near = nearest(name, [*WORDS, *KINDS]) if isinstance(name, str) else None
        examples = f"{', '.join(WORDS)}, or keys such as {{deployment: production}}"
        hint = f"; did you mean {near}?" if near else ""
        raise ValueError(f"no event that starts jobs: expected {examples}{hint}")
    return entry


_Written = (
    Annotated[Literal["push", "merge_group"], Tag("word")]
    | Annotated[OnDeployment, Tag("deployment")]
    | Annotated[OnDeploymentStatus, Tag("deployment_status")]
    | Annotated[OnProtectionRule, Tag("protection_rule")]
    | Annotated[OnRelease, Tag("release")]
    | Annotated[OnTag, Tag("tag")]
    | Annotated[OnPullRequest, Tag("pull_request")]
    | Annotated[OnWorkflow, Tag("workflow")]
    | Annotated[OnDispatch, Tag("repository_dispatch")]
)
Entry = Annotated[Annotated[_Written, Discriminator(_kind)], BeforeValidator(_known)]
"""One entry of `on`."""


def starts(entries: Iterable[Entry], job: str, happened: Occurrence) -> bool:
    """Whether `happened` starts the job of this name, which says `entries`; a dispatch names the job."""
    if happened.facts.get("job", job) != job:
        return False
    for entry in entries:
        if isinstance(entry, str):
            # What the word `push` starts waits for a build, and is decided with that.
            if entry == happened.event != "push":
                return True
        elif entry.event == happened.event and entry.fits(happened):
            return True
    return False


_WORDS = {"push": "pushes that rebuild its image", "merge_group": "merge queues"}


def described(entries: Iterable[Entry]) -> tuple[str, ...]:
    """What starts a job besides people, in words; names in it come from the file."""
    return tuple(_WORDS[each] if isinstance(each, str) else each.words for each in entries)
