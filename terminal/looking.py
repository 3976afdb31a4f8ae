"""Commands that look: `runs`, `status`, `logs`."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from typing import Annotated

import typer

from terminal import printing
from terminal.completion import job_names
from terminal.failures import INTERRUPTED, Usage, say
from terminal.following import Follower
from terminal.remote import Document, Remote, segment
from terminal.running import SINGLE, meant
from terminal.screen import output
from terminal.stamped import StampedLog, stamps
from terminal.words import Json, connected, naming, number_or_name

RECENT = 10
"""Runs of one page of `status`."""


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    for command in (runs, status, logs):
        cli.command()(command)


def runs(
    job: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only of this job.", autocompletion=job_names)
    ] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="Only in this state, such as running or finished.")
    ] = None,
    result: Annotated[
        list[str] | None,
        typer.Option(metavar="RESULT", help="Only with this result, such as failed; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many.")] = 20,
    json: Json = False,
) -> None:
    """The newest runs."""
    query = {"job": job, "limit": min(limit, 100), **_standing(state, result or [])}
    remote = connected()
    rows = list(remote.pages("/api/runs", "runs", query, limit))
    if job is not None and job != SINGLE and not rows:
        with naming(job):
            remote.ask("GET", f"/api/jobs/{segment(job)}")
    if not json:
        printing.runs(rows)
        return
    for each in rows:
        printing.document(each)


def _standing(state: str | None, results: Sequence[str]) -> dict[str, str]:
    """What asks for a state and for results; `Usage` for words that are none, or stand for the other."""
    from bot.states import State
    from executor.spec import Result

    query: dict[str, str] = {}
    if state is not None:
        query["state"] = _word("--state", state, State, ("--result", Result))
    words = dict.fromkeys(word for each in results for word in each.split(","))
    if words:
        query["result"] = ",".join(_word("--result", word, Result, ("--state", State)) for word in words)
    return query


def _word(option: str, word: str, choices: type[StrEnum], other: tuple[str, type[StrEnum]]) -> str:
    if word in [*choices]:
        return word
    hint = f" `{other[0]} {word}` is what you look for." if word in [*other[1]] else ""
    raise Usage(f"{option}: expected one of {', '.join(choices)}, not {word}.{hint}")


def status(
    which: Annotated[
        str | None,
        typer.Argument(metavar="N|NAME", help="A run, or the last of a job.", autocompletion=job_names),
    ] = None,
    page: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=1000, help="A page of all runs, or of those of a job."),
    ] = None,
    json: Json = False,
) -> None:
    """How run N, the last run of job NAME, or what ran last stands."""
    remote = connected()
    listed = which is None or page is not None
    if which is None or page is not None:
        rows = _page(remote, which, page or 1)
    else:
        rows = [remote.ask("GET", f"/api/runs/{meant(remote, which)}")]
    if json:
        for each in rows:
            printing.document(each)
    elif listed:
        printing.runs(rows)
    else:
        printing.run(rows[0])


def _page(remote: Remote, which: str | None, page: int) -> list[Document]:
    """A page of all runs, or of those of job `which`."""
    if which is not None and isinstance(number_or_name(which), int):
        raise Usage("--page is for lists, and a number means one run.")
    if which is not None:
        with naming(which):
            remote.ask("GET", f"/api/jobs/{segment(which)}")
    most = page * RECENT
    query = {"job": which, "limit": min(most, 100)}
    return list(islice(remote.pages("/api/runs", "runs", query, most), most - RECENT, None))


def logs(
    which: Annotated[
        str, typer.Argument(metavar="N|NAME", help="A run, or the last of a job.", autocompletion=job_names)
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on while the job writes.")] = False,
    tail: Annotated[
        int | None, typer.Option(metavar="N", min=0, max=10_000, help="Only the last lines, so many.")
    ] = None,
    attempt: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of this attempt; without it of the last.")
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Each line after the moment, in UTC, at which it was kept.")
    ] = False,
    json: Json = False,
) -> None:
    """The log of run N, or of the last run of job NAME."""
    remote = connected()
    number = meant(remote, which)
    emit = output(number, json)
    stamped = StampedLog() if timestamps else None
    begun = remote.ask("GET", f"/api/runs/{number}")  # a mistake is told at once, and not waited for
    number_of_attempt = attempt or len(begun["attempts"]) or 1
    try:
        if follow and tail is None and attempt is None:
            Follower(remote, number, emit, stamped=stamped).to_the_end()
        elif follow:
            Follower(remote, number, emit, attempt=number_of_attempt, tail=tail, stamped=stamped).to_the_end()
        else:
            query: dict[str, object] = {"tail": tail, "attempt": number_of_attempt}
            answer = remote.log(f"/api/runs/{number}/logs", query | stamps(stamped))
            for _, chunk in answer if stamped is None else stamped.pieces(answer):
                if chunk:
                    emit(chunk, number_of_attempt)
            emit(b"", number_of_attempt)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if stamped is not None and not stamped.known:
        say("No times are kept of this log.")
