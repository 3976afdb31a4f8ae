"""What goes to stdout: documents as JSON; tables and facts, drawn by rich on a terminal, plain in a pipe."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bot.states import State
from bot.text import vocabulary
from bot.text.bars import bar, steps
from executor.spec import Result
from terminal.failures import plain
from terminal.remote import Document
from terminal.streams import coloured

_STYLES = {
    Result.SUCCEEDED: "green",
    Result.FAILED: "red",
    Result.ERROR: "red",
    Result.TIMED_OUT: "red",
    Result.CANCELLED: "yellow",
    State.RUNNING: "cyan",
    State.BUILDING: "cyan",
    State.STARTING: "cyan",
    State.STOPPING: "yellow",
    State.WAITING: "blue",
}
STYLES = {word.label: _STYLES[of] for of, word in [*vocabulary.RESULTS.items(), *vocabulary.STATES.items()]}
"""The colours of cells that begin with such a word."""


def document(content: Mapping[str, object]) -> None:
    """One line of JSON, at once: somebody may read it as it comes."""
    print(json.dumps(content, ensure_ascii=True), flush=True)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    empty: str,
    *,
    styles: Mapping[str, str] = STYLES,
) -> None:
    """Rows under their columns; `empty` is told on stderr where there are none. None is an empty cell.

    `styles` are the colours of cells by the word that they begin with.
    """
    cells = [["" if cell is None else plain(cell) for cell in row] for row in rows]
    if not cells:
        print(empty, file=sys.stderr)
        return
    if sys.stdout.isatty():
        _drawn(columns, cells, styles)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in [list(columns), *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def listing(
    found: Sequence[Document], columns: Mapping[str, Callable[[Document], object]], empty: str, *, json: bool
) -> None:
    """Each as a document, or all as a table whose columns are made of them."""
    if json:
        for each in found:
            document(each)
        return
    table(list(columns), [[cell(each) for cell in columns.values()] for each in found], empty)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Names with their values, one a line; those without a value are left out."""
    shown = [(name, plain(value)) for name, value in pairs if value not in (None, "", [], {})]
    if sys.stdout.isatty():
        _drawn(("", ""), [list(pair) for pair in shown], STYLES, head=False)
        return
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name.ljust(width)}  {value}")


def _drawn(
    columns: Sequence[str], cells: Sequence[Sequence[str]], styles: Mapping[str, str], *, head: bool = True
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, show_header=head, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        drawn.add_column(column, overflow="fold", no_wrap=place == 0)
    for row in cells:
        first = [Text(row[0], style="" if head else "bold")]
        drawn.add_row(*first, *(Text(cell, style=_style(cell, styles)) for cell in row[1:]))
    Console(no_color=not coloured(), highlight=False).print(drawn)


def _style(cell: str, styles: Mapping[str, str]) -> str:
    return next((style for label, style in styles.items() if f"{cell} ".startswith(f"{label} ")), "")


# Runs -------------------------------------------------------------------------------------------


def standing(run: Document) -> str:
    """How a run stands, in a few words: `failed (3)`, `waiting for #96 to end`, `starting: Unschedulable`.

    What an engine says is a sentence, which follows a colon. Its image may be built while a run waits.
    """
    label, code, reason = _word(run).label, run.get("exit_code"), run.get("reason")
    if run.get("result") is None:
        if not (waits := run.get("waiting_for")):
            return f"{label} {progress(run) or ''}".rstrip()
        if run.get("waiting_kind") == "engine":
            return f"{label}: {waits}"
        return f"{label} for {waits}" if run["state"] == State.WAITING else f"{label}, waiting for {waits}"
    more = [str(each) for each in (code if code else None, reason) if each is not None]
    return f"{label} ({', '.join(more)})" if more else label


def progress(run: Document) -> str | None:
    """How far its job says that it is, as a bar."""
    position = steps(run.get("progress"))
    return None if position is None else bar(*position)


def _word(run: Document) -> vocabulary.Word:
    return vocabulary.standing(str(run.get("state")), run.get("result"))


def closing(run: Document) -> str:
    """The line that ends a run or a build that was followed."""
    name = run["job"] if "job" in run else f"{run['image']} build"
    line = f"{_word(run).sign} {name} #{run['number']} {standing(run)}{_within(run)}"
    why = run.get("explanation") or run.get("message")
    return f"{line}\n  {why}" if why else line


def _within(run: Document) -> str:
    """` in 1m 12s`; nothing of what never began."""
    took = _took(run)
    return f" in {took}" if took else ""


def runs(documents: Iterable[Document]) -> None:
    """A table of runs."""
    rows = [
        (f"#{run['number']}", standing(run), run["job"], _asker(run), moment(run["created_at"]), _took(run))
        for run in documents
    ]
    table(("run", "state", "job", "asked by", "asked at", "took"), rows, "There are no such runs.")


def run(record: Document) -> None:
    """All that is to be known of one run."""
    parameters = record.get("parameters") or {}
    assignments = [f"{name}={value}" for name, value in parameters.items()]
    arguments = record.get("arguments") or []
    tries = record.get("attempts") or []
    pairs: list[tuple[str, object]] = [
        ("run", f"#{record['number']}"),
        ("job", record["job"]),
        ("state", standing(record)),
        ("message", record.get("explanation") or record.get("message")),
        (vocabulary.lead_in(str(record.get("cause"))), _asker(record, how=True)),
        ("approved by", _approved(record)),
        ("in spite of a freeze", record.get("override")),
        ("asked at", moment(record.get("created_at"))),
        ("took", _took(record)),
        ("attempts", len(tries) if len(tries) > 1 else None),
        ("parameters", " ".join([*assignments, *(["--", *map(str, arguments)] if arguments else [])])),
        ("commit", " ".join(str(record[key]) for key in ("repository", "ref", "commit") if record.get(key))),
        ("image", record.get("image")),
        ("again from", f"#{record['rerun_of']}" if record.get("rerun_of") else None),
        ("follows", f"#{record['follows']}" if record.get("follows") else None),
        *(("then", _followed(each)) for each in record.get("followed") or ()),
        ("progress", progress(record)),
        *((f"output {name}", value) for name, value in (record.get("outputs") or {}).items()),
        ("page", record.get("url")),
    ]
    facts(pairs)
    if record.get("summary"):
        print()
        for line in str(record["summary"]).split("\n"):
            print(plain(line))


def _approved(run: Document) -> str:
    """Who said yes to it."""
    yeses = (run.get("approval") or {}).get("given") or []
    return ", ".join(vocabulary.who(str(each["actor"])) for each in yeses)


def _followed(entry: Document) -> str:
    """A job that was to follow a run: its run, or why there is none."""
    return f"{entry['job']} #{entry['run']}" if entry.get("run") else f"{entry['job']}: {entry.get('reason')}"


def _asker(run: Document, *, how: bool = False) -> str:
    """Whoever asked, with `how` also in which way."""
    actor, cause = str(run.get("actor")), str(run.get("cause"))
    if not how:
        return vocabulary.who(actor)
    return f"{vocabulary.who(actor, cause)} {vocabulary.how(actor, cause)}".rstrip()


def _took(run: Document) -> str | None:
    took = run.get("duration_s")
    return vocabulary.duration(took) if isinstance(took, int | float) else None


def moment(text: object) -> str | None:
    """A time of the API, to the minute; what is no time as it is."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    return vocabulary.moment((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
