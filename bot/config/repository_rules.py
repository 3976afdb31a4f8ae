"""What the server's file lets repositories define for themselves: which keys, and within which bounds.

A key that is not named here is the server's: so is every key that a later version brings.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bot.catalog.conditions import DAY, Duration, between
from bot.catalog.images import LABEL, Repository
from bot.catalog.patterns import Form
from bot.config.settings import Section
from bot.config.values import ObjectName
from bot.text.globs import matches

FILE = ".errand.yaml"
"""The file of a repository, at its root."""

OWN = frozenset(
    {
        "annotations",
        "arguments",
        "command",
        "description",
        "env",
        "files",
        "image",
        "mask",
        "parameters",
        "setup",
        "workdir",
    }
)
"""Keys of a job that say what it is: a repository always sets them itself, and `defaults` never does."""

Override = Literal[
    "cancel_with",
    "concurrency",
    "expect",
    "expire",
    "grace",
    "keep",
    "lock",
    "notify",
    "on",
    "read_only",
    "requires",
    "retries",
    "schedule",
    "signal_children",
    "size",
    "timeout",
]
"""Keys that the server's file may leave to a repository; all others it never can."""

_NAMED = "^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$"
_LONGEST_PREFIX = 20


def _secret(value: str) -> str:
    if not re.fullmatch(_NAMED, value, re.ASCII):
        raise ValueError(
            "expected the name of a secret, such as shop-db, or of a variable, such as SHOP_TOKEN"
        )
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(LABEL, value) or len(value) > _LONGEST_PREFIX:
        raise ValueError(
            f"expected small letters, digits and - (at most {_LONGEST_PREFIX}), such as shop for shop-migrate"
        )
    return value


class RepositoryRules(Section):
    """What the repositories of one pattern may define. `jobs` is how many, and as many images.

    `registries` and `push` are repositories of registries, or what is above some: where images may come from,
    and where built ones may go. `secrets` names secrets, ConfigMaps and variables. As `service_account` their
    runs act in a cluster, without one as nobody. `unconfined`: also on the
    engine that confines nothing.
    """

    overrides: Annotated[tuple[Override, ...], Field(max_length=50)] = ()
    prefix: Annotated[str, AfterValidator(_prefix), Form(LABEL)] | None = None
    jobs: Annotated[int, Field(ge=1, le=500)] = 50
    sizes: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    timeout: Annotated[Duration, between(1, 7 * DAY)] = 3600.0
    registries: Annotated[tuple[Repository, ...], Field(max_length=100)] = ()
    push: Annotated[tuple[Repository, ...], Field(max_length=100)] = ()
    secrets: Annotated[
        tuple[Annotated[str, AfterValidator(_secret), Form(_NAMED)], ...], Field(max_length=200)
    ] = ()
    service_account: ObjectName | None = None
    unconfined: bool = False

    @property
    def summary(self) -> str:
        """What its jobs may say besides what they are, for `errand check`."""
        settings = f"sets {', '.join(self.overrides)}" if self.overrides else "sets nothing else"
        confined = ", unconfined" if self.unconfined else ""
        return f"defines up to {self.jobs} jobs, {settings}{confined}"

    @model_validator(mode="after")
    def _sizes_and_their_key(self) -> Self:
        if ("size" in self.overrides) != bool(self.sizes):
            raise ValueError("size in overrides and the names in sizes belong together: one is missing")
        return self


def rules_of(written: Mapping[str, RepositoryRules], repository: str) -> RepositoryRules | None:
    """What holds for `repository`: what names it before patterns, of which the first counts."""
    name = repository.casefold()
    exact = next((rules for pattern, rules in written.items() if pattern.casefold() == name), None)
    if exact is not None:
        return exact
    fits = (rules for pattern, rules in written.items() if matches(pattern.casefold(), name))
    return next(fits, None)


def prefix_of(rules: RepositoryRules, repository: str) -> str:
    """What the names of a repository's jobs and images begin with, besides a `-`."""
    own = re.sub(r"[^a-z0-9]+", "-", repository.partition("/")[2].casefold()).strip("-")
    return rules.prefix or own[:_LONGEST_PREFIX].strip("-") or "repository"
