"""What the API answers with: the shapes that the code fills, and of which its OpenAPI document is made.

Times are RFC 3339 in UTC, durations seconds; `url` is always a page, `logs_url` a log as text.
"""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from bot.errors import ProblemType
from bot.states import State as RunState


def _one_of(*words: str) -> Any:
    return Field(json_schema_extra={"enum": [*words]})


# Those that stand in several shapes have schemas of their own, so that programs get one type for each.
State = TypeAliasType("State", Annotated[str, _one_of(*RunState)])
Result = TypeAliasType(
    "Result", Annotated[str, _one_of("succeeded", "failed", "cancelled", "timed_out", "error")]
)
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]


class Attempt(TypedDict):
    """One try of a run; of a second or later one `started_at` is null until it ended."""

    attempt: int
    result: Result | None
    reason: str | None
    exit_code: int | None
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: float | None
    logs_url: Url


class Course(TypedDict):
    """What a run and a build have in common: how they stand, and who asked for them."""

    state: State
    result: Result | None
    reason: str | None
    exit_code: int | None
    cause: str
    actor: str


class Times(TypedDict):
    """When something was asked for, began and ended."""

    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_s: float | None


class Run(Course, Times):
    """One execution of a job, with everything that was frozen into it."""

    number: int
    job: str
    version: int | None
    message: str | None
    waiting_for: str | None
    parameters: dict[str, str]
    arguments: list[str]
    repository: str | None
    ref: str | None
    commit: str | None
    image: str | None
    digest: str | None
    build: int | None
    rerun_of: int | None
    scheduled_at: Moment | None
    queued_s: float
    attempts: list[Attempt]
    url: Url
    logs_url: Url


class Runs(TypedDict):
    """Runs, newest first; `next` is the address of the next page."""

    runs: list[Run]
    next: Url | None


class Build(Course, Times):
    """An image as it is made from a commit."""

    number: int
    image: str
    repository: str
    commit: str
    digest: str | None
    url: Url
    logs_url: Url


class Closed(TypedDict):
    """Who closed a target, why, and until when."""

    actor: str
    reason: str | None
    since: Moment
    until: Moment | None


class Held(TypedDict):
    """The run that holds a target."""

    run: int
    job: str
    actor: str
    state: State
    url: Url


class Lock(TypedDict):
    """A target, who keeps it closed or holds it, and how many runs wait for it."""

    target: str
    closed: Closed | None
    held: Held | None
    waiting: int


class Locks(TypedDict):
    """All targets that are closed or held, by name."""

    locks: list[Lock]


class LockAnswer(TypedDict):
    """A target that was locked; `text` is what the command is answered in a chat, in Markdown."""

    target: str
    closed: Closed
    text: str


class UnlockAnswer(TypedDict):
    """A target that is open again."""

    target: str
    text: str


class BuildAnswer(Build):
    """A build; `text` is what the command is answered in a chat, in Markdown."""

    text: str


class Tick(TypedDict):
    """A moment that was due, and what became of it."""

    at: Moment
    outcome: Annotated[str, _one_of("run", "missed", "skipped", "paused", "refused")]
    note: str | None
    run: int | None


class Outlook(TypedDict):
    """What comes next, and what holds it back. A list of jobs has one moment of each, a job the next five."""

    next: list[Moment]
    paused_by: str | None
    paused_until: Moment | None
    skipped: Moment | None
    skipped_by: str | None


class Schedule(Outlook):
    """The same with the last moments that were due, newest first."""

    ticks: list[Tick]


class ChosenTag(TypedDict):
    """The tag of its image that a job runs now instead of what the image says, and who chose it."""

    tag: str
    reference: str
    chosen_by: str
    chosen_at: Moment


class LastRun(TypedDict):
    """The newest run of a job, and how it stands."""

    number: int
    state: State
    result: Result | None
    reason: str | None
    exit_code: int | None
    created_at: Moment
    finished_at: Moment | None
    url: Url


class DefinedJob(TypedDict):
    """A job as it is defined now."""

    name: str
    description: str
    version: int
    source: Annotated[str, _one_of("file", "api")]
    changed_by: str
    changed_at: Moment
    definition: dict[str, Any]
    url: Url


class ListedJob(DefinedJob):
    """A job with what comes of its schedule, and its newest run."""

    schedule: Outlook | None
    last_run: LastRun | None


class ScheduledJob(DefinedJob):
    """A job with what its schedule does, its newest run, and the tag that was chosen for it."""

    last_run: LastRun | None
    image_tag: ChosenTag | None
    schedule: Schedule | None


class Jobs(TypedDict):
    """All jobs that the token may see, by name."""

    jobs: list[ListedJob]


class Said(TypedDict):
    """What a command would be answered in a chat, in Markdown."""

    job: str
    text: str


class Token(TypedDict):
    """A token, without its text."""

    name: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewToken(Token):
    """A token with its text, which only this answer shows."""

    token: str


class Tokens(TypedDict):
    """All tokens by name, also those that have expired."""

    tokens: list[Token]


class Hook(TypedDict):
    """A deploy hook; its text is not kept. `last_used_by`: address and program of the last request."""

    job: str
    name: str
    created_at: Moment
    created_by: str
    last_used_at: Moment | None
    last_used_by: str | None
    url: Url


class NewHook(Hook):
    """A hook with its token, which only this answer shows."""

    token: str


class Hooks(TypedDict):
    """All hooks by job and name."""

    hooks: list[Hook]


class Moved(TypedDict):
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


class Repository(TypedDict):
    """A name of a repository, or of an owner alone, and the number that it had when it was first seen.

    `current_name` is what GitHub calls it now, `rival` the last other number that came under its name.
    """

    name: str
    number: int
    current_name: str | None
    pinned_at: Moment
    rival: int | None


class Repositories(TypedDict):
    """All pinned names."""

    repositories: list[Repository]
