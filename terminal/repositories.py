"""`errand repositories`: which number is pinned to which name, and who may have a name from now on."""

from typing import Annotated, Any

import typer

from terminal import printing
from terminal.failures import say
from terminal.helping import Commands
from terminal.remote import segment
from terminal.words import Json, connected


def group() -> Commands:
    """The commands."""
    cli = Commands(help="Repositories by the numbers that GitHub gave them.")
    cli.command("list")(listing)
    cli.command("forget")(forget)
    return cli


def listing(json: Json = False) -> None:
    """The names, the number of each, and what is to be done about it."""
    pins = connected().ask("GET", "/api/repositories")["repositories"]
    if json:
        for each in pins:
            printing.document(each)
        return
    rows = [
        (each["name"], each["number"], printing.moment(each["pinned_at"]), _remark(each)) for each in pins
    ]
    printing.table(("name", "number", "first seen", ""), rows, "No repository was seen yet.")


def forget(
    name: Annotated[str, typer.Argument(metavar="REPOSITORY", help="OWNER/NAME, or an owner alone.")],
) -> None:
    """Let the next one that comes under a name have its rights here."""
    connected().ask("DELETE", f"/api/repositories/{segment(name)}")
    say(f"Whoever comes next as {name} is taken for it from then on.")


def _remark(repository: dict[str, Any]) -> str:
    """What whoever runs Errand should know of it."""
    name, current = repository["name"], repository["current_name"]
    if repository["rival"] is not None:
        return f"refused: {repository['rival']}"
    if "/" in name and current is not None and current.casefold() != name:
        return f"write {current} in app.yaml"
    file = repository.get("file")
    return "" if file is None else f".errand.yaml: {file['state']}"
