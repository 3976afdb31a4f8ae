"""Commands about jobs: `jobs`, `plan`, `why`, `pause`, `resume`, `skip`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from terminal import printing
from terminal.failures import Usage
from terminal.remote import Document, segment
from terminal.running import Assignments, Job, Ref, Tag, asked
from terminal.speech import tell
from terminal.words import Json, WithRest, connected, naming, rest_of

_MOST = 10_000


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    cli.command()(jobs)
    cli.command(cls=WithRest)(plan)
    for command in (why, pause, resume, skip):
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


def _last(job: Document) -> str | None:
    """How the newest run stands, with its number: `failed (3) #142`."""
    run = job.get("last_run")
    return f"{printing.standing(run)} #{run['number']}" if isinstance(run, dict) else None


def _next(job: Document) -> str | None:
    """When the schedule starts the job next, and what is held back, by whom."""
    schedule = job.get("schedule")
    if not isinstance(schedule, dict):
        return None
    parts = [str(printing.moment(at)) for at in schedule["next"]]
    if by := schedule["paused_by"]:
        until = printing.moment(schedule["paused_until"])
        parts.append(f"paused by {by}" + (f" until {until}" if until else ""))
    if schedule["skipped"]:
        parts.append(f"not {printing.moment(schedule['skipped'])}")
    return ", ".join(parts)


def _schedule(job: Document) -> str | None:
    schedule = job.get("definition", {}).get("schedule")
    if not isinstance(schedule, dict):
        return None if schedule is None else str(schedule)
    return f"{schedule.get('cron')} {schedule.get('timezone') or ''}".strip()


def plan(
    context: typer.Context,
    name: Job,
    parameters: Assignments = None,
    ref: Ref = None,
    image: Tag = None,
    json: Json = False,
) -> None:
    """What `run` with the same words would do; starts nothing."""
    body = asked(parameters, ref, image, rest_of(context))
    _ask("plan", name, body, json)


def why(name: Job, json: Json = False) -> None:
    """Why a job did or did not run."""
    _ask("why", name, None, json)


def pause(
    name: Job,
    when: Annotated[
        list[str] | None,
        typer.Argument(metavar="until TIME | for DURATION", help="For how long; or until resumed."),
    ] = None,
    json: Json = False,
) -> None:
    """Keep a job's schedule from starting it."""
    body: dict[str, Any] = {}
    match when or []:
        case []:
            pass
        case ["until", *moment] if moment:
            body["until"] = "T".join(moment)  # a date and a time may be two words
        case ["for", duration]:
            body["duration"] = duration
        case _:
            raise Usage("Expected `until TIME`, such as `until 18:00`, or `for DURATION`, such as `for 2h`.")
    _ask("pause", name, body, json)


def resume(name: Job, json: Json = False) -> None:
    """Let a paused schedule go on."""
    _ask("resume", name, {}, json)


def skip(name: Job, json: Json = False) -> None:
    """Leave out the next time of a job's schedule."""
    _ask("skip", name, {}, json)


def _ask(what: str, name: str, body: Mapping[str, Any] | None, json: bool) -> None:
    """Tell what Errand says about a job; without a `body` nothing is asked to change."""
    with naming(name):
        method = "GET" if body is None else "POST"
        answer = connected().ask(method, f"/api/jobs/{segment(name)}/{what}", body)
    if json:
        printing.document(answer)
    else:
        tell(str(answer.get("text", "")))
