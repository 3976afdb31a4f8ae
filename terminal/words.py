"""What stands behind a command, read before anything is sent: numbers, KEY=VALUE, durations, the rest."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from bot.errors import ProblemType
from terminal.completion import job_names
from terminal.failures import Failure, Problem, Usage
from terminal.helping import Verb
from terminal.remote import Remote

_REST = "errand.rest"

Json = Annotated[bool, typer.Option("--json", help="Print the documents of the API, one a line.")]


class WithRest(Verb):
    """A command whose words after `--` are somebody else's, whatever they look like."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """With the words that are somebody else's."""
        return [*super().collect_usage_pieces(ctx), "[-- WORD...]"]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the rest for `rest_of`, parse what stands before it."""
        if "--" in args:
            place = args.index("--")
            args, ctx.meta[_REST] = args[:place], args[place + 1 :]
        return super().parse_args(ctx, args)


def rest_of(context: typer.Context) -> list[str]:
    """The words after `--`."""
    words = context.meta.get(_REST, [])
    return [str(word) for word in words]


def connected() -> Remote:
    """The Errand that is meant."""
    return Remote.found(os.environ)


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Where Errand has no such job, say that with its name, and with the one that was probably meant."""
    try:
        yield
    except Problem as error:
        if error.kind != ProblemType.NO_SUCH_JOB:
            raise
        from bot.text.wording import did_you_mean

        meant = did_you_mean(name, job_names("")).replace("`", "")
        raise Failure(f"There is no job {name}.{meant}") from None


def assignments(words: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE ...` as a mapping."""
    values: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise Usage(f"{word}: expected KEY=VALUE. Words for the command itself stand after `--`.")
        if name in values:
            raise Usage(f"{name}: given twice.")
        values[name] = value
    return values


def number_or_name(text: str) -> int | str:
    """`142` or `#142` is a number, anything else the name of a job."""
    digits = text.removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else text


def number(text: str) -> int:
    """The number of a run."""
    parsed = number_or_name(text)
    if isinstance(parsed, str):
        raise Usage(f"{text}: expected the number of a run, such as 142.")
    return parsed


def duration(text: str | None, option: str) -> float | None:
    """Seconds of `90`, `30s`, `1h30m`."""
    if text is None:
        return None
    from bot.text.units import seconds

    try:
        length = seconds(text)
    except ValueError as error:
        raise Usage(f"{option}: {error}, not {text}.") from None
    if not length:
        raise Usage(f"{option}: expected more than nothing.")
    return length
