"""`errand help`: what a command, or a job of the Errand that is meant, does and takes."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.core import TyperGroup

from terminal.failures import Failure, Usage
from terminal.remote import segment
from terminal.speech import tell
from terminal.words import connected


def show(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Such as `run` or `hook create`; or a job.")
    ] = None,
) -> None:
    """Tell what a command or a job does and takes; without one, what there is."""
    place = context.find_root()
    for word in command or []:
        commands = place.command.commands if isinstance(place.command, TyperGroup) else {}
        if word not in commands:
            if place is context.find_root() and (text := _of_job(command or [])) is not None:
                tell(text)
                return
            from bot.text.wording import did_you_mean

            meant = did_you_mean(word, [*commands]).replace("`", "")
            raise Usage(f"There is no command {' '.join([place.command_path, word])}.{meant}")
        place = type(place)(commands[word], info_name=word, parent=place)
    typer.echo(place.get_help())


def _of_job(words: Sequence[str]) -> str | None:
    """What the Errand that is meant says of the job `words` name, with a page; None where it says nothing."""
    name, *rest = words
    if len(rest) > 1 or not all(word.isascii() and word.isdigit() for word in rest):
        return None
    try:
        answer = connected().ask(
            "GET", f"/api/jobs/{segment(name)}/help", query={"page": rest[0] if rest else None}
        )
    except Failure:
        return None
    return str(answer.get("text", ""))
