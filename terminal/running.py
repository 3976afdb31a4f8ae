"""Commands that begin or end something: `run`, `exec`, `rerun`, `cancel`."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from terminal.attending import attend
from terminal.completion import job_names
from terminal.failures import Failure, Problem, Unreachable, Usage, say
from terminal.printing import document, standing
from terminal.remote import PASSING, Document, Remote, segment
from terminal.words import (
    Json,
    WithRest,
    assignments,
    connected,
    duration,
    naming,
    number_or_name,
    rest_of,
)

SINGLE = "exec"
"""The job that single commands are runs of; it is defined nowhere."""

Job = Annotated[str, typer.Argument(metavar="NAME", help="The job.", autocompletion=job_names)]
Scheduled = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The job, or JOB/SCHEDULE for one of its schedules.", autocompletion=job_names
    ),
]
SomeScheduled = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME", help="The job, or JOB/SCHEDULE for one of its schedules.", autocompletion=job_names
    ),
]
All = Annotated[bool, typer.Option("--all", help="All schedules there are; needs an admin's token.")]
Assignments = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Parameters of the job.")]
Ref = Annotated[str | None, typer.Option("--ref", metavar="REF", help="Branch, tag or commit to take.")]
Tag = Annotated[str | None, typer.Option("--image", metavar="TAG", help="Tag of the image to run.")]
Override = Annotated[
    str | None,
    typer.Option("--override", metavar="WHY", help="Start it in spite of a freeze, for those who may."),
]
Wait = Annotated[
    bool, typer.Option("--wait", "-w", help="Show the log as it is written, and end as the job does.")
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="Wait for so long, such as 10m; then end with 124."),
]
Which = Annotated[
    str | None, typer.Argument(metavar="N|NAME", help="A run, or a job.", autocompletion=job_names)
]


def add_to(cli: typer.Typer) -> None:
    """Put the commands there."""
    cli.command("run", cls=WithRest)(run)
    cli.command("rerun")(rerun)
    cli.command("cancel")(cancel)
    cli.command("exec", cls=WithRest)(execute)


def run(
    context: typer.Context,
    name: Job,
    parameters: Assignments = None,
    ref: Ref = None,
    image: Tag = None,
    override: Override = None,
    wait: Wait = False,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Start a job, at once or later: `errand run NAME at 22:00`, `errand run NAME in 2h`.

    What stands after `--` is for its command: `errand run NAME KEY=VALUE ... -- ARGS`.
    """
    seconds = _limit(wait, timeout)
    later, parameters = _later(parameters or [])
    body = start_body(parameters, ref, image, rest_of(context)) | later | despite(override)
    with naming(name):
        _begin(f"/api/jobs/{segment(name)}/start", body, wait=wait, timeout=seconds, as_json=json)


def _later(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """When it is to start, as the API takes it, and the other words."""
    match words:
        case ["at", day, clock, *rest] if "=" not in clock:
            return {"at": f"{day}T{clock}"}, rest
        case ["at", moment, *rest]:
            return {"at": moment}, rest
        case ["in", delay, *rest]:
            return {"delay": delay}, rest
        case ["at" | "in"]:
            raise Usage("Expected `at TIME`, such as `at 22:00`, or `in DURATION`, such as `in 2h`.")
    return {}, words


def rerun(
    which: Which = None,
    parameters: Assignments = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="Today's definition and image instead of those of that run.")
    ] = False,
    override: Override = None,
    wait: Wait = False,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Run again what ran: run N, the last run of job NAME, or the last that you started.

    That is exactly as before, but for what KEY=VALUE and --latest say.
    """
    seconds = _limit(wait, timeout)
    if which is not None and "=" in which:  # a parameter, with nothing named before it
        parameters, which = [which, *(parameters or [])], None
    body: dict[str, Any] = {"parameters": assignments(parameters or []), **despite(override)}
    if latest:
        body["latest"] = True
    path = "/api/rerun" if which is None else f"/api/runs/{meant(connected(), which)}/rerun"
    _begin(path, body, wait=wait, timeout=seconds, as_json=json)


def execute(
    context: typer.Context,
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="An image of app.yaml: its name, a tag of its repository, or its workload."
        ),
    ],
    wait: Wait = False,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Run a single command in an image.

    It stands after `--`, as in `errand exec IMAGE -- ls -l`. Its log is kept like a job's.
    """
    seconds = _limit(wait, timeout)
    words = rest_of(context)
    if not words:
        raise Usage("What is to be run stands after `--`, as in `errand exec IMAGE -- ls -l`.")
    _begin("/api/exec", {"image": image, "command": words}, wait=wait, timeout=seconds, as_json=json)


