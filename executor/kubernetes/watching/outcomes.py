"""What has become of a run or a build, read from its Job and its pod; pure.

What is told is read from the objects alone, so that every bot reads the same and no bot has to remember.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from executor.kubernetes.watching.states import NO_START, TERMINATED, WAITING, Container, Event, Job, Pod
from executor.outcomes import LOST, MOST, by_code, error, not_executed, out_of_memory, stopped
from executor.spec import Outcome, Result

OVERDUE = 180.0
"""Seconds after the end of a deleted pod's grace in which its node has to say that it ended.

After a minute without the API server a kubelet was seen to need another minute and a half until it heard.
"""

_SIGNALLED = frozenset({137, 143})
"""Exit codes of what was killed or told to stop."""
_SKEW = 3.0
"""Seconds by which a node's clock may be behind that of the API server."""

_WHOLE = 1.0
"""Times of objects are whole seconds."""

_UNKNOWN = frozenset({"ContainerStatusUnknown", "Unknown"})
"""What the kubelet, and the runtime after a restart, say of a container that they lost sight of."""
_WORKDIR = re.compile(r"workdir|working directory|chdir|\bcwd\b|\bmkdir\b", re.I)
_EXEC = re.compile(
    r"(?:unable to start container process: )?((?:error during container init: )?exec:? .*)", re.S
)
_QUOTA = re.compile(r"exceeded quota", re.I)
_REFUSED = re.compile(r"is forbidden:|denied the request|is invalid:", re.I)
"""What admission says of a pod that it will not have, however often it is asked."""
_MENDED = 10.0
"""Seconds in which somebody may mend what a pod is refused for: what is applied together comes one by one."""
_PLAIN = frozenset({"ContainerCreating", "PodInitializing", ""})
"""Reasons of a container that waits for nothing in particular."""
_SIZES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_DISRUPTIONS: Mapping[str, tuple[str, str]] = {
    "PreemptionByScheduler": ("Preempted", "It made room for a pod of higher priority."),
    "DeletionByTaintManager": ("NodeLost", "Its node went away."),
    "DeletionByPodGC": ("NodeLost", "Its node went away."),
    "EvictionByEvictionAPI": ("Evicted", "It was evicted from its node."),
    "TerminationByKubelet": ("Evicted", "Its node ended it."),
}
_UNSTARTED = "Its pod was deleted by somebody else before it started."
_DELETED = "Its pod was deleted by somebody else while it ran."


@dataclass(frozen=True, slots=True)
class Waits:
    """It has not started, for `reason` (one CamelCase word), which `words` say to people.

    `patience`: seconds for which it may say so, where waiting does not help. `is_usual`: every run does.
    """

    reason: str
    words: str
    patience: float = math.inf
    is_usual: bool = False


@dataclass(frozen=True, slots=True)
class Runs:
    """Its first container runs or ran, since `at`."""

    at: float


Reading = Waits | Runs | Outcome


def read(job: Job, pod: Pod | None, events: Sequence[Event], now: float) -> Reading:
    """Tell what has become of it; `now` is in seconds since the epoch. `events` are those about the two.

    A Job without a pod may be one whose pod is not seen yet: that is told as waiting, whatever it says.
    """
    outcome = _end(job, pod, now)
    if outcome is not None:
        return _stopped(job, pod, outcome)
    if pod is not None and (since := _started(pod)) is not None:
        return Runs(since)
    return _waits(job, pod, events)


def vanished(job: Job, words: str) -> Outcome:
    """Tell what became of it where the objects that would say it are gone."""
    return _stopped(job, None, _error(LOST, words))


def _started(pod: Pod) -> float | None:
    return next((one.started_at for one in pod.containers if one.started_at is not None), None)


