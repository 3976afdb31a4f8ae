"""What a job says in `concurrency` and `lock`: how its runs keep out of each other's way, and others'. Pure.

A word alone is a limit of one, or none (`allow`). With keys: at most `limit` runs at a time of those that
have the same values of `key`, and what becomes of a further one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bot.catalog.conditions import Definition
from bot.catalog.images import LABEL
from bot.catalog.parameters import NAME, variable_name
from bot.catalog.patterns import Form
from bot.text.wording import did_you_mean, quoted

MOST = 1000
"""Runs at a time, at most, where a number is said."""

FACTS = ("branch", "pull_request", "environment")
"""What a run itself knows and a `key` may name, unless a parameter is called so."""

_LOCKS = 10
_SHORT = re.compile(r"[A-Za-z0-9._/@:+-]{0,40}", re.ASCII)
"""Values that stand in a queue's name as they are; of others a hash does."""


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _no_twice(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if value.count(name) > 1:
            raise ValueError(f"{name} is named twice")
    return value


_Name = Annotated[str, AfterValidator(variable_name), Form(NAME)]
_Names = Annotated[tuple[_Name, ...], Field(max_length=5), AfterValidator(_no_twice)]


class Concurrency(Definition):
    """At most `limit` runs at a time among those with the same values of `key`; `over`: a further one."""

    limit: Annotated[int, Field(ge=1, le=MOST)] = 1
    key: Annotated[_Names, BeforeValidator(_one_or_more, json_schema_input_type=_Name | _Names)] = ()
    over: Literal["queue", "forbid", "replace"] = "queue"

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise ValueError where `key` names nothing that a run of a job with these parameters has."""
        for name in self.key:
            if name not in parameters and name not in FACTS:
                near = did_you_mean(name, [*parameters, *FACTS])
                raise ValueError(f"key names {quoted(name)}, which is no parameter of the job.{near}")


Word = Literal["allow", "forbid", "replace", "queue"]


def _form(value: Any) -> str:
    return "keys" if isinstance(value, Mapping | Concurrency) else "word"


ConcurrencyRules = Annotated[
    Annotated[Word, Tag("word")] | Annotated[Concurrency, Tag("keys")], Discriminator(_form)
]
"""What stands in a definition."""


def _locks(value: object) -> object:
    """One lock, or several; a list of one is that one."""
    names = value if isinstance(value, list | tuple) else (value,)
    if not 1 <= len(names) <= _LOCKS:
        raise ValueError(f"expected one lock, or a list of at most {_LOCKS}")
    for name in names:
        if not isinstance(name, str) or not re.fullmatch(LABEL, name):
            raise ValueError("expected the name of a lock, of small letters, digits and - (at most 63)")
    _no_twice(tuple(names))
    return names[0] if len(names) == 1 else tuple(names)


_Lock = Annotated[str, Form(LABEL)]
Locks = Annotated[
    str | tuple[str, ...],
    BeforeValidator(
        _locks,
        json_schema_input_type=_Lock | Annotated[tuple[_Lock, ...], Field(min_length=1, max_length=_LOCKS)],
    ),
]
"""What stands in a definition: one lock, or several that a run takes together."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run is for, besides its parameters; None: for none."""

    branch: str | None = None
    pull_request: int | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """How a run keeps out of the way of others of its job, as it is stored with the run.

    `word` is what those read that know no number: never less strict than the rest, and nothing that ends
    others. `limit` is None for the words alone, whose `over` is the word. `queue` names those with the same
    values of the key; None: all runs of the job.
    """

    word: str
    limit: int | None = None
    queue: str | None = None
    over: str | None = None


def turn(rules: str | Concurrency, parameters: Mapping[str, str], facts: Facts) -> Turn:
    """That of a run with these parameters."""
    if isinstance(rules, str):
        return Turn(rules)
    if rules.limit == 1 and not rules.key:
        return Turn(rules.over)
    values = [(name, _value(name, parameters, facts)) for name in rules.key]
    queue = " ".join(f"{name}={_written(value)}" for name, value in values) or None
    return Turn("queue", rules.limit, queue, rules.over)


def _value(name: str, parameters: Mapping[str, str], facts: Facts) -> str:
    """Empty where the run has none: what is for no pull request is in one queue."""
    if name in parameters or name not in FACTS:
        return parameters.get(name, "")
    value = getattr(facts, name)
    return "" if value is None else str(value)


def _written(value: str) -> str:
    if _SHORT.fullmatch(value):
        return value
    return f"~{sha256(value.encode(errors='replace')).hexdigest()[:24]}"


def keeps_only_newest(rules: str | Concurrency) -> bool:
    """Whether what comes later than a run always ends that."""
    if isinstance(rules, str):
        return rules == "replace"
    return rules.over == "replace" and rules.limit == 1 and not rules.key
