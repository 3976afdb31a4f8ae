"""What a job says in `requires`: what must hold of a pull request before its code runs. Pure.

An entry is a word, or one key with more: `{base: [main, "release/*"]}`, `{checks: {ignore: [lint]}}`. What is
not known for certain does not hold.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from bot.catalog.conditions import Definition
from bot.catalog.entries import EntryKinds
from bot.catalog.patterns import SOME, Form
from bot.text.globs import matches
from bot.text.wording import quoted

WORDS = ("checks", "review", "up_to_date", "not_draft", "signed")
"""Entries that are a word alone."""
KEYS = ("base", "checks")
"""Entries that are a key."""
_SOME = 3
"""Names that are told of many."""


def _name(value: str) -> str:
    if not value.strip() or len(value) > 255:
        raise ValueError("expected a name, or a pattern such as release/* (at most 255 characters)")
    return value


Pattern = Annotated[str, AfterValidator(_name), Form(SOME)]
Patterns = Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=100)]


class CheckFilter(Definition):
    """Which checks count, by names in which stars may stand: all but `ignore`, or `only` these."""

    ignore: Patterns | None = None
    only: Patterns | None = None

    @model_validator(mode="after")
    def _one(self) -> "CheckFilter":
        if (self.ignore is None) == (self.only is None):
            raise ValueError("expected ignore: or only: with names of checks, one of them")
        return self

    def counts(self, name: str) -> bool:
        """Whether the check of this name counts."""
        if self.only is not None:
            return any(matches(pattern, name) for pattern in self.only)
        return not any(matches(pattern, name) for pattern in self.ignore or ())


class SomeChecks(Definition):
    """Checks, but not all of them."""

    checks: CheckFilter


class Base(Definition):
    """The branches that a pull request may be for."""

    base: Patterns


_ENTRIES = EntryKinds(WORDS, {"base": Base, "checks": SomeChecks}, "or base: [main]")
_Written = (
    Annotated[Literal["checks", "review", "up_to_date", "not_draft", "signed"], Tag("word")]
    | Annotated[SomeChecks, Tag("checks")]
    | Annotated[Base, Tag("base")]
)
Requirement = Annotated[Annotated[_Written, Discriminator(_ENTRIES.of)], BeforeValidator(_ENTRIES.check)]
"""One entry of `requires`."""


def code_of(entry: Any) -> str:
    """The stable code of an entry: its word, or its key."""
    if isinstance(entry, SomeChecks):
        return "checks"
    return "base" if isinstance(entry, Base) else str(entry)


@dataclass(frozen=True, slots=True)
class Check:
    """The newest run of a check, or the newest status of a context. `state` is a word of GitHub's."""

    name: str
    passed: bool
    state: str


@dataclass(frozen=True, slots=True)
class PullFacts:
    """What is known of a pull request; None: not asked for, or GitHub did not say all of it.

    `approvals` and `objections` are the logins of people who may write, of the commit that is meant.
    `behind`: commits of the base that are not in it. `unsigned`: SHAs of commits without a verified
    signature.
    """

    base: str
    draft: bool | None = None
    checks: Sequence[Check] | None = None
    approvals: Sequence[str] | None = None
    objections: Sequence[str] = ()
    behind: int | None = None
    unsigned: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a requirement holds; `code` is stable, `sentence` Markdown for people."""

    code: str
    met: bool
    sentence: str


def verdicts(entries: Iterable[Any], facts: PullFacts) -> list[Verdict]:
    """One for each entry of `requires`, in its order."""
    return [Verdict(code_of(entry), *_judged(entry, facts)) for entry in entries]


def _judged(entry: Any, facts: PullFacts) -> tuple[bool, str]:
    if isinstance(entry, Base):
        fits = any(matches(pattern, facts.base) for pattern in entry.base)
        return fits, f"it is for {quoted(facts.base)}" + ("" if fits else f", not for {_named(entry.base)}")
    if isinstance(entry, SomeChecks) or entry == "checks":
        return _checks(entry.checks if isinstance(entry, SomeChecks) else None, facts)
    if entry == "review":
        return _review(facts)
    if entry == "up_to_date":
        return _up_to_date(facts)
    if entry == "not_draft":
        return facts.draft is False, "it is no draft" if facts.draft is False else "it is a draft"
    if facts.unsigned is None:
        return False, "GitHub does not tell whether all of its commits are signed"
    if facts.unsigned:
        return False, f"commits without a verified signature: {_named([sha[:7] for sha in facts.unsigned])}"
    return True, "all of its commits are signed"


def _checks(only: CheckFilter | None, facts: PullFacts) -> tuple[bool, str]:
    if facts.checks is None:
        return False, "GitHub does not tell all of its checks"
    counted = [check for check in facts.checks if only is None or only.counts(check.name)]
    bad = [check for check in counted if not check.passed]
    if bad:
        return False, f"its checks did not all pass: {_named([f'{each.name}: {each.state}' for each in bad])}"
    missing = list(_missing(only, counted))
    if missing:
        return False, f"there is no check {_named(missing)} on its commit yet"
    if not counted:
        return False, "there is no check on its commit yet"
    return True, f"{len(counted)} checks passed" if len(counted) > 1 else "its check passed"


def _missing(only: CheckFilter | None, counted: Sequence[Check]) -> Iterator[str]:
    for pattern in (only.only if only else None) or ():
        if not any(matches(pattern, check.name) for check in counted):
            yield pattern


def _review(facts: PullFacts) -> tuple[bool, str]:
    if facts.approvals is None:
        return False, "GitHub does not tell all of its reviews"
    if facts.objections:
        return False, f"changes were asked for by {_named(facts.objections)}"
    if not facts.approvals:
        return False, "nobody who may write has approved this commit"
    return True, f"approved by {_named(facts.approvals)}"


def _up_to_date(facts: PullFacts) -> tuple[bool, str]:
    if facts.behind is None:
        return False, f"GitHub does not tell how it stands to {quoted(facts.base)}"
    if facts.behind:
        commits = "commit" if facts.behind == 1 else "commits"
        return False, f"it lacks {facts.behind} {commits} of {quoted(facts.base)}"
    return True, f"it has all of {quoted(facts.base)}"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(quoted(name) for name in names[:_SOME])
    return shown if len(names) <= _SOME else f"{shown} and {len(names) - _SOME} more"