def _end(job: Job, pod: Pod | None, now: float) -> Outcome | None:
    """Give how it ended by itself or by others; None while it has not."""
    if pod is None:
        # Only what was stopped before it had a pod is known to get none.
        return Outcome(Result.CANCELLED) if job.stop and job.is_suspended and not job.active else None
    over = _over(pod)
    if over is not None:
        return _of(over, pod)
    if pod.has_ended:
        return _without_end(pod)
    if pod.deleted_at is None:
        return None
    if not pod.node:  # and it never comes to one
        return _error(LOST, _UNSTARTED)
    if now > pod.deleted_at + OVERDUE:
        return _error("NodeLost", f"Its node {pod.node} does not say whether it has ended.")
    return None


def _over(pod: Pod) -> Container | None:
    """Give the container whose end is the end of the whole; one that may be restarted has to wait for it."""
    ended = [
        one for one in pod.containers if one.status == TERMINATED and (pod.has_ended or not one.restarts)
    ]
    last = pod.containers[-1] if pod.containers else None
    return next((one for one in ended if one.exit_code or one is last), None)


def _of(over: Container, pod: Pod) -> Outcome:
    """Read how a container ended that nobody of ours stopped."""
    if over.reason in NO_START:
        return _not_started(over.message)
    started, finished = _started(pod), over.finished_at
    if over.exit_code and over.reason in _UNKNOWN:
        lost = _error("NodeLost", over.message or "Its node restarted, and does not know how it ended.")
        return replace(lost, started_at=started)
    if over.exit_code and (by_others := _by_others(over, pod)) is not None:
        return replace(by_others, started_at=started, finished_at=finished)
    outcome = by_code(over.exit_code, started, finished)
    if over.exit_code and over.reason == "OOMKilled":
        return out_of_memory(outcome, _memory(pod.memory))
    return outcome


def _by_others(over: Container, pod: Pod) -> Outcome | None:
    """Tell who ended a container, unless it did itself, before anybody else came to it."""
    is_late = pod.disrupted_at is not None and _is_before(over, pod.disrupted_at)
    if pod.reason and not is_late:  # Evicted, Preempting, NodeShutdown, ...
        return _error(pod.reason, pod.message or "Its node ended it.")
    if pod.disruption is not None and not is_late:
        reason, words = _DISRUPTIONS.get(pod.disruption[0], ("Disrupted", "The cluster ended it."))
        return _error(reason, f"{words} {pod.disruption[1]}".strip())
    if pod.deleted_at is None or over.finished_at is None:
        return None
    is_own = not pod.is_signalled and _is_before(over, pod.deleted_at - pod.grace)
    return None if is_own else _error(LOST, _DELETED)


def _is_before(over: Container, at: float) -> bool:
    """Whether a container had ended before what came `at` a time of the API server, whose clock is another.

    An exit code that no signal makes is the job's own choice, and needs no doubt about the clocks.
    """
    if over.finished_at is None or over.reason in _UNKNOWN:
        return False
    return at > over.finished_at + (_SKEW if over.exit_code in _SIGNALLED else 0.0)


def _without_end(pod: Pod) -> Outcome:
    """Read why a pod is over that no container of ours ended."""
    reason, words = pod.reason, pod.message
    failed = next((one for one in pod.sidecars if one.status == TERMINATED and one.exit_code), None)
    is_alone = pod.disruption is None and pod.deleted_at is None and _started(pod) is None
    if not reason and is_alone and failed is not None:
        words = f"Its sidecar {failed.name} ended with {failed.exit_code} before the job could start."
        return _error("SidecarFailed", f"{words} {failed.message}".strip())
    if not reason and pod.disruption is not None:
        reason, sentence = _DISRUPTIONS.get(pod.disruption[0], ("Disrupted", "The cluster ended it."))
        words = f"{sentence} {pod.disruption[1]}".strip()
    if not reason and pod.deleted_at is not None:
        reason, words = LOST, _UNSTARTED
    return _error(reason or LOST, words or "Its pod ended, and its node does not say why.")


