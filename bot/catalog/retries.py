"""What a job says in `retries`: which ends of an attempt deserve another, how many, and when. Pure.

A number alone is how many attempts may follow the first, whatever went wrong. What is cancelled is never
tried again, and is not asked about here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from bot.catalog.conditions import Definition, Duration, between
from bot.catalog.entries import EntryKinds
from bot.catalog.patterns import Form

MOST = 10
"""Attempts after the first, at most."""

FIRST_PAUSE = 2.0
"""Seconds between the first attempt and the second where a job says nothing else."""

LONGEST_PAUSE = 300.0
"""Seconds between two attempts, at most, where a job says nothing else."""

Word = Literal["failed", "timed_out", "error"]
WORDS: tuple[Word, ...] = ("failed", "timed_out", "error")
"""Entries that are a word alone: how the attempt ended."""
KEYS = ("exit", "reason")
"""Entries that are a key."""

_T = TypeVar("_T")

_HOUR = 3600.0
_REASON = "^[A-Za-z][A-Za-z0-9]{0,62}$"


def _some(value: object) -> object:
    """One, or a list of them."""
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


def _reason(value: str) -> str:
    if not (value.isascii() and value.isalnum() and value[0].isalpha() and len(value) <= 63):
        raise ValueError("expected a reason as runs show it, such as OOMKilled")
    return value


def _any(value: tuple[_T, ...]) -> tuple[_T, ...]:
    if not value:
        raise ValueError("expected at least one entry")
    return value


_Code = Annotated[int, Field(ge=1, le=255)]
_Codes = Annotated[tuple[_Code, ...], Field(max_length=50), AfterValidator(_any)]
_Reason = Annotated[str, AfterValidator(_reason), Form(_REASON)]
_Reasons = Annotated[tuple[_Reason, ...], Field(max_length=50), AfterValidator(_any)]


class ExitCodes(Definition):
    """The command itself ended with one of these."""

    exit: Annotated[_Codes, BeforeValidator(_some, json_schema_input_type=_Code | _Codes)]


class Reasons(Definition):
    """The attempt ended for one of these reasons, in whatever way."""

    reason: Annotated[_Reasons, BeforeValidator(_some, json_schema_input_type=_Reason | _Reasons)]


_ENTRIES = EntryKinds(WORDS, {"exit": ExitCodes, "reason": Reasons}, "exit: [75] or reason: [OOMKilled]")
_Written = (
    Annotated[Word, Tag("word")] | Annotated[ExitCodes, Tag("exit")] | Annotated[Reasons, Tag("reason")]
)
End = Annotated[Annotated[_Written, Discriminator(_ENTRIES.of)], BeforeValidator(_ENTRIES.check)]
"""One entry of `on` and `never`."""
_Ends = Annotated[tuple[End, ...], Field(max_length=20)]


@dataclass(frozen=True, slots=True)
class Ended:
    """How attempt number `attempt` (from 1) ended."""

    attempt: int
    result: str
    reason: str | None
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether another attempt follows, and by which rule.

    `kind` is `on` or `never` with the entry's words in `rule`, `unlisted` where no entry of `on` fits, or
    `last` where all attempts are used up.
    """

    again: bool
    kind: Literal["on", "never", "unlisted", "last"]
    rule: str


class Retries(Definition):
    """How often a run is tried in all, after which ends, and the pauses between. Durations are seconds.

    `never` has the last word. Each pause is `factor` times the one before, `longest` at most, and up to
    `jitter` of itself longer, by chance.
    """

    attempts: Annotated[int, Field(ge=1, le=1 + MOST)]
    on: _Ends = WORDS
    never: _Ends = ()
    delay: Annotated[Duration, between(0, _HOUR)] = FIRST_PAUSE
    factor: Annotated[float, Field(ge=1, le=10)] = 2.0
    longest: Annotated[Duration, between(0, _HOUR)] = LONGEST_PAUSE
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0

    def decide(self, ended: Ended) -> RetryDecision | None:
        """What follows this end; None after one that is never tried again, whatever a job says."""
        if ended.result not in WORDS:
            return None
        for entry in self.never:
            if _fits(entry, ended):
                return RetryDecision(False, "never", _words(entry, ended))
        fitting = next((entry for entry in self.on if _fits(entry, ended)), None)
        if fitting is None:
            return RetryDecision(False, "unlisted", _words(ended.result, ended))
        rule = _words(fitting, ended)
        if ended.attempt >= self.attempts:
            return RetryDecision(False, "last", rule)
        return RetryDecision(True, "on", rule)

    def pause_after(self, ended: Ended, name: str) -> float | None:
        """Seconds from this end of an attempt of the run called `name` to the next; None for none."""
        decision = self.decide(ended)
        if decision is None or not decision.again:
            return None
        pause = min(self.delay * self.factor ** (ended.attempt - 1), max(self.delay, self.longest))
        return pause * (1 + self.jitter * _share(f"{name}.{ended.attempt}"))


def _fits(entry: Any, ended: Ended) -> bool:
    if isinstance(entry, ExitCodes):
        return ended.result == "failed" and ended.exit_code in entry.exit
    if isinstance(entry, Reasons):
        return ended.reason in entry.reason
    return bool(entry == ended.result)


def _words(entry: Any, ended: Ended) -> str:
    """The part of an entry that fits, as it is written: `exit: 75`."""
    if isinstance(entry, ExitCodes):
        return f"exit: {ended.exit_code}"
    if isinstance(entry, Reasons):
        return f"reason: {ended.reason}"
    return str(entry)


def _share(text: str) -> float:
    """From 0 to 1, the same for the same text: whichever bot asks, and however often."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def _number(value: object) -> object:
    if isinstance(value, bool):  # which Python takes for a number
        raise ValueError("expected a whole number, or rules such as {attempts: 3}")
    return value


def _form(value: Any) -> str:
    return "rules" if isinstance(value, Mapping | Retries) else "number"


RetryRules = Annotated[
    Annotated[Annotated[int, Field(ge=0, le=MOST), BeforeValidator(_number)], Tag("number")]
    | Annotated[Retries, Tag("rules")],
    Discriminator(_form),
]
"""What stands in a definition."""


def rules_of(written: int | Retries) -> Retries | None:
    """What a definition says, in full; None where there is only ever one attempt."""
    if isinstance(written, Retries):
        return written
    return Retries(attempts=1 + written, delay=FIRST_PAUSE) if written else None


def of_definition(definition: Mapping[str, Any]) -> Retries | None:
    """The same of a job as it was stored with a run; None also where it says what is not known here."""
    written = definition.get("retries", 0)
    try:
        if isinstance(written, Mapping):
            return Retries.model_validate(written)
        return rules_of(written) if isinstance(written, int) else None
    except ValueError:
        return None


def decision_of(definition: Mapping[str, Any], ended: Ended) -> RetryDecision | None:
    """What follows this end of a run of this stored definition; None also where its job has no `retries`."""
    found = of_definition(definition)
    return None if found is None else found.decide(ended)
