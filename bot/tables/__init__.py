"""What is stored. Times are seconds since the Unix epoch (UTC); JSON columns hold plain values.

No column ever holds a secret: definitions keep `${NAME}` references, tokens are kept as hashes.
"""

from typing import Any, ClassVar, Literal

from sqlalchemy import JSON, Double, Index, Text
from sqlmodel import Field, SQLModel

from bot.states import State
from bot.tables.approvals import Approval
from bot.tables.callers import EndedSession, Hook, Idempotency, PersonSession, Token
from bot.tables.claimable import Claimable
from bot.tables.forks import ForkCommit
from bot.tables.freezes import ManualFreeze
from bot.tables.journal import JournalEntry
from bot.tables.locks import Lock, RunLock
from bot.tables.occurrences import OccurrenceSeen
from bot.tables.pins import RepositoryPin
from bot.tables.pushes import PushSeen, PushVerdict
from bot.tables.repository_files import RepositoryFile
from bot.tables.schedules import JobState, Tick
from bot.tables.types import AT_THE_GATE, Number, Packed, packed, where

__all__ = [
    "Approval",
    "Attempt",
    "Build",
    "Claimable",
    "Delivery",
    "DeliveryScan",
    "EndedSession",
    "ForkCommit",
    "Hook",
    "Idempotency",
    "ImageTag",
    "JobState",
    "JobVersion",
    "JournalEntry",
    "Lock",
    "ManualFreeze",
    "OccurrenceSeen",
    "Packed",
    "PersonSession",
    "Post",
    "PushSeen",
    "PushVerdict",
    "RepositoryFile",
    "RepositoryPin",
    "Run",
    "RunLock",
    "Tick",
    "Token",
    "packed",
    "where",
]