def _stopped(job: Job, pod: Pod | None, outcome: Outcome) -> Outcome:
    """Give the outcome of what ended, if Errand or the cluster's own deadline had stopped it."""
    over = _over(pod) if pod is not None else None
    is_known = over is not None and over.started_at is not None and over.reason not in _UNKNOWN
    code = over.exit_code if over is not None and is_known else None
    words = outcome.message if outcome.reason == "NodeLost" and over is None else None
    result, reason = Result.TIMED_OUT, None
    if job.stop in set(Result):
        result, reason, words = Result(job.stop), job.reason or None, job.words or words
    elif outcome.result is Result.SUCCEEDED or not _is_by_deadline(job, pod, over, outcome):
        return outcome
    code = None if result is Result.ERROR else code
    return stopped(replace(outcome, exit_code=code), result, reason, words)


def _is_by_deadline(job: Job, pod: Pod | None, over: Container | None, outcome: Outcome) -> bool:
    """Whether the cluster ended it at its own deadline."""
    by_cluster = job.failed is not None and job.failed[0] == "DeadlineExceeded"
    if over is not None and not math.isinf(job.ends_by) and _is_before(over, job.ends_by):
        by_cluster = False
    if pod is not None and pod.deleted_at is not None and outcome.reason == LOST:
        # The cluster deletes the pod first and says at the Job why it did only after that.
        by_cluster = by_cluster or pod.deleted_at - pod.grace >= job.ends_by - _WHOLE
    return by_cluster


def _not_started(words: str) -> Outcome:
    """Read what the runtime says of a command that it could not execute."""
    match = _EXEC.search(words)
    if match is not None and (outcome := not_executed(match[1])) is not None:
        return outcome
    if _WORKDIR.search(words):
        return _error("WorkdirInvalid", words)
    return _error("StartRefused", words or "The node could not start its container.")


def _waits(job: Job, pod: Pod | None, events: Sequence[Event]) -> Waits:
    if pod is None:
        return _without_pod(job, events)
    waiting = next((one for one in (*pod.containers, *pod.sidecars) if _is_in_trouble(one)), None)
    if waiting is not None:
        said_of = f"Its sidecar {waiting.name}: " if waiting in pod.sidecars else ""
        words = f"{said_of}{waiting.message or waiting.reason}"[:MOST]
        if waiting.reason == "InvalidImageName":
            return Waits("ImageMissing", words, patience=0.0)
        return Waits(waiting.reason, words)
    if pod.scheduling is not None:
        reason, words = pod.scheduling
        return Waits(reason or "Unschedulable", words[:MOST] or "It waits for a node.")
    if not pod.node:
        return Waits("Scheduling", "It waits for a node.", is_usual=True)
    slow = next((one for one in pod.sidecars if one.restarts and one.started_at and not one.is_up), None)
    if slow is not None:
        words = f"It waits for its sidecar {slow.name} to say that it is up."
        return Waits("SidecarStarting", words, is_usual=True)
    # What is called only `Failed` the container itself tells, too, and more of it.
    warnings = (one for one in reversed(events) if one.about == pod.name and one.reason != "Failed")
    warning = next((one for one in warnings if one.reason.startswith("Failed")), None)
    if warning is not None:
        return Waits(warning.reason, warning.message[:MOST])
    return Waits("ContainerCreating", f"Its container is made on {pod.node}.", is_usual=True)


def _is_in_trouble(container: Container) -> bool:
    return container.status == WAITING and container.reason not in _PLAIN


def _without_pod(job: Job, events: Sequence[Event]) -> Waits:
    for event in reversed(events):
        if event.reason == "FailedCreate" and event.about == job.name:
            # Every try has another name, which would be news each time.
            words = re.sub(rf'pods? "{re.escape(job.name)}-[a-z0-9]+"', "its pod", event.message, flags=re.I)
            if _QUOTA.search(words):
                return Waits("QuotaExceeded", words[:MOST])
            if _REFUSED.search(words):
                return Waits("PodRefused", words[:MOST], patience=_MENDED)
            return Waits(event.reason, words[:MOST])
    return Waits("PodMissing", "It waits for its pod.", is_usual=True)


def _memory(limit: str) -> float | None:
    """Give the bytes of a quantity as the API writes it; None where there is none."""
    digits = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", limit)
    return None if digits is None else float(digits[1]) * _SIZES.get(digits[2], 1)


def _error(reason: str, message: str) -> Outcome:
    return error(reason, message).outcome