def cancel(which: Which = None, json: Json = False) -> None:
    """Stop run N, the run of job NAME that is under way, or the one that you started.

    Where several may be meant, they are listed and none is stopped.
    """
    stopped = _stop(connected(), None if which is None else number_or_name(which))
    number = stopped["number"]
    if json:
        document(stopped)
    elif stopped.get("state") == "finished":
        say(f"{stopped['job']} #{number} had ended: {standing(stopped)}.")
    else:
        say(f"{stopped['job']} #{number} is being stopped.")


def _stop(remote: Remote, which: int | str | None) -> Document:
    """Ask for the end of what `which` means, a run, a job or what one has started; gives the run."""
    if isinstance(which, str):
        with naming(which):
            return remote.ask("POST", f"/api/jobs/{segment(which)}/cancel", {})
    return remote.ask("POST", "/api/cancel" if which is None else f"/api/runs/{which}/cancel", {})


def start_body(
    parameters: list[str] | None, ref: str | None, image: str | None, rest: list[str]
) -> dict[str, Any]:
    """The body that starts or plans a job."""
    body: dict[str, Any] = {"parameters": assignments(parameters or [])}
    optional = {"ref": ref, "image_tag": image, "arguments": rest}
    return body | {key: value for key, value in optional.items() if value}


def despite(override: str | None) -> dict[str, Any]:
    """The part of a body that overrides a freeze."""
    return {} if override is None else {"override": override}


def meant(remote: Remote, which: str) -> int:
    """The number of the run that `142`, `#142` or the name of a job means: of that, the last one."""
    target = number_or_name(which)
    if isinstance(target, int):
        return target
    if target != SINGLE:
        with naming(target):
            remote.ask("GET", f"/api/jobs/{segment(target)}")
    for each in remote.pages("/api/runs", "runs", {"job": target, "limit": 1}, 1):
        return int(each["number"])
    raise Failure(f"There is no run of {target}.")


def _limit(wait: bool, timeout: str | None) -> float | None:
    if timeout is not None and not wait:
        raise Usage("--timeout says how long to wait, so it needs --wait.")
    return duration(timeout, "--timeout")


def _begin(path: str, body: Mapping[str, Any], *, wait: bool, timeout: float | None, as_json: bool) -> None:
    remote = connected()
    started = _start(remote, path, body)
    if as_json:
        document(started)
    if wait:
        raise typer.Exit(attend(remote, started, timeout=timeout, as_json=as_json))
    if not as_json:
        say(f"{started['job']} #{started['number']} is on its way.")
        print(started["url"])


def _start(remote: Remote, path: str, body: Mapping[str, Any]) -> Document:
    """Ask for it; where the answer was lost, once more with the same key, which starts nothing twice."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    try:
        try:
            return remote.ask("POST", path, body, headers=headers)
        except (Unreachable, Problem) as error:
            if isinstance(error, Problem) and error.status not in PASSING:
                raise
        return remote.ask("POST", path, body, headers=headers)
    except KeyboardInterrupt:
        say("It may have been started all the same; `errand runs` shows it then.")
        raise
