"""Commands about freezes: `freeze`, `thaw`, `freezes`."""

from typing import Annotated, Any

import typer

from bot.text import vocabulary
from terminal import grammar, printing
from terminal.remote import Document
from terminal.speech import tell
from terminal.words import Json, connected

JobOption = Annotated[
    str | None, typer.Option("--job", metavar="NAME", help="Only this job; * stands for letters of a name.")
]
LockOption = Annotated[str | None, typer.Option("--lock", metavar="NAME", help="Only jobs with this `lock`.")]
EnvironmentOption = Annotated[
    str | None, typer.Option("--environment", metavar="NAME", help="Only deployments to this environment.")
]


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (freeze, thaw, freezes):
        cli.command()(command)


def freeze(
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar='["WHY"] [for DURATION | until TIME]',
            help="Why, and for how long; else until it is thawed.",
        ),
    ] = None,
    job: JobOption = None,
    lock: LockOption = None,
    environment: EnvironmentOption = None,
    json: Json = False,
) -> None:
    """Keep everything from starting, or what is named: `errand freeze "Black Friday" for 2d`.

    What has begun goes on. Everybody who runs into it is told who froze it and why.
    """
    from bot.commands.parser import Freeze
    from bot.text.units import duration_text

    meant = grammar.command("freeze", more or [])
    body: dict[str, Any] = {"job": job, "lock": lock, "environment": environment}
    if isinstance(meant, Freeze):
        duration = None if meant.duration is None else duration_text(meant.duration)
        body |= {"why": meant.why, "until": meant.until, "duration": duration}
    answer = connected().ask("POST", "/api/freezes", {key: value for key, value in body.items() if value})
    _tell(answer, json)


def thaw(
    job: JobOption = None, lock: LockOption = None, environment: EnvironmentOption = None, json: Json = False
) -> None:
    """End a freeze of everything, or of exactly what is named."""
    query = {"job": job, "lock": lock, "environment": environment}
    _tell(connected().ask("DELETE", "/api/freezes", query=query), json)


def freezes(json: Json = False) -> None:
    """What is frozen now or will be, by whom, why and until when."""
    found = connected().ask("GET", "/api/freezes")["freezes"]
    columns = {
        "what": lambda each: _what(each),
        "frozen": lambda each: "now" if each["on"] else f"from {printing.moment(each['since'])}",
        "until": lambda each: printing.moment(each["until"]) or "it is thawed",
        "by": lambda each: vocabulary.who(each["actor"]) if each["actor"] else "app.yaml",
        "why": lambda each: each["why"],
    }
    printing.listing(found, columns, "Nothing is frozen.", json=json)


def _what(each: Document) -> str:
    kinds = {"job": each["jobs"], "lock": each["locks"], "environment": each["environments"]}
    return ", ".join(f"{kind} {name}" for kind, names in kinds.items() for name in names) or "everything"


def _tell(answer: Document, json: bool) -> None:
    if json:
        printing.document(answer)
    else:
        tell(str(answer.get("text", "")))
