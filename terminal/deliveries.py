"""`errand delivery`: requests of GitHub and Slack over which Errand failed."""

from typing import Annotated

import typer

from terminal import printing
from terminal.failures import say
from terminal.helping import Commands
from terminal.words import Json, connected


def group() -> Commands:
    """The commands."""
    cli = Commands(help="Requests of GitHub and Slack that were given up.")
    cli.command("list")(listing)
    cli.command("retry")(retry)
    return cli


def listing(json: Json = False) -> None:
    """The newest hundred requests that were given up, and why."""
    found = connected().ask("GET", "/api/deliveries?limit=100")["deliveries"]
    columns = {
        "number": lambda each: each["number"],
        "request": lambda each: f"{each['source']} {each['event']}",
        "came in": lambda each: printing.moment(each["received_at"]),
        "why": lambda each: each["note"],
    }
    printing.listing(found, columns, "None was given up.", json=json)


def retry(
    number: Annotated[int, typer.Argument(metavar="N", help="Which one: `errand delivery list` has it.")],
) -> None:
    """Decide one anew; what came of it already is not done twice."""
    connected().ask("POST", f"/api/deliveries/{number}/retry")
    say(f"Delivery {number} is decided anew. Its log line delivery.settled tells what became of it.")
