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
    columns = {
        "number": lambda each: each["number"],
        "login": lambda each: each["login"],
        "since": lambda each: printing.moment(each["created_at"]),
        "until": lambda each: printing.moment(each["expires_at"]),
        "from": lambda each: each["address"],
        "with": lambda each: each["agent"],
    }
    printing.listing(found, columns, "Nobody is logged in.", json=json)


def end(
    number: Annotated[int, typer.Argument(metavar="N", help="Which one: `errand session list` has it.")],
) -> None:
    """End a login at once, wherever its browser is."""
    connected().ask("DELETE", f"/api/sessions/{number}")
    say(f"Session {number} is over.")
