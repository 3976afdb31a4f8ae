"""`errand audit`: the journal of who asked, decided and changed what, and by which rule."""

import os
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from bot.text import vocabulary
from bot.text.journal import facts_line, kind_words
from terminal import printing
from terminal.completion import job_names
from terminal.failures import Failure, Unreachable, Usage, plain, say
from terminal.following import PATIENCE
from terminal.remote import Document, Remote
from terminal.words import connected

NEWEST = 50
"""Rows that are shown where nothing says from when on."""
MOST = 10_000
"""Rows of a table; JSON lines have no end."""
_PAUSE = 1.0
_COLUMNS = ("when", "what", "of", "by", "rule", "facts")


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON_LINES = "jsonl"


def add_to(cli: typer.Typer) -> None:
    """Put the command there."""
    cli.command()(audit)


def audit(
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: a date, a moment, or 7d ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")] = None,
    actor: Annotated[
        str | None, typer.Option(metavar="WHO", help="Who did it: github:octocat, token:ci, or octocat.")
    ] = None,
    job: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this job.", autocompletion=job_names)
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Such as lock.closed; may be repeated.")
    ] = None,
    run: Annotated[int | None, typer.Option(metavar="N", min=1, help="Of this run.")] = None,
    repository: Annotated[str | None, typer.Option(metavar="REPOSITORY", help="Of this one.")] = None,
    form: Annotated[
        Format, typer.Option("--format", metavar="FORMAT", help="table, or jsonl: each row as a document.")
    ] = Format.TABLE,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is decided from now on.")] = False,
) -> None:
    """Who asked, decided and changed what, and by which rule; without --since what was last."""
    query: dict[str, object] = {
        "since": since,
        "until": until,
        "actor": actor,
        "job": job,
        "kind": ",".join(_kinds(kind)) if kind else None,
        "run": run,
        "repository": repository,
    }
    remote = connected()
    lines = form is Format.JSON_LINES
    if follow:
        _follow(remote, query, lines=lines)
    elif lines:
        for row in remote.lines("/api/audit", query | {"format": "jsonl"}):
            printing.document(row)
    else:
        _table(remote, query)


def _kinds(words: list[str]) -> list[str]:
    from bot.states import EntryKind

    kinds = list(dict.fromkeys(word for each in words for word in each.split(",")))
    for word in kinds:
        if word not in [*EntryKind]:
            raise Usage(f"--kind: expected one of {', '.join(EntryKind)}, not {word}.")
    return kinds


def _table(remote: Remote, query: dict[str, object]) -> None:
    if query["since"] is None and query["until"] is None:
        rows = _newest(remote, query)
    else:
        rows = list(remote.lines("/api/audit", query | {"format": "jsonl", "limit": None}, most=MOST + 1))
    printing.table(_COLUMNS, [_cells(row) for row in rows[:MOST]], "Nothing of that is in the journal.")
    if len(rows) > MOST:
        say(f"These are the first {MOST}; --format jsonl prints all.")


def _newest(remote: Remote, query: dict[str, object]) -> list[Document]:
    return list(remote.pages("/api/audit", "entries", query | {"limit": NEWEST}, NEWEST))[::-1]


def _follow(remote: Remote, query: dict[str, object], *, lines: bool) -> None:
    """What there is, then what comes, until Ctrl-C; an Errand that is started anew is asked on."""
    after = 0
    if query["since"] is None:
        for row in _newest(remote, query):
            after = max(after, int(row["number"]))
            _print(row, lines=lines)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            for row in _following(remote, query, after):
                after, until = max(after, int(row["number"])), time.monotonic() + PATIENCE
                _print(row, lines=lines)
        except Unreachable:
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE)
        try:
            remote.again(os.environ)
        except Failure:
            continue


def _following(remote: Remote, query: dict[str, object], after: int) -> Iterator[Document]:
    return remote.lines("/api/audit", query | {"follow": 1, "after": after}, endless=True)


def _print(row: Document, *, lines: bool) -> None:
    if lines:
        printing.document(row)
    else:
        print("  ".join(plain(cell) for cell in _cells(row) if cell), flush=True)


def _cells(row: Document) -> list[str]:
    cause = row.get("cause")
    who = vocabulary.who(str(row["actor"]), cause)
    how = next((words for each, words in vocabulary.CAUSES.items() if each == cause), "")
    return [
        printing.moment(row["at"]) or "",
        kind_words(str(row["kind"])),
        _subject(row),
        f"{who} {how}".rstrip(),
        str(row.get("rule") or ""),
        facts_line(row.get("facts") or {}),
    ]


def _subject(row: Document) -> str:
    """`ship #12` for a run, else what it was about."""
    if row.get("run") is not None and row.get("job") is not None:
        return f"{row['job']} #{row['run']}"
    return str(row["subject"])
