"""What the API answers with: models that fill themselves from what they show, and make its OpenAPI document.

Times are RFC 3339 in UTC, durations seconds; `url` is always a page, `logs_url` a log as text.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from typing_extensions import TypedDict

from bot import config, tables
from bot.catalog.images import Image
from bot.errors import ProblemType
from bot.messages import waiting_for, waits
from bot.messages.reasons import explanation_of, message
from bot.registry import Entry
from bot.states import Wait
from bot.text.bars import steps
from webhooks.api.chain_responses import Followed
from webhooks.api.schedule_responses import Outlook, Schedule
from webhooks.api.shapes import Moment, Result, Seconds, Shape, State, Text, Url, log_url, one_of, page_url
from webhooks.attempts import run_attempts
from webhooks.view import queued, seconds


class Retry(Shape):
    """What followed the end of an attempt: another (`again`), or none, and by which rule of the job."""

    again: bool
    kind: Literal["on", "never", "unlisted", "last"]
    rule: Text


class Attempt(Shape):
    """One try of a run; of a second or later one `started_at` is null until it ended."""

    attempt: int
    result: Result | None
    reason: str | None
    exit_code: int | None
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: Seconds | None
    logs_url: Url
    retry: Retry | None


class Progress(Shape):
    """How far a job says that it is."""

    done: int
    total: int

    @classmethod
    def of_stored(cls, stored: Mapping[str, int] | None) -> Self | None:
        """None where it says nothing."""
        position = steps(stored)
        return None if position is None else cls(done=position[0], total=position[1])


class Yes(Shape):
    """A yes that counts: whose, and through which door."""

    actor: str
    cause: str
    at: Moment


class RunApproval(Shape):
    """Whose yes a run needs or needed, and who gave one; `until` while it is waited for.

    Without names in `approvers` anybody else may give it who may run the job.
    """

    approvers: list[str]
    count: int
    until: Moment | None
    given: list[Yes]

    @classmethod
    def of_run(cls, run: tables.Run) -> Self | None:
        """None where the run needs no yes."""
        approval = run.approval
        if approval is None:
            return None
        yeses = [Yes.model_validate(each) for each in approval.get("given", ())]
        return cls.of(
            approvers=approval.get("from", []),
            count=approval.get("count", 1),
            until=run.hold_until,
            given=yeses,
        )


class QueuePlace(Shape):
    """Where a run that waits stands: in the queue called `name`, of its job or of a lock, at `place` from 1.

    `place` is null for one that many others come before, `turn_at` where nobody knows how long others take.
    """

    name: str
    place: int | None
    turn_at: Moment | None

    @classmethod
    def of_run(cls, run: tables.Run) -> Self | None:
        """None where it waits in none."""
        on = run.waiting_on
        if on is None or "place" not in on or waits.kind_of(run) is None:
            return None
        return cls.of(name=run.lock or run.queue or run.job, place=on["place"], turn_at=on.get("around"))


class ListedRun(Shape):
    """One execution of a job, with everything that was frozen into it but for the summary that it wrote."""

    number: int
    job: str
    version: int | None
    state: State
    result: Result | None
    reason: str | None
    exit_code: int | None
    cause: str
    actor: str
    message: str | None
    explanation: str | None
    waiting_for: str | None
    waiting_kind: Annotated[str, one_of(*(each.name.lower() for each in Wait), "engine")] | None
    queue: QueuePlace | None
    parameters: dict[str, str]
    arguments: list[str]
    repository: str | None
    ref: str | None
    commit: str | None
    image: str | None
    digest: str | None
    build: int | None = Field(validation_alias="build_number")
    rerun_of: int | None
    chain: int | None
    follows: int | None
    followed: list[Followed] | None
    scheduled_at: Moment | None = Field(validation_alias="tick_at")
    schedule: str | None
    stopped_after: int | None
    backfill: int | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: Seconds | None
    queued_s: Seconds
    pull_request: int | None
    environment: str | None
    override: str | None
    attempts: list[Attempt]
    approval: RunApproval | None
    url: Url = page_url("runs")
    logs_url: Url = log_url("runs")
    # After what is small: whoever reads a run with little does not have to read these.
    outputs: dict[str, str]
    progress: Progress | None

    @classmethod
    def of_run(cls, run: tables.Run, ended: Sequence[tables.Attempt], now: float) -> Self:
        """A run; `ended` are the attempts that are over."""
        log = f"/api/runs/{run.number}/logs?attempt="
        return cls.of(
            run,
            duration_s=seconds(run.started_at, run.finished_at, now),
            queued_s=queued(run.created_at, run.started_at, run.finished_at, now),
            message=message(run),
            explanation=explanation_of(run),
            waiting_for=waiting_for(run),
            waiting_kind=waits.kind_name(run),
            queue=QueuePlace.of_run(run),
            approval=RunApproval.of_run(run),
            followed=Followed.of_run(run),
            outputs=run.outputs or {},
            progress=Progress.of_stored(run.progress),
            attempts=[
                Attempt.of(
                    each,
                    duration_s=each.seconds(now),
                    logs_url=f"{log}{each.attempt}",
                    retry=None if each.followed is None else Retry.of(each.followed),
                )
                for each in run_attempts(run, ended)
            ],
        )


class Run(ListedRun):
    """One execution of a job; `summary` is Markdown as its job wrote it, not made harmless."""

    summary: str | None


class Runs(Shape):
    """Runs, newest first; `next` is the address of the next page."""

    runs: list[ListedRun]
    next: Url | None


class Build(Shape):
    """An image as it is made from a commit."""

    number: int
    image: str
    state: State
    result: Result | None
    reason: str | None
    exit_code: int | None
    cause: str
    actor: str
    repository: str
    commit: str
    digest: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: Seconds | None
    url: Url = page_url("builds")
    logs_url: Url = log_url("builds")

    @classmethod
    def of_build(cls, build: tables.Build, now: float, **more: object) -> Self:
        """A build."""
        return cls.of(build, duration_s=seconds(build.started_at, build.finished_at, now), **more)


class ApprovalAnswer(Shape):
    """The run to which somebody said yes or no, as it is then; `text` is the answer in Markdown."""

    run: ListedRun
    text: Text


class BuildAnswer(Build):
    """A build; `text` is what the command is answered in a chat, in Markdown."""

    text: Text


class ChosenTag(Shape):
    """The tag of its image that a job runs now instead of what the image says, and who chose it."""

    tag: str
    reference: str
    chosen_by: str = Field(validation_alias="moved_by")
    chosen_at: Moment = Field(validation_alias="moved_at")

    @classmethod
    def of_tag(cls, row: tables.ImageTag) -> Self:
        """A tag that was chosen for a job."""
        image = Image(name=row.image, reference=row.origin).tagged(row.tag)
        return cls.of(row, reference=image.origin)


class LastRun(Shape):
    """The newest run of a job, and how it stands."""

    number: int
    state: State
    result: Result | None
    reason: str | None
    exit_code: int | None
    created_at: Moment
    finished_at: Moment | None
    url: Url = page_url("runs")


class Origin(Shape):
    """Where in a repository a job is defined, at the commit by which that came into force."""

    repository: str
    file: str
    commit: str
    line: int
    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]


class DefinedJob(Shape):
    """A job as it is defined now."""

    name: str
    description: str
    version: int
    source: Literal["file", "api", "repository"]
    origin: Origin | None
    changed_by: str = Field(validation_alias="actor")
    changed_at: Moment = Field(validation_alias="created_at")
    definition: dict[str, Any]
    url: Url = page_url("jobs", "name")

    @classmethod
    def of_entry(cls, entry: Entry, *, masked: bool = False, **more: object) -> Self:
        """A job; `masked`: without the texts of variables that its `mask` names."""
        job, env = entry.job, entry.job.env
        if masked:
            env = {name: "***" if name in job.mask else text for name, text in env.items()}
        definition = config.definition(job.model_copy(update={"env": env}))
        return cls.of(entry.row, name=job.name, description=job.description, definition=definition, **more)


class ListedJob(DefinedJob):
    """A job with what comes of its schedules, and its newest run. `schedule` is the one that is due first."""

    schedule: Outlook | None
    schedules: list[Outlook]
    last_run: LastRun | None


class ScheduledJob(DefinedJob):
    """A job with what its schedules do, its newest run, and the tag that was chosen for it.

    `schedule` is the first of its `schedules`, as they are defined.
    """

    schedule: Schedule | None
    schedules: list[Schedule]
    last_run: LastRun | None
    image_tag: ChosenTag | None


class Jobs(Shape):
    """All jobs that the token may see, by name."""

    jobs: list[ListedJob]


class ChatAnswer(Shape):
    """What a command would be answered in a chat, in Markdown."""

    job: str
    text: Text


class Answered(Shape):
    """What a command would be answered in a chat, in Markdown."""

    text: Text


class Moved(Shape):
    """A job and the tag that it runs from now on."""

    job: str
    image_tag: ChosenTag


class Mistake(TypedDict):
    """One thing that is wrong, and where: a JSON pointer into the body."""

    pointer: Annotated[str, Field(pattern="^#(/[!-~]*)?$")]
    detail: str


class _Refusal(TypedDict):
    type: Annotated[
        str,
        Field(
            description="Which kind of problem it is; the documentation has the list, which grows.",
            examples=[each.value for each in ProblemType],
            json_schema_extra={"format": "uri-reference"},
        ),
    ]
    title: str
    status: int
    detail: str


class Problem(_Refusal, total=False):
    """Why a request was refused (RFC 9457)."""

    errors: list[Mistake]
