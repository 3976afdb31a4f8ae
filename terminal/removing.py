"""`errand remove`: a job goes with all that is known of it, so it is asked first."""

import sys
from typing import Annotated

import typer

from terminal.failures import Usage, say
from terminal.remote import segment
from terminal.running import Job
from terminal.words import connected, naming


def add_to(cli: typer.Typer) -> None:
    """Put the command there."""
    cli.command()(remove)


def is_asked() -> bool:
    """Whether somebody sits there who can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def remove(
    name: Job,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a job with its runs, their logs, its hooks and its versions; there is no way back.

    It is one that was made over the API, or that app.yaml no longer defines.
    """
    if not yes:
        if not is_asked():
            raise Usage("This removes the job's history as well. Say --yes where nobody can be asked.")
        if not typer.confirm(f"Remove {name} with all its runs, logs and hooks?", err=True):
            say("Nothing was removed.")
            raise typer.Exit(1)
    with naming(name):
        connected().ask("DELETE", f"/api/jobs/{segment(name)}")
    say(f"{name} is removed. A long history goes in the background.")
