"""Commands about what keeps runs from starting: `lock`, `unlock`, `locks`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bot.states import EVERYTHING
from bot.text import vocabulary
from terminal import grammar, printing
from terminal.completion import target_names
from terminal.failures import Usage
from terminal.remote import Document, segment
from terminal.speech import tell
from terminal.words import Json, connected

Target = Annotated[
    str | None,
    typer.Argument(metavar="TARGET", help="A lock that jobs name, or a job.", autocompletion=target_names),
]


Everything = Annotated[
    bool, typer.Option("--global", help="All jobs there are, without a target; for admins.")
]


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (lock, unlock, locks):
        cli.command()(command)


def lock(
    target: Target = None,
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar='["REASON"] [for DURATION]', help="Why, and for how long; else until it is unlocked."
        ),
    ] = None,
    everything: Everything = False,
    everyone: Annotated[bool, typer.Option("--everyone", help="Your own runs wait, too.")] = False,
    json: Json = False,
) -> None:
    """Keep runs from starting on a target: `errand lock prod "moving the database" for 2h`.

    What has begun goes on. Everybody who runs into it is told who locked it and why.
    """
    from bot.commands.parser import Lock
    from bot.text.units import duration_text

    words = [each for each in (target, *(more or [])) if each is not None]
    meant = grammar.command("lock", [*(["--global"] if everything else []), *words])
    body: dict[str, Any] = {}
    if isinstance(meant, Lock):
        if meant.merged:
            raise Usage("until merged: a lock ends with a pull request where that is said in it.")
        duration = None if meant.duration is None else duration_text(meant.duration)
        body = {"reason": meant.reason, "duration": duration, "everyone": everyone}
        target = meant.target
    _ask("PUT", target or "", {key: value for key, value in body.items() if value}, json)


def unlock(target: Target = None, everything: Everything = False, json: Json = False) -> None:
    """Let runs start on a target again, whoever locked it."""
    words = [target] if target is not None else []
    grammar.command("unlock", [*(["--global"] if everything else []), *words])
    _ask("DELETE", EVERYTHING if everything else target or "", None, json)


def locks(json: Json = False) -> None:
    """What is locked, by whom, why and until when, and what waits for it."""
    targets = connected().ask("GET", "/api/locks")["locks"]
    if json:
        for each in targets:
            printing.document(each)
        return
    printing.table(
        ("target", "locked by", "until", "reason", "held by", "waiting"),
        [_row(each) for each in targets],
        "Nothing is locked.",
    )


def _row(lock: Document) -> tuple[object, ...]:
    closed, holder = lock.get("closed") or {}, lock.get("held")
    run = f"{holder['job']} #{holder['run']}" if holder else None
    by = vocabulary.who(closed["actor"]) if closed else None
    until = printing.moment(closed.get("until")) or ("it is unlocked" if closed else None)
    if closed and closed.get("pull_request"):
        until = f"#{closed['pull_request']} is merged"
    if closed:
        by = f"{by}, for everybody" if closed.get("everyone") else f"{by}, for others"
    target = "everything" if lock["target"] == EVERYTHING else lock["target"]
    return target, by, until, closed.get("reason"), run, lock["waiting"] or None


def _ask(method: str, target: str, body: Mapping[str, Any] | None, json: bool) -> None:
    path = "/api/locks" if target == EVERYTHING else f"/api/locks/{segment(target)}"
    answer = connected().ask(method, path, body)
    if json:
        printing.document(answer)
    else:
        tell(str(answer.get("text", "")))
