"""`errand session`: who is logged in to the pages, for admins."""

from typing import Annotated

import typer

from terminal import printing
from terminal.failures import say
from terminal.helping import Commands
from terminal.words import Json, connected


def group() -> Commands:
    """The commands."""
    cli = Commands(help="Logins of people to the pages.")
    cli.command("list")(listing)
    cli.command("end")(end)
    return cli


def listing(json: Json = False) -> None:
    """Who is logged in with GitHub, since when, from where and with what."""
    found = connected().ask("GET", "/api/sessions")["sessions"]
    if json:
        for each in found:
            printing.document(each)
        return
    rows = [
        (
            each["number"],
            each["login"],
            printing.moment(each["created_at"]),
            printing.moment(each["expires_at"]),
            each["address"] or "",
            each["agent"] or "",
        )
        for each in found
    ]
    heads = ("number", "login", "since", "until", "from", "with")
    printing.table(heads, rows, "Nobody is logged in.")


def end(
    number: Annotated[int, typer.Argument(metavar="N", help="Which one: `errand session list` has it.")],
) -> None:
    """End a login at once, wherever its browser is."""
    connected().ask("DELETE", f"/api/sessions/{number}")
    say(f"Session {number} is over.")
