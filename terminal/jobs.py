"""Commands about jobs: `jobs`, `plan`, `why`, `pause`, `resume`, `skip`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from terminal import printing
from terminal.failures import Usage
from terminal.remote import Document, segment
from terminal.running import (
    All,
    Assignments,
    Job,
    Override,
    Ref,
    Scheduled,
    SomeScheduled,
    Tag,
    despite,
    start_body,
)
from terminal.speech import tell
from terminal.words import Json, WithRest, connected, naming, rest_of

_MOST = 10_000


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    cli.command()(jobs)
    cli.command(cls=WithRest)(plan)
    for command in (agenda, why, pause, resume, skip, backfill):
        cli.command()(command)


def jobs(json: Json = False) -> None:
    """The jobs there are."""
    documents = connected().pages("/api/jobs", "jobs", {}, _MOST)
    if json:
        for each in documents:
            printing.document(each)
        return
    rows = [
        (
            each["name"],
            each.get("description"),
            _schedule(each),
            _next(each),
            _last(each),
            each.get("version"),
        )
        for each in documents
    ]
    printing.table(
        ("job", "description", "schedule", "next", "last run", "version"),
        rows,
        "There are no jobs, or none that this token may see.",
    )


def agenda(json: Json = False) -> None:
    """What starts next: by schedules, and what was asked for at a moment."""
    found = connected().ask("GET", "/api/agenda")["coming"]
    if json:
        for each in found:
            printing.document(each)
        return
    rows = [
        (
            printing.moment(each["at"]),
            each["job"],
            each["schedule"],
            None if each["run"] is None else f"#{each['run']}",
            each["asked_by"],
        )
        for each in found
    ]
    printing.table(("at", "job", "schedule", "run", "asked by"), rows, "Nothing is to start.")


def _last(job: Document) -> str | None:
    """How the newest run stands, with its number: `failed (3) #142`."""
    run = job.get("last_run")
    return f"{printing.standing(run)} #{run['number']}" if isinstance(run, dict) else None


def _next(job: Document) -> str | None:
    """When each schedule starts the job next, and what is held back, by whom."""
    return "; ".join(filter(None, map(_outlook, job.get("schedules", ())))) or None


def _outlook(schedule: Document) -> str:
    parts = [str(printing.moment(at)) for at in schedule["next"]]
    if by := schedule["paused_by"]:
        until = printing.moment(schedule["paused_until"])
        why = schedule.get("paused_why")
        parts.append(f"paused by {by}" + (f" until {until}" if until else "") + (f": {why}" if why else ""))
    if schedule["skipped"]:
        parts.append(f"not {printing.moment(schedule['skipped'])}")
    name = schedule.get("name")
    return f"{name}: {', '.join(parts)}" if name and parts else ", ".join(parts)


def _schedule(job: Document) -> str | None:
    written = job.get("definition", {}).get("schedule")
    several = written if isinstance(written, list) else [written] if isinstance(written, dict) else []
    return "; ".join(map(_timetable, several)) or None


def _timetable(schedule: Document) -> str:
    parts = (schedule.get("name") and f"{schedule['name']}:", schedule.get("cron"), schedule.get("timezone"))
    return " ".join(filter(None, parts))


def plan(
    context: typer.Context,
    name: Job,
    parameters: Assignments = None,
    ref: Ref = None,
    image: Tag = None,
    override: Override = None,
    json: Json = False,
) -> None:
    """What `run` with the same words would do; starts nothing."""
    body = start_body(parameters, ref, image, rest_of(context)) | despite(override)
    _ask("plan", name, body, json)


def why(name: Job, json: Json = False) -> None:
    """Why a job did or did not run."""
    _ask("why", name, None, json)


def pause(
    name: SomeScheduled = None,
    when: Annotated[
        list[str] | None,
        typer.Argument(
            metavar='["REASON"] [for DURATION | until TIME]', help="Why and how long; or until resumed."
        ),
    ] = None,
    every: All = False,
    json: Json = False,
) -> None:
    """Keep a job's schedules from starting it, or all schedules from starting anything."""
    words = [name, *(when or [])] if every and name is not None else when or []
    body: dict[str, Any] = {}
    if words and words[0] not in ("until", "for"):
        body["reason"], *words = words
    match words:
        case []:
            pass
        case ["until", *moment] if moment:
            body["until"] = "T".join(moment)  # a date and a time may be two words
        case ["for", duration]:
            body["duration"] = duration
        case _:
            raise Usage("Expected `until TIME`, such as `until 18:00`, or `for DURATION`, such as `for 2h`.")
    if every:
        _ask_all("pause", body, json)
        return
    job, which = _which(_named(name))
    _ask("pause", job, {**which, **body}, json)


def resume(name: SomeScheduled = None, every: All = False, json: Json = False) -> None:
    """Let paused schedules go on."""
    if every:
        if name is not None:
            raise Usage("Expected a name or --all, not both.")
        _ask_all("resume", {}, json)
        return
    _ask("resume", *_which(_named(name)), json)


def _named(name: str | None) -> str:
    if name is None:
        raise Usage("Expected the name of a job, or --all for all schedules.")
    return name


def skip(name: Scheduled, json: Json = False) -> None:
    """Leave out the next time of a job's schedules."""
    _ask("skip", *_which(name), json)


def backfill(
    name: Scheduled,
    when: Annotated[
        list[str] | None, typer.Argument(metavar="from TIME [until TIME]", help="Of which due moments.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Those as well that ran already.")] = False,
    json: Json = False,
) -> None:
    """Run a job for due moments of its schedule that have passed, one by one."""
    words = when or []
    at = words.index("until") if "until" in words else len(words)
    since, until = words[1:at], words[at + 1 :]
    if words[:1] != ["from"] or not since or (at < len(words) and not until):
        raise Usage("Expected `from TIME`, such as `from 2030-01-31`, and perhaps `until TIME`.")
    job, body = _which(name)
    body |= {"from": "T".join(since), "again": again}
    if until:
        body["until"] = "T".join(until)
    _ask("backfill", job, body, json)


def _which(name: str) -> tuple[str, dict[str, Any]]:
    """The job, and what says which of its schedules is meant."""
    job, _, schedule = name.partition("/")
    return job, {"schedule": schedule} if schedule else {}


def _ask_all(what: str, body: Mapping[str, Any], json: bool) -> None:
    answer = connected().ask("POST", f"/api/schedules/{what}", body)
    if json:
        printing.document(answer)
    else:
        tell(str(answer.get("text", "")))


def _ask(what: str, name: str, body: Mapping[str, Any] | None, json: bool) -> None:
    """Tell what Errand says about a job; without a `body` nothing is asked to change."""
    with naming(name):
        method = "GET" if body is None else "POST"
        answer = connected().ask(method, f"/api/jobs/{segment(name)}/{what}", body)
    if json:
        printing.document(answer)
    else:
        tell(str(answer.get("text", "")))
