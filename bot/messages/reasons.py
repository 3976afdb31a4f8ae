"""Why something ended as it did: a sentence with what to do, and the code word of the engine behind it.

The one table of all code words that people meet. A sentence of the engine, where it has one, is more exact
than what is said here and takes its place; what to do is said in any case.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bot.messages import approvals, verdicts
from bot.states import (
    APPROVAL_EXPIRED,
    APPROVAL_VOIDED,
    BUILD_FAILED,
    DENIED,
    NOT_RELEASED,
    NOT_STARTED,
    SUPERSEDED,
    State,
)
from bot.tables import Build, Run
from bot.text.units import duration_text, size_text
from executor.spec import Result


class Explanation(NamedTuple):
    """What a code word means, and what to do about it (may be empty)."""

    what: str
    advice: str = ""


_MEMORY = "Raise `size` or `resources.memory`, or let it use less."
_AGAIN = "Run it again; `retries` in app.yaml does so by itself."
_DEFINITION = "Mend the job in app.yaml; `errand check` looks at it."
_RIGHTS = "Whoever runs Errand can see with `errand check --cluster` which right is missing."

REASONS: dict[str, Explanation] = {
    # The job and its image
    "DeadlineExceeded": Explanation(
        "`timeout` in app.yaml was reached.", "Raise it if that is how long it takes."
    ),
    "OOMKilled": Explanation("It had more memory than its limit.", _MEMORY),
    "OutOfMemory": Explanation("It probably ran out of memory.", _MEMORY),
    "SetupFailed": Explanation("Its `setup` failed.", "The last lines of the log say where."),
    "BuildFailed": Explanation("The build of its image failed.", "The log of the build says where."),
    "FetchFailed": Explanation(
        "The commit could not be fetched.", "See whether it is still there, then try again."
    ),
    "PushFailed": Explanation(
        "The image could not be pushed.", "See whether the registry takes it (`push`)."
    ),
    "PullRefused": Explanation("The registry refused the image.", "See to its name and its `credentials`."),
    "ErrImagePull": Explanation("The image could not be pulled.", "See to its name, tag and `credentials`."),
    "ImagePullBackOff": Explanation(
        "The image could not be pulled.", "See to its name, tag and `credentials`."
    ),
    "ImageMissing": Explanation("Its image is not there.", "Build it anew, or see to its name."),
    "ImageGone": Explanation("Its image was cleared away since.", "It is built anew when it is needed."),
    "NoSource": Explanation("GitHub did not give the commit.", "Try again when GitHub answers."),
    "Superseded": Explanation("A newer push took its place."),
    "Denied": Explanation("Somebody said no to it."),
    "ApprovalExpired": Explanation("Nobody said yes in time.", "Ask for it anew."),
    "ApprovalVoided": Explanation("It is not any more what was asked for."),
    "NotStarted": Explanation(
        "It did not start within the time that its job allows (`start_within`).",
        "Look at what it waited for, or raise it.",
    ),
    "NotReleased": Explanation("It might not start when its time had come."),
    "SpecInvalid": Explanation("The engine cannot run it as it is defined.", _DEFINITION),
    "SpecRefused": Explanation("The cluster refused it as it is defined.", _DEFINITION),
    "PodRefused": Explanation("The cluster refused its pod.", _DEFINITION),
    "FilesInvalid": Explanation("Its `files` cannot be placed.", _DEFINITION),
    "WorkdirInvalid": Explanation("Its `workdir` is not in the image.", _DEFINITION),
    "ContainerRefused": Explanation("The container engine refused it.", _DEFINITION),
    "StartRefused": Explanation(
        "Its command could not be started.", "See whether the image has that program."
    ),
    "NotConfigured": Explanation("It needs what is no longer configured.", _DEFINITION),
    "WorkloadMissing": Explanation(
        "There is no such workload.", "See to `workload` and `namespace` of the image."
    ),
    "WorkloadNotReady": Explanation(
        "That workload has no ready pod.", "Run it again when the workload is up."
    ),
    "SecretUnreadable": Explanation(
        "A secret that it names cannot be read.", "See whether it is there. " + _RIGHTS
    ),
    "SecretTooLarge": Explanation(
        "A secret that it can read is too large to be masked.", "What is no secret belongs into a ConfigMap."
    ),
    # The machine and the cluster
    "CreateContainerConfigError": Explanation(
        "A Secret or a ConfigMap that it names is not there.", "See to the names and keys in app.yaml."
    ),
    "Unschedulable": Explanation(
        "No node has room for it.", "Ask for less (`size` or `resources`), or add a node."
    ),
    "QuotaExceeded": Explanation(
        "The quota of the namespace is used up.", "Run it again when there is room."
    ),
    "CreateForbidden": Explanation("Errand may not create it.", _RIGHTS),
    "CreateDeferred": Explanation(
        "The cluster did not take it in time.", "See to its API server and what that asks (webhooks)."
    ),
    "NamespaceMissing": Explanation("The namespace is not there.", "See to `engine.kubernetes.namespace`."),
    "NameTaken": Explanation("The cluster has something else of that name.", _AGAIN),
    "Evicted": Explanation("It was evicted from its node.", _AGAIN),
    "Preempted": Explanation("It made room for something of higher priority.", _AGAIN),
    "Disrupted": Explanation("The cluster ended it.", _AGAIN),
    "NodeLost": Explanation("Its node went away.", _AGAIN),
    "SidecarStarting": Explanation("A sidecar of its pod is not up yet.", "See to the sidecar's log."),
    "SidecarFailed": Explanation("A sidecar of its pod ended before it.", "See to the sidecar's log."),
    "ContainerLost": Explanation("Its container went away.", _AGAIN),
    "PodMissing": Explanation("Its pod went away.", _AGAIN),
    "SupervisorLost": Explanation("What watched over it was ended.", _AGAIN),
    "BuilderDied": Explanation("The builder was ended.", "Try again; the log of the build may say more."),
    "BuilderUnfit": Explanation(
        "The builder cannot build where it runs.",
        "See to `engine.kubernetes.builder`: its image needs git, its pod what builds without root need.",
    ),
    "EngineUnavailable": Explanation("The engine did not answer.", "Try again when it does."),
    "InternalError": Explanation(
        "Errand failed over this.", "Whoever runs Errand finds the cause in its log."
    ),
}

EXIT_CODES: dict[int, Explanation] = {
    126: Explanation(
        "Its command cannot be executed.", "See whether the file may be executed, and is for this machine."
    ),
    127: Explanation("There is no such command.", "See to its name, and whether the image has it."),
    130: Explanation("It was interrupted (SIGINT)."),
    134: Explanation("It gave up (SIGABRT).", "The last lines of the log say why."),
    137: Explanation(
        "It was killed (SIGKILL), and not by Errand.",
        "If its memory was the cause, raise `size` or `resources.memory`.",
    ),
    139: Explanation("It crashed (SIGSEGV).", "See whether the program is made for this machine."),
    141: Explanation("What it wrote to was closed (SIGPIPE)."),
    143: Explanation("It was ended (SIGTERM), and not by Errand.", _AGAIN),
}
"""What exit codes mean that are rarely a job's own choice: those of a shell, and of signals (128 and more).

