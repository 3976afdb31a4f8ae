"""Commands of who says yes or no to what somebody else asked for: `approve`, `deny`."""

from typing import Annotated, Any

import typer

from terminal import grammar, printing
from terminal.speech import tell
from terminal.words import Json, connected

Number = Annotated[str, typer.Argument(metavar="N", help="The number of a run.")]


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (approve, deny):
        cli.command()(command)


def approve(number: Number, json: Json = False) -> None:
    """Say yes to a run that waits for that.

    It is your own yes once you have logged in with `errand login`; nobody says it to what they asked for.
    """
    _ask("approve", [number], {}, json)


def deny(
    number: Number,
    why: Annotated[
        list[str] | None, typer.Argument(metavar='["REASON"]', help="Why; who asked for it is told.")
    ] = None,
    json: Json = False,
) -> None:
    """Say no to a run that waits for a yes, which ends it: `errand deny 142 "after the release"`."""
    _ask("deny", [number, *(why or [])], {"reason": why[0]} if why else {}, json)


def _ask(verb: str, words: list[str], body: dict[str, Any], as_json: bool) -> None:
    from bot.commands.parser import Approve, Deny

    meant = grammar.command(verb, words)
    if not isinstance(meant, Approve | Deny):
        raise LookupError(f"{verb} is no answer to a run")
    answer = connected().ask("POST", f"/api/runs/{meant.number}/{verb}", body)
    if as_json:
        printing.document(answer)
    else:
        tell(answer["text"])
