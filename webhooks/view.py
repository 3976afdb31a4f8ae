"""Rows as people read them: words and shapes for the templates. Pure; `now` is an argument."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.access import people
from bot.access.scopes import EXEC
from bot.messages import approvals, differences, waiting_for
from bot.messages.reasons import explanation_of
from bot.states import ActorKind, Hold, State, Wait, attempts_allowed, grace_of, shown_state
from bot.tables import Build, Run
from bot.text import vocabulary
from bot.text.bars import bar, steps
from bot.text.names import schedule_key

_SHORT_SHA = 10


@dataclass(frozen=True, slots=True)
class Status:
    """`kind` is the CSS class (a state, or a result), `word` what people read, `symbol` for the title."""

    kind: str
    word: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One run or build, as the head of its page shows it."""

    kind: str  # run | build
    number: int
    name: str  # the job's or the image's
    status: Status
    exit_code: int | None
    detail: str | None  # why it waits, or why it ended as it did; `code` in back-quotes
    actor: str
    cause: str
    repository: str | None
    ref: str | None
    commit: str | None
    image: str | None
    build_number: int | None
    parameters: Sequence[tuple[str, str]]
    arguments: Sequence[str]
    created_at: float
    started_at: float | None
    finished_at: float | None
    rerun_of: int | None
    attempt: int = 1
    attempts: int = 1  # as many as there may be
    version: int | None = None  # of the job
    pull: int | None = None  # the pull request that it is of
    digest: str | None = None  # what exactly the image was
    outputs: Sequence[tuple[str, str]] = ()  # what its job reported
    report: str | None = None  # its summary: hostile Markdown
    progress: tuple[int, int] | None = None
    stop_by: str | None = None  # who asked to stop it
    grace: float = 0.0  # seconds that it has to end by itself
    stopping_at: float | None = None  # since when that counts
    stopped: tuple[str, int] | None = None  # its schedule, which stopped with it, and after how many failures
    waits_for_yes: bool = False  # of somebody else
    approved_by: Sequence[str] = ()  # the actors whose yes counts
    override: str | None = None  # why it started in spite of a freeze
    differs: Sequence[str] | None = None  # from the run that it repeats; None: that is not at hand

    def asked_by(self, login: str) -> bool:
        """Whether somebody on GitHub asked for it."""
        return people.is_same(self.actor, ActorKind.GITHUB.named(login))

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.finished_at is not None

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/{self.kind}s/{self.number}"

    @property
    def file_name(self) -> str:
        """What its log is called where it is kept: letters, digits, `.`, `_` and `-`."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.name).strip(".-") or self.kind
        return f"{name}-{self.number}.log"

    @property
    def short_commit(self) -> str | None:
        """Enough of the SHA for people."""
        return self.commit[:_SHORT_SHA] if self.commit else None

    @property
    def killed_at(self) -> float | None:
        """When it is killed if it does not end by itself; None where nothing is being stopped."""
        return None if self.finished or self.stopping_at is None else self.stopping_at + self.grace

    @property
    def single(self) -> bool:
        """Whether it is one command, and no job's."""
        return self.kind == "run" and self.name == EXEC

    @property
    def bar(self) -> str | None:
        """How far its job said that it was."""
        return None if self.progress is None else bar(*self.progress)

    def seconds(self, now: float) -> float | None:
        """How long it took, or has taken so far; None before it began."""
        return seconds(self.started_at, self.finished_at, now)

    def queued(self, now: float) -> float:
        """How long it waited, its build included."""
        return queued(self.created_at, self.started_at, self.finished_at, now)


def run_summary(run: Run, of: Run | None = None) -> Summary:
    """What is shown of a run; `of` is the one that it repeats, where that is at hand."""
    return Summary(
        kind="run",
        number=run.number or 0,
        name=run.job,
        status=status(shown_state(run.state, run.stop_by), run.result),
        exit_code=run.exit_code,
        detail=explanation_of(run) or (_obstacle(run) if run.state != State.FINISHED else None),
        actor=run.actor,
        cause=run.cause,
        repository=run.repository,
        ref=run.ref,
        commit=run.commit,
        image=run.image,
        build_number=run.build_number,
        parameters=sorted(run.parameters.items()),
        arguments=list(run.arguments),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=_finished_at(run),
        rerun_of=run.rerun_of,
        attempt=run.attempt,
        attempts=max(run.attempt, attempts_allowed(run.definition)),
        version=run.version,
        pull=run.pull_request,
        digest=run.digest,
        outputs=sorted((run.outputs or {}).items()),
        report=run.summary,
        progress=steps(run.progress),
        stop_by=run.stop_by,
        grace=grace_of(run.definition),
        stopping_at=run.stopping_at,
        stopped=None
        if run.stopped_after is None
        else (schedule_key(run.job, run.schedule), run.stopped_after),
        waits_for_yes=run.hold == Hold.APPROVAL,
        approved_by=approvals.approvers(run),
        override=run.override,
        differs=differences(of, run) if of is not None and of.repository == run.repository else None,
    )


def _obstacle(run: Run) -> str | None:
    """What keeps it from starting: what an engine says is a sentence of its own."""
    why = waiting_for(run)
    return f"It waits for {why}." if why and run.waiting_for in tuple(Wait) else why


def build_summary(build: Build) -> Summary:
    """What is shown of a build."""
    return Summary(
        kind="build",
        number=build.number or 0,
        name=build.image,
        status=status(build.state, build.result),
        exit_code=build.exit_code,
        detail=explanation_of(build),
        actor=build.actor,
        cause=build.cause,
        repository=build.repository,
        ref=build.ref,
        commit=build.commit,
        image=build.digest,
        build_number=None,
        parameters=(),
        arguments=(),
        created_at=build.created_at,
        started_at=build.started_at,
        finished_at=_finished_at(build),
        rerun_of=None,
    )


def _finished_at(row: Run | Build) -> float | None:
    """Set exactly when the state says so, whatever the column holds."""
    if row.state != State.FINISHED:
        return None
    return row.finished_at if row.finished_at is not None else row.created_at


def status(state: str, result: str | None) -> Status:
    """How a state (with a result, once finished) is named and coloured."""
    kind = (result or "error") if state == State.FINISHED else str(state)
    word = vocabulary.standing(state, result)
    return Status(kind, word.label.capitalize(), word.sign)


def seconds(started_at: float | None, finished_at: float | None, now: float) -> float | None:
    """The time between, never negative."""
    if started_at is None:
        return None
    return max(0.0, (now if finished_at is None else finished_at) - started_at)


def queued(created_at: float, started_at: float | None, finished_at: float | None, now: float) -> float:
    """The time from when it was asked for to its start, so far, or to the end where it never started."""
    ends = (at for at in (started_at, finished_at, now) if at is not None)
    return max(0.0, next(ends) - created_at)


def rfc3339(at: float) -> str:
    """A moment in UTC with milliseconds: `2026-01-31T12:00:00.000Z` (RFC 3339)."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def size(count: int) -> str:
    """Bytes for people: `812 B`, `4.0 KiB`, `1.2 MiB`."""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} KiB"
    return f"{count / 1024 / 1024:.1f} MiB"
