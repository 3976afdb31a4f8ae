"""The command that builds an image: `build`."""

from typing import Annotated, Any

import typer

from terminal import grammar
from terminal.completion import image_names
from terminal.failures import INTERRUPTED, REFUSED, say
from terminal.following import Follower
from terminal.printing import closing, document
from terminal.remote import Document, Remote, segment
from terminal.running import Ref
from terminal.screen import output
from terminal.speech import spoken
from terminal.words import Json, connected


def add_to(cli: typer.Typer) -> None:
    """Put the command there."""
    cli.command()(build)


def build(
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="An image of app.yaml.", autocompletion=image_names)
    ],
    ref: Ref = None,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Show the log as it is written; 1 where it fails.")
    ] = False,
    json: Json = False,
) -> None:
    """Build an image from a commit, unless it is built from that one already."""
    grammar.command("build", [image, *([] if ref is None else ["--ref", ref])])
    remote = connected()
    body: dict[str, Any] = {} if ref is None else {"ref": ref}
    begun = remote.ask("POST", f"/api/images/{segment(image)}/build", body)
    if json:
        document(begun)
    else:
        say(spoken(str(begun.get("text", "")), links=False))
    if wait:
        raise typer.Exit(_attend(remote, begun, json))
    if not json:
        print(begun["url"])


def _attend(remote: Remote, begun: Document, json: bool) -> int:
    """Show the log to its end and tell how it ended; gives the exit code."""
    number = int(begun["number"])
    try:
        ended = Follower(remote, number, output(number, json), "builds").to_the_end()
    except KeyboardInterrupt:
        say(f"Build #{number} goes on: {begun['url']}")
        return INTERRUPTED
    if json:
        document(ended)
    else:
        say(closing(ended))
    return 0 if ended.get("result") == "succeeded" else REFUSED
