"""`errand chat`: the grammar in a terminal, for trying an app.yaml without Slack or GitHub."""

from pathlib import Path
from typing import Annotated

import typer

from terminal.configured import DEFAULT, ConfigOption


def add_to(cli: typer.Typer) -> None:
    """Put the command there."""
    cli.command()(chat)


def chat(
    config: ConfigOption = DEFAULT,
    checkout: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[REPOSITORY=]DIRECTORY",
            help="Build images from this checkout instead of GitHub; without it, from the one around here.",
        ),
    ] = None,
) -> None:
    """Try an app.yaml without GitHub and Slack.

    Commands are typed as in a comment, jobs run for real, and nothing is kept.
    """
    from terminal.chat import talk

    raise typer.Exit(talk(Path(config), tuple(checkout or ())))