class Delivery(Claimable, table=True):
    """A signed request as it came. `state`: `stored`, then `handled`, `ignored` or `failed`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_open", "state", "due_at"),
        Index("deliveries_age", "received_at"),
        Index("deliveries_ignored", "state", "received_at", **where("state = 'ignored'")),
        Index("deliveries_failed", "id", **where("state = 'failed'")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    key: str = Field(unique=True)  # github:<X-GitHub-Delivery>, slack:<trigger or event id>
    source: str  # github | slack
    event: str  # push, issue_comment, ...; command, interactivity, event
    media_type: str  # application/json | application/x-www-form-urlencoded
    body: bytes = Field(sa_type=Packed)
    received_at: float = Field(sa_type=Double)
    state: str = "stored"
    note: str | None = Field(default=None, sa_type=Text)  # why ignored or failed


class DeliveryScan(Claimable, table=True):
    """How far what an App's GitHub recorded was looked through, by one bot at a time.

    What was sent before `mark` is here, or says nothing to Errand.
    """

    __tablename__ = "delivery_scans"

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    source: str = Field(unique=True)  # github:<App>
    mark: float = Field(sa_type=Double)


class Build(Claimable, table=True):
    """One attempt at building one image from one commit. Unique `key`: `image@commit#attempt`."""

    kind: ClassVar[Literal["build"]] = "build"
    __tablename__ = "builds"
    __table_args__ = (
        Index("builds_open", "state", "due_at"),
        Index("builds_commit", "image", "commit"),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=Number)
    key: str = Field(unique=True)
    name: str = Field(unique=True)  # what the engine calls it
    image: str
    repository: str
    ref: str | None = None
    commit: str
    definition: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # the image, frozen
    public: bool = False  # anyone may see the repository, so anyone sees what is posted there
    cause: str  # of bot.states.Cause
    actor: str  # github:octocat, slack:U012AB3CD
    state: str = State.WAITING
    result: str | None = None
    reason: str | None = None
    reason_on: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # the build and commit that took its place; counts only where `reason` says so
    message: str | None = Field(default=None, sa_type=Text)  # what the engine says
    exit_code: int | None = None
    digest: str | None = None  # what runs use
    tail: list[str] = Field(default_factory=list, sa_type=JSON)  # last log lines, masked; set when failed
    stop_by: str | None = None  # who asked to stop it
    created_at: float = Field(sa_type=Double)
    started_at: float | None = Field(default=None, sa_type=Double)
    finished_at: float | None = Field(default=None, sa_type=Double)


_UNSTARTED = "start_by IS NOT NULL AND started_at IS NULL AND finished_at IS NULL"


class Run(Claimable, table=True):
    """One execution of a job, with everything that it depends on frozen into it."""

    kind: ClassVar[Literal["run"]] = "run"
    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_open", "state", "due_at"),
        Index("runs_job", "job", "number"),
        Index("runs_lock", "lock", "state", "admitted", "number"),
        Index("runs_gate", "job", "state", "admitted", "concurrency", "number"),
        Index("runs_build", "build_number"),
        Index("runs_occurrence", "occurrence", "number"),
        Index("runs_rerun", "rerun_of", "number", **where("rerun_of IS NOT NULL")),
        Index("runs_ended", "job", "number", "result", **where("state = 'finished'")),
        Index("runs_age", "job", "finished_at", **where("state = 'finished'")),
        Index("runs_start_by", "start_by", **where(_UNSTARTED)),
        Index("runs_backfill", "backfill", "number", **where("backfill IS NOT NULL")),
        Index("runs_result", "result", "number", **where("result IS NOT NULL")),
        Index("runs_commit", "commit", "job", "number", **where('"commit" IS NOT NULL')),
        Index("runs_digest", "digest", "job", "number", **where("digest IS NOT NULL")),
        Index("runs_queue", "job", "queue", "admitted", "number", **where(AT_THE_GATE)),
        Index("runs_chain", "chain", "number", **where("chain IS NOT NULL")),
        Index("runs_held", "due_at", "number", **where("hold IS NOT NULL")),
        {"sqlite_autoincrement": True},  # a number that was given once never names another run
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=Number)
    key: str = Field(unique=True)  # github:comment:<id>:<index>, slack:<trigger id>:<index>, ...
    name: str = Field(unique=True)  # what the engine calls it
    job: str
    definition: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # the job, frozen
    parameters: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    arguments: list[str] = Field(default_factory=list, sa_type=JSON)  # after `--`
    image: str | None = None  # its name in the configuration
    image_definition: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # the image, frozen, where it is not built; with it `digest` is None until it was looked up
    repository: str | None = None
    ref: str | None = None
    commit: str | None = None
    build_number: int | None = Field(default=None, sa_type=Number)  # the build it needs, if any
    digest: str | None = None  # what the engine runs; with build_number set, None until that succeeded
    public: bool = False
    cause: str
    actor: str
    rerun_of: int | None = Field(default=None, sa_type=Number)
    chain: int | None = Field(default=None, sa_type=Number)  # the first run of the chain that it is of
    follows: int | None = Field(default=None, sa_type=Number)  # the run after whose success it was started
    followed: list[dict[str, Any]] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # what became of the jobs that were to follow it, once that is decided
    version: int | None = None  # of the job, whose definition is above
    tick_at: float | None = Field(default=None, sa_type=Double)  # the due moment that started it
    schedule: str | None = None  # the name of the schedule whose moment that is, if it has one
    start_by: float | None = Field(default=None, sa_type=Double)  # given up where it has not started then
    backfill: int | None = Field(default=None, sa_type=Number)  # the last run of those that it is one of
    stopped_after: int | None = None  # failures in a row, of which it was the last, so its schedule stopped
    pull_request: int | None = Field(default=None, sa_type=Number)  # of `repository`, if it is for one
    environment: str | None = None  # which deployment is meant, as GitHub calls it
    occurrence: int | None = Field(default=None, sa_type=Number)  # what happened and led to it
    lock: str | None = None  # runs that share one never overlap; of several the first
    locks: list[str] | None = Field(default=None, sa_type=JSON(none_as_null=True))  # all, where it is several
    concurrency: str = "allow"  # with `at_most` only for those who know no number: `over` counts then
    at_most: int | None = None  # so many of a queue at a time, with this one
    queue: str | None = None  # those of the job with the same values of the key; None: all of the job
    over: str | None = None  # what becomes of one that is too many: queue, forbid, replace
    admitted: bool = False  # let through by the gate: it counts as running until it is finished
    hold: str | None = None  # a `Hold`: not at the gate yet, so in nobody's way; looked at again at `due_at`
    approval: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # whose yes it needs, of what, and who gave it; see `bot.handlers.approvals`
    hold_until: float | None = Field(default=None, sa_type=Double)  # until when it is held at most
    override: str | None = Field(default=None, sa_type=Text)  # why it starts in spite of a freeze
    attempt: int = 1  # the current or last one
    state: str = State.WAITING
    result: str | None = None
    reason: str | None = None
    reason_on: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # the build that it ended with, or for; `bot.messages` says it
    message: str | None = Field(default=None, sa_type=Text)  # what the engine says, of the run or that build
    exit_code: int | None = None
    waiting_for: str | None = Field(default=None, sa_type=Text)  # a `Wait`, or what the engine says
    waiting_on: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # which lock, run and place that is; counts where `waiting_for` is a `Wait`, which it outlives
    tail: list[str] = Field(default_factory=list, sa_type=JSON)
    outputs: dict[str, str] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # what the job reported by name, masked
    summary: str | None = Field(default=None, sa_type=Text)  # its Markdown, masked, as hostile as the job
    progress: dict[str, int] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # `done` of `total`, as the job reported it last
    stop_by: str | None = None  # who asked to stop it: an actor, or run:142, which replaced it
    stopping_at: float | None = Field(default=None, sa_type=Double)  # since when its grace counts
    created_at: float = Field(sa_type=Double)
    started_at: float | None = Field(default=None, sa_type=Double)
    finished_at: float | None = Field(default=None, sa_type=Double)


class Post(Claimable, table=True):
    """Something to be said in one place. Sent when `sent` is behind `wanted`; only the newest is sent.

    Either a card, which shows the run or build it belongs to as it stands when it is sent, or a
    `reply`, whose `text` is said once. `place` is what the kind needs to find its place:

    | kind            | place                                                    | remote_id          |
    | --------------- | -------------------------------------------------------- | ------------------ |
    | github_comment  | repository, issue, thread (of a line of the code), line  | comment id         |
    | github_check    | repository, commit                                       | check run id       |
    | github_status   | repository, commit                                       | -                  |
    | github_reaction | repository, comment, content, on_line                    | -                  |
    | github_minimize | repository, node                                         | -                  |
    | github_deployment | repository, deployment, occurrence                     | the last state     |
    | github_review   | repository, review, environment, occurrence              | whether it is said |
    | github_verdict  | as `bot.posting.targets.Verdict`                         | check run id       |
    | github_file     | as `bot.posting.targets.FilePlace`, report               | check run id       |
    | github_file_plan | as `bot.posting.targets.FilePlace`, pull, branch        | check run id       |
    | slack_message   | channel, thread, url (to tell the end where no card can be) | channel and ts  |
    | slack_thread    | channel, thread (the card above it)                      | channel and ts     |
    | slack_digest    | channel, about, job, who, facts (what it counts), storm  | channel and ts     |
    | slack_note      | channel, of (the key of the post above), about, run, who | -                  |
    | slack_slow      | channel, seconds; due when a run that goes on is slow    | -                  |
    | slack_response  | url, blocks (which say the same), replaces               | -                  |
    | slack_ephemeral | channel, thread, user, blocks (which say the same)       | -                  |

    A slack_message may have an `occasion` besides, which it says, and the `storm` (the key of a slack_digest)
    that tells of it in its place. `remote_note` is what else is to be known of it there: the comment's id of
    the GraphQL API, how many annotations a check has. Of the posts of one `topic` the newest takes the place
    of the others.
    """

    __tablename__ = "posts"
    __table_args__ = (
        Index("posts_open", "state", "due_at"),
        Index("posts_run", "run_number"),
        Index("posts_build", "build_number"),
        Index("posts_topic", "topic", **where("topic IS NOT NULL")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    key: str = Field(unique=True)  # run:142:github_comment:acme/shop#7, reply:<command key>, ...
    kind: str
    place: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    run_number: int | None = Field(default=None, sa_type=Number)
    build_number: int | None = Field(default=None, sa_type=Number)
    text: str | None = Field(default=None, sa_type=Text)
    nonce: str  # unguessable; the marker by which what was posted is found again
    state: str = "open"  # open (also when all is sent: a card may be wanted again), quiet, done, failed
    wanted: int = 1
    sent: int = 0
    remote_id: str | None = None
    remote_note: str | None = None
    topic: str | None = None  # acme/shop#7:run:migrate; none once another one has taken its place
    error: str | None = Field(default=None, sa_type=Text)
    created_at: float = Field(sa_type=Double)

    subject: ClassVar[Build | Run | None] = None
    """No column: what a card shows, which each claim gives to the post that it takes."""


class Attempt(SQLModel, table=True):
    """One try of a run; the engine's name and the log of the first are the run's own."""

    __tablename__ = "attempts"
    __table_args__ = (Index("attempts_run", "run_number", "attempt", unique=True),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    run_number: int = Field(sa_type=Number)
    attempt: int  # from 1
    name: str = Field(unique=True)
    result: str
    reason: str | None = None
    message: str | None = Field(default=None, sa_type=Text)
    exit_code: int | None = None
    tail: list[str] = Field(default_factory=list, sa_type=JSON)
    started_at: float | None = Field(default=None, sa_type=Double)
    finished_at: float = Field(sa_type=Double)


class JobVersion(SQLModel, table=True):
    """A definition of a job, as it was from `created_at` until the next; `deleted` ends it."""

    __tablename__ = "job_versions"
    __table_args__ = (Index("job_versions_job", "job", "version", unique=True),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    job: str
    version: int  # from 1, per job
    source: str  # file | api | repository
    definition: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    deleted: bool = False
    actor: str  # file, token:NAME, github:LOGIN
    origin: dict[str, Any] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # of a repository's job: `repository`, its `number`, the `commit` and the `line`
    created_at: float = Field(sa_type=Double)


class ImageTag(SQLModel, table=True):
    """The tag that a job runs instead of what its image says, for as long as that says what it said then."""

    __tablename__ = "image_tags"
    __table_args__ = (Index("image_tags_image", "image"),)

    job: str = Field(primary_key=True)
    image: str  # its name in the configuration
    origin: str  # what the image said when the tag was chosen: its reference, or where it is pushed
    tag: str
    moved_at: float = Field(sa_type=Double)
    moved_by: str  # hook:JOB/NAME, token:NAME
    pushed: str | None = None  # the newest commit of the default branch since: once built, it takes over
