"""The states of a run and of a build, the only moves between them, and what began it: cause and actor."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a run (or a build, which knows only the first, second and last) stands."""

    WAITING = "waiting"
    BUILDING = "building"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"


class Cause(StrEnum):
    """Through which door a run or a build was asked for."""

    PUSH = "push"
    COMMENT = "comment"
    CHECK = "check"
    SLACK = "slack"
    API = "api"
    HOOK = "hook"
    ACTIONS = "actions"
    SCHEDULE = "schedule"
    CHAT = "chat"
    PAGE = "page"
    DEPLOYMENT = "deployment"
    DEPLOYMENT_STATUS = "deployment_status"
    PROTECTION_RULE = "protection_rule"
    RELEASE = "release"
    PULL_REQUEST = "pull_request"
    WORKFLOW = "workflow"
    MERGE_GROUP = "merge_group"
    DISPATCH = "dispatch"
    CHAIN = "chain"


BY_PEOPLE = frozenset({Cause.COMMENT, Cause.CHECK, Cause.SLACK, Cause.CHAT, Cause.PAGE, Cause.API})
"""Of what somebody, or a token, asked for itself: its actor is who that was. The rest starts by itself."""


class ActorKind(StrEnum):
    """Who can ask, as history keeps them: `github:LOGIN`, `hook:JOB/NAME`; of a schedule the word alone."""

    GITHUB = "github"
    SLACK = "slack"
    TOKEN = "token"  # noqa: S105
    HOOK = "hook"
    ACTIONS = "actions"
    TERMINAL = "terminal"
    SCHEDULE = "schedule"

    def named(self, name: str) -> str:
        """An actor of this kind, as it is stored."""
        return f"{self}:{name}"


ERRAND = "errand"
"""The actor of what Errand does by itself: a lock whose time is over, a job that the file lost."""


class EntryKind(StrEnum):
    """What the journal tells of: of what, and what became of it. What stands here once is never renamed."""

    RUN_STARTED = "run.started"
    RUN_REPEATED = "run.repeated"
    RUN_HELD = "run.held"
    RUN_RELEASED = "run.released"
    RUN_CANCELLED = "run.cancelled"
    RUN_FINISHED = "run.finished"
    RUN_REMOVED = "run.removed"
    APPROVED = "approval.given"
    DENIED = "approval.denied"
    APPROVAL_VOIDED = "approval.voided"
    APPROVAL_EXPIRED = "approval.expired"
    FROZEN = "freeze.begun"
    THAWED = "freeze.ended"
    OVERRIDDEN = "rule.overridden"
    REFUSED = "refused"
    BUILD_REQUESTED = "build.requested"
    BUILD_CANCELLED = "build.cancelled"
    BUILD_FINISHED = "build.finished"
    PAUSED = "schedule.paused"
    RESUMED = "schedule.resumed"
    SKIPPED = "schedule.skipped"
    BACKFILLED = "schedule.backfilled"
    LOCKED = "lock.closed"
    UNLOCKED = "lock.opened"
    TAG_MOVED = "tag.moved"
    TAG_DROPPED = "tag.dropped"
    JOB_DEFINED = "job.defined"
    JOB_REMOVED = "job.removed"
    CONFIG_CHANGED = "config.changed"
    HOOK_CREATED = "hook.created"
    HOOK_DELETED = "hook.deleted"
    TOKEN_CREATED = "token.created"  # noqa: S105 (no secret)
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 (no secret)
    LOGIN_BEGUN = "login.begun"
    LOGIN_ENDED = "login.ended"
    PIN_DROPPED = "pin.dropped"
    DELIVERY_RETRIED = "delivery.retried"
    FILE_READ = "repository.read"
    FILE_REFUSED = "repository.refused"


class TickOutcome(StrEnum):
    """What became of a due moment of a schedule."""

    RUN = "run"
    MISSED = "missed"
    SKIPPED = "skipped"
    PAUSED = "paused"
    FROZEN = "frozen"
    REFUSED = "refused"


