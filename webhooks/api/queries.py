"""What the API takes in queries and headers: rules that read them, and make its OpenAPI document as well."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from bot.access.people import MEMBER_ID
from bot.access.principals import LOGIN
from bot.states import EntryKind, State
from executor.spec import Result
from webhooks.api.problems import Problem

LONGEST = 200
"""Characters of a value."""

MOST_RUNS = 100
"""Runs in one answer."""

MOST_WHO = 100
"""Jobs in one answer about what somebody may: each may take a question to GitHub or Slack."""

MOST_LINES = 10_000
"""What `?tail=` may ask for."""

_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One name of a query: a number between two bounds, else one of `choices`, else any text.

    `several`: some of `choices`, with commas between them. `hints` say of a value that is none of them which
    parameter takes it. `pattern`: what texts whoever handles it takes, such as `example`. `required`: a query
    without it is a mistake.
    """

    name: str
    meaning: str
    least: int | None = None
    most: int = 10**18 - 1
    choices: tuple[str, ...] = ()
    several: bool = False
    hints: Mapping[str, str] = field(default_factory=dict)
    pattern: str | None = None
    example: str | None = None
    required: bool = False

    @property
    def schema(self) -> dict[str, object]:
        """What values it takes, as JSON Schema."""
        if self.least is not None:
            return {"type": "integer", "minimum": self.least, "maximum": self.most}
        if self.pattern is not None:
            return {"type": "string", "pattern": self.pattern, "examples": [self.example]}
        if self.choices:
            one: dict[str, object] = {"type": "string", "enum": [*self.choices]}
            if not self.several:
                return one
            return {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        return {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[^\\u0000]*$"}

    def check(self, value: str) -> None:
        """Raises a `Problem` for what it does not take."""
        if self.least is not None:
            if not _DIGITS.fullmatch(value) or not self.least <= int(value) <= self.most:
                raise Problem(400, f"{self.name}: expected a number from {self.least} to {self.most}.")
            return
        words = value.split(",") if self.several else [value]
        if not self.choices or (set(words) <= set(self.choices) and len(set(words)) == len(words)):
            return
        hint = "".join(f" {self.hints[each]}" for each in words if each in self.hints)
        more = ", or several with commas between them" if self.several else ""
        either = " or ".join(self.choices) if len(self.choices) == 2 else f"one of {', '.join(self.choices)}"
        raise Problem(400, f"{self.name}: expected {either}{more}.{hint}")


RUNS = (
    Parameter("job", "only runs of this job"),
    Parameter(
        "state",
        "only runs in this state",
        choices=tuple(State),
        hints={result: f"{result} is how a run ended: `result={result}` finds them." for result in Result},
    ),
    Parameter("result", "only runs that ended so; several with commas", choices=tuple(Result), several=True),
    Parameter("chain", "only the runs of the chain that began with this run, that one included", 1),
    Parameter("limit", "how many; 50 if not given", 1, MOST_RUNS),
    Parameter("before", "only runs with a smaller number", 1),
)

JSON_LINES = "jsonl"

AUDIT = (
    Parameter("since", "only from then on: a date, a moment, or how long ago, as in `7d`"),
    Parameter("until", "only before then"),
    Parameter("actor", "only what this person, token or hook did: `github:octocat`, or `octocat` for any"),
    Parameter("job", "only what concerns this job"),
    Parameter("kind", "only rows of this kind; several with commas", choices=tuple(EntryKind), several=True),
    Parameter("run", "only what concerns this run", 1),
    Parameter("repository", "only what concerns this repository"),
    Parameter("limit", "how many; 50 if not given, of JSON lines all", 1, 1000),
    Parameter("before", "only rows with a smaller number", 1),
    Parameter("after", "JSON lines: only rows with a greater number", 0),
    Parameter(
        "format", "`jsonl`: a row on each line, oldest first, instead of a page", choices=("json", JSON_LINES)
    ),
    Parameter("follow", "1: JSON lines that go on with what is decided from now on", choices=("1", "0")),
)

WHO = (
    Parameter(
        "login",
        "whom is asked about: the login of an account of GitHub, or `slack:U012AB3CD`",
        pattern=f"^(?:(?:github:)?{LOGIN}|slack:{MEMBER_ID})$",
        example="octocat",
        required=True,
    ),
    Parameter("limit", "how many jobs; 100 if not given", 1, MOST_WHO),
    Parameter("after", "only jobs whose names come after this one"),
)

DELIVERIES = (
    Parameter("limit", "how many; 50 if not given", 1, MOST_RUNS),
    Parameter("before", "only those with a smaller number", 1),
)

LOG = (
    Parameter("tail", "only the last lines, of the last 512 KiB", 0, MOST_LINES),
    Parameter("offset", "only from this byte on: `Log-Offset` says where the answer begins", 0),
    Parameter("timestamps", "1: each line after the moment at which it was kept", choices=("1", "0")),
    Parameter("follow", "1: go on while the job writes, and end with its log", choices=("1", "0")),
)

RUN_LOG = (
    *LOG,
    Parameter("attempt", "the log of this attempt; without it, of the last one so far", 1),
    Parameter("container", "the log of this sidecar of its pod, instead of the job's own"),
)

THAW = (
    Parameter("job", "the freeze of this job"),
    Parameter("lock", "the freeze of this lock"),
    Parameter("environment", "the freeze of this environment"),
)

HELP = (Parameter("page", "which page of the parameters, where there are many", 1, 999_999),)

LONGEST_WAIT = 600
"""Seconds that a call may wait for the end of its run."""

HOOK = (
    Parameter("run", "0 or false: only choose the tag, and run nothing", choices=("1", "0", "true", "false")),
    Parameter("wait", "seconds: answer when the run has ended, or after this time", 0, LONGEST_WAIT),
)

_KEY = r"[!-~]{1,200}"

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "the same key gives the same run, for a day; with another request it is a mistake (409)",
    pattern=f"^{_KEY}$",
    example="deploy-2026-01-31",
)


def read(request: Request, parameters: Sequence[Parameter] = ()) -> dict[str, str]:
    """The query's values; what is not known, said twice or out of bounds is a mistake that is told."""
    by_name = {each.name: each for each in parameters}
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in by_name:
            names = ", ".join(sorted(by_name)) or "nothing"
            raise Problem(400, f"Unknown in the query: {name[:40]!r}. Known: {names}.")
        if name in values:
            raise Problem(400, f"{name}: given twice.")
        if not value or "\x00" in value or len(value) > LONGEST:
            raise Problem(400, f"{name}: expected a value of 1 to {LONGEST} characters.")
        by_name[name].check(value)
        values[name] = value
    for each in parameters:
        if each.required and each.name not in values:
            raise Problem(400, f"{each.name}: required; {each.meaning}.")
    return values


def words(values: Mapping[str, str], name: str) -> list[str]:
    """The words that were read for `name`, none where it was not given."""
    return values[name].split(",") if name in values else []


def number(values: Mapping[str, str], name: str) -> int | None:
    """The number that was read for `name`; None where it was not given."""
    return int(values[name]) if name in values else None


def idempotency_key(request: Request) -> str | None:
    """The key that the request came with, None without one; a `Problem` for what is none."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not re.fullmatch(_KEY, keys[0], re.ASCII):
        raise Problem(400, "Idempotency-Key: expected one key of 1 to 200 visible ASCII characters.")
    return keys[0]
