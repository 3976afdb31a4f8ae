"""The command that defines jobs: `apply`. What is wrong is told with its file, line and column."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal import printing
from terminal.failures import Failure, Problem, say
from terminal.remote import Remote, segment
from terminal.words import Json, connected

if TYPE_CHECKING:
    from bot.config import DefinitionText

STDIN = Path("-")
_ABOUT_THE_JOB = (400, 409, 412, 413, 422)
"""Statuses that speak of one definition; with others the next one would fare no better."""


def add_to(cli: typer.Typer) -> None:
    """Put the command there."""
    cli.command()(apply)


def apply(
    file: Annotated[
        Path,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="One job with its `name`, or `jobs:` with several; YAML or JSON. `-` is standard input.",
        ),
    ],
    json: Json = False,
) -> None:
    """Create or change the jobs that a file defines.

    Every mistake is told with its line and column. A job that is refused keeps none of the others back.
    """
    written = _written(file)
    remote = connected()
    right = [_put(remote, written, name, json) for name in written.jobs]
    raise typer.Exit(0 if all(right) else 1)


def _written(file: Path) -> "DefinitionText":
    """What stands there; `Failure` with every mistake that keeps it from being sent."""
    from bot.config import definitions_of
    from bot.config.document import SIZE_LIMIT
    from bot.config.findings import unreadable
    from bot.errors import ConfigError

    try:
        if file == STDIN:
            return definitions_of("stdin", sys.stdin.buffer.read(SIZE_LIMIT + 1))
        try:
            with file.open("rb") as opened:
                return definitions_of(str(file), opened.read(SIZE_LIMIT + 1))
        except OSError as error:
            raise unreadable(file, error) from None
    except ConfigError as error:
        raise Failure(str(error)) from None


def _put(remote: Remote, written: "DefinitionText", name: str, json: bool) -> bool:
    """Send one job and tell what came of it; False where it was refused."""
    path = f"/api/jobs/{segment(name)}"
    try:
        version = _version(remote, path)
        job = remote.ask("PUT", path, written.jobs[name])
    except Problem as error:
        if error.status not in _ABOUT_THE_JOB:
            raise
        mistakes = error.mistakes or (((), str(error)),)
        findings = {written.finding(name, place, what) for place, what in mistakes}
        say("\n".join(str(each) for each in sorted(findings, key=lambda each: (each.place, each.message))))
        return False
    word = "unchanged" if job["version"] == version else "created" if version is None else "changed"
    if json:
        printing.document(job)
    else:
        print(f"{name}: {word}, version {job['version']}")
    return True


def _version(remote: Remote, path: str) -> int | None:
    try:
        return int(remote.ask("GET", path)["version"])
    except Problem as error:
        if error.status == 404:
            return None
        raise
