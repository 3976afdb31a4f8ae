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
    if json:
        for each in found:
            printing.document(each)
        return
    rows = [
        (
            each["number"],
            f"{each['source']} {each['event']}",
            printing.moment(each["received_at"]),
            each["note"] or "",
        )
        for each in found
    ]
    printing.table(("number", "request", "came in", "why"), rows, "None was given up.")


def retry(
    number: Annotated[int, typer.Argument(metavar="N", help="Which one: `errand deliveries` has it.")],
) -> None:
    """Decide one anew; what came of it already is not done twice."""
    connected().ask("POST", f"/api/deliveries/{number}/retry")
    say(f"Delivery {number} is decided anew. Its log line delivery.settled tells what became of it.")