https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
"""


def message(row: Run | Build) -> str | None:
    """The sentence about an end: which build it is owed to, and what the engine says.

    Where there is neither, what stopped it if that was another run. What a version before stored is one
    sentence with nothing that it speaks of.
    """
    on, words = row.reason_on, _ENDS.get((row.kind, row.reason or ""))
    if on is not None and words is not None:
        return " ".join(filter(None, (words(on), row.message)))
    source, _, number = (row.stop_by or "").partition(":")
    replaced = source == "run" and row.result == "cancelled"
    return row.message or (f"Replaced by #{number}." if replaced else None)


def _newer_push(on: Mapping[str, Any]) -> str:
    """The build that took the place of another."""
    return f"A newer push is built instead: {on['commit'][:12]}, build #{on['build']}."


def _failed_build(on: Mapping[str, Any]) -> str:
    """The build that a run waited for, how it ended where the run saw that, and its exit code if any."""
    ended = {None: "did not succeed", "cancelled": "was cancelled"}.get(on.get("result"), "failed")
    code = f" with exit code {on['exit_code']}" if on.get("exit_code") is not None else ""
    return f"Build #{on['build']} of {on['image']} {ended}{code}."


def _voided(on: Mapping[str, Any]) -> str:
    """What of it is not so any more."""
    sentence = approvals.end_of_voided(on)
    return sentence[0].upper() + sentence[1:]


def _not_released(on: Mapping[str, Any]) -> str:
    """What stood in the way of a run that was held, when that was over."""
    why = verdicts.reason(on).replace("`", "")
    return f"It might not start: {why}" if why else REASONS[NOT_RELEASED].what


def _not_started(on: Mapping[str, Any]) -> str:
    """How long it might have waited."""
    return f"It did not start within {duration_text(float(on['within']))} (`start_within`)."


_ENDS: dict[tuple[str, str], Callable[[Mapping[str, Any]], str]] = {
    ("build", SUPERSEDED): _newer_push,
    ("run", SUPERSEDED): _newer_push,
    ("run", BUILD_FAILED): _failed_build,
    ("run", NOT_RELEASED): _not_released,
    ("run", NOT_STARTED): _not_started,
    ("run", DENIED): approvals.end_of_denied,
    ("run", APPROVAL_EXPIRED): approvals.end_of_expired,
    ("run", APPROVAL_VOIDED): _voided,
}
"""By what ended and its reason: a build that fails after all still has what was to take its place."""


def explanation_of(row: Run | Build) -> str | None:
    """The sentences about the end of a run or a build, None where there is nothing to say."""
    definition = row.definition if isinstance(row, Run) else {}
    own_code = row.exit_code if row.state == State.FINISHED and row.result == Result.FAILED else None
    return explained(row.reason, message(row), definition, own_code)


def explained(
    reason: str | None, message: str | None, definition: Mapping[str, Any], exit_code: int | None = None
) -> str | None:
    """The sentences for people, with the code word in brackets; None where there is nothing to say.

    `definition` is the stored one of the job, whose `timeout` (seconds) or memory (bytes) is named where that
    was reached. `exit_code` is that of what failed by itself, else None.
    """
    word, sentences = (reason or "").strip(), explanation(reason, message, definition, exit_code)
    return f"{sentences} ({word})".strip() if word else sentences or None


def explanation(
    reason: str | None, message: str | None, definition: Mapping[str, Any], exit_code: int | None = None
) -> str:
    """The same without the code word; empty where there is nothing to say."""
    word, text = (reason or "").strip(), (message or "").strip()
    if not word and exit_code not in EXIT_CODES:
        return text
    known = REASONS.get(word) if word else EXIT_CODES[exit_code or 0]
    what = text or (known.what if known else "")
    if word == "DeadlineExceeded":
        what = f"{_deadline(definition)} {text}".strip()
    elif word == "OOMKilled":
        what = _memory_limit(definition) or what
    elif word in ("Unschedulable", "QuotaExceeded"):
        what = f"{what.rstrip()} {_request(definition)}".strip()
    if what and what[-1] not in ".!?":
        what += "."
    advice = known.advice if known and known.advice not in what else ""
    return " ".join(part for part in (what, advice) if part)


def _deadline(definition: Mapping[str, Any]) -> str:
    seconds = definition.get("timeout")
    if not isinstance(seconds, int | float):
        return REASONS["DeadlineExceeded"].what
    return f"`timeout: {duration_text(seconds)}` in app.yaml was reached."


def _request(definition: Mapping[str, Any]) -> str:
    """What a job asks for; empty where that is nothing of its own."""
    resources = definition.get("resources")
    found = resources if isinstance(resources, Mapping) else {}
    memory, cpu, gpu = (found.get(name) for name in ("memory", "cpu", "gpu"))
    parts = [
        f"memory {size_text(memory)}" if isinstance(memory, int) and memory > 0 else "",
        f"cpu {cpu:g}" if isinstance(cpu, int | float) and cpu > 0 else "",
        f"gpu {gpu}" if isinstance(gpu, int) and gpu > 0 else "",
    ]
    amounts = ", ".join(part for part in parts if part)
    return f"It asks for {amounts}." if amounts else ""


def _memory_limit(definition: Mapping[str, Any]) -> str | None:
    resources = definition.get("resources")
    limit = resources.get("memory") if isinstance(resources, Mapping) else None
    return f"Memory is limited to {size_text(limit)}." if isinstance(limit, int) and limit > 0 else None