class Wait(StrEnum):
    """What kind of thing keeps a run from starting; the API has their names. A version that does not know one
    shows it as it is.
    """

    CLOSED = "a lock that somebody closed"
    HELD = "a lock that another run holds"
    AHEAD = "another run"
    ATTEMPT = "its next attempt"
    APPROVAL = "the yes of somebody else"
    TIME = "its time"
    FREEZE = "the end of a freeze"
    TURN = "its turn in a backfill"


class Hold(StrEnum):
    """What keeps a run from even coming to the gate: it holds no lock, no place in a queue and no slot."""

    APPROVAL = "approval"
    TIME = "time"
    FREEZE = "freeze"


EVERYTHING = "*"
"""The target of a lock of all jobs."""

SUPERSEDED = "Superseded"
"""The reason of a build, and of the runs of its push, that a newer push took the place of."""

NOT_RELEASED = "NotReleased"
"""The reason of a run that was held, and might not start when that was over."""

NOT_STARTED = "NotStarted"
"""The reason of a run that did not start within the time that its job allows for it (`start_within`)."""

START_LIMIT = "start_within"
"""Who asked such a run to stop."""

DENIED = "Denied"
"""The reason of a run to which somebody said no."""

APPROVAL_EXPIRED = "ApprovalExpired"
"""The reason of a run to which nobody said yes in time."""

APPROVAL_VOIDED = "ApprovalVoided"
"""The reason of a run that was not any more what a yes would have been to."""

BUILD_FAILED = "BuildFailed"
"""The reason of a run whose build failed; an engine gives it to builds as well."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for: which lock, run and place `on` names, in plain values; `bot.messages` says it."""

    kind: Wait
    on: dict[str, Any]


_RUN_MOVES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.BUILDING, State.STARTING, State.FINISHED}),
    State.BUILDING: frozenset({State.WAITING, State.STARTING, State.FINISHED}),
    State.STARTING: frozenset({State.RUNNING, State.STOPPING, State.FINISHED}),
    State.RUNNING: frozenset({State.STOPPING, State.FINISHED}),
    State.STOPPING: frozenset({State.FINISHED}),
    State.FINISHED: frozenset(),
}

_BUILD_MOVES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.BUILDING, State.FINISHED}),
    State.BUILDING: frozenset({State.FINISHED}),
    State.FINISHED: frozenset(),
}


AGAIN = (State.STARTING, State.RUNNING)
"""The states from which a run goes back to `waiting`, for its next attempt."""

GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL where a job says nothing else."""


def attempt_name(name: str, attempt: int) -> str:
    """What the engine and the logs call an attempt (from 1) of the run called `name`."""
    return name if attempt == 1 else f"{name}.{attempt}"


def attempts_allowed(definition: Mapping[str, Any]) -> int:
    """How often a run of this stored definition of a job may be tried."""
    retries = definition.get("retries", 0)
    if isinstance(retries, Mapping):
        attempts = retries.get("attempts", 1)
        return attempts if isinstance(attempts, int) else 1
    return 1 + retries if isinstance(retries, int) else 1


def grace_of(definition: Mapping[str, Any]) -> float:
    """Seconds that a run of this stored definition has to end by itself when it is stopped."""
    grace = definition.get("grace")
    return float(grace) if isinstance(grace, int | float) else GRACE


def shown_state(state: str, stop_by: str | None) -> State:
    """What people read of a run: one that somebody asked to stop (`stop_by`) is stopping.

    Whoever carries it, and its engine, hear of it in a moment.
    """
    now = State(state)
    return State.STOPPING if stop_by and now in (State.STARTING, State.RUNNING) else now


def run_sources(to: State) -> tuple[State, ...]:
    """The states from which a run may move to `to`, for the WHERE of the one UPDATE that moves it."""
    return tuple(state for state, targets in _RUN_MOVES.items() if to in targets)


def build_sources(to: State) -> tuple[State, ...]:
    """The states from which a build may move to `to`."""
    return tuple(state for state, targets in _BUILD_MOVES.items() if to in targets)
