"""`errand hook`: tokens that start one job, for deploys and other machines."""

from typing import Annotated

import typer

from bot.text import vocabulary
from terminal import printing
from terminal.completion import job_names
from terminal.failures import say
from terminal.helping import Commands
from terminal.remote import segment
from terminal.words import Json, connected, naming


def group() -> Commands:
    """The commands."""
    cli = Commands(help="Deploy hooks, each of which may start one job.")
    cli.command("create")(create)
    cli.command("list")(listing)
    cli.command("delete")(delete)
    return cli


def create(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job.", autocompletion=job_names)],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What it is for, such as the name of whoever gets it.")
    ],
    json: Json = False,
) -> None:
    """Make a hook of a job and print its token, this once."""
    with naming(job):
        hook = connected().ask("POST", "/api/hooks", {"job": job, "name": name})
    if json:
        printing.document(hook)
        return
    say(f"The token of the hook {name!r} of {job}, shown only now. It is sent as X-Deploy-Hook-Token to")
    say(str(hook["url"]))
    print(hook["token"])


def listing(json: Json = False) -> None:
    """The hooks, and when and by what each was last used."""
    hooks = connected().ask("GET", "/api/hooks")["hooks"]
    if json:
        for each in hooks:
            printing.document(each)
        return
    rows = [
        (
            each["job"],
            each["name"],
            f"{printing.moment(each['created_at'])} by {vocabulary.who(each['created_by'])}",
            f"{printing.moment(each['last_used_at'])} by {each.get('last_used_by')}"
            if each.get("last_used_at")
            else "never",
        )
        for each in hooks
    ]
    printing.table(("job", "name", "created", "last used"), rows, "There are no hooks.")


def delete(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job.", autocompletion=job_names)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the hook is called.")],
) -> None:
    """End a hook at once."""
    connected().ask("DELETE", f"/api/hooks/{segment(job)}/{segment(name)}")
    say(f"The hook {name!r} of {job} opens nothing any more.")
