"""How a run ended, read from its container; pure."""

import re

from executor.container.containers import MEMORY, Container
from executor.spec import Outcome, Result

_INIT = re.compile(
    rb"(?:ERROR \(catatonit:\d+\): failed to exec pid1|\[FATAL tini \(\d+\)\] exec .{0,200}? failed): "
    rb"(No such file or directory|Permission denied|Exec format error|[^\n]{1,100})\n",
    re.DOTALL,
)
"""What the inits of Podman and Docker say when there is no such command."""

_ONE = re.compile(rb"[^\n]{1,300}\n")
"""A line that is all that was said, such as `sh: exec: NAME: not found`."""

_MISSING = re.compile(r"executable file not found|no such file or directory|command that was not found", re.I)
_FORBIDDEN = re.compile(r"permission denied|exec format error|is a directory", re.I)
_WORKDIR = re.compile(r"workdir|working directory|chdir|\bcwd\b", re.I)
_REFERENCE = re.compile(r"reference|no such image|image not known|short-name|image", re.I)


class Ended(Exception):
    """The end of a run that had none of its own: how, with a sentence for its log and for people."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def error(reason: str, message: str) -> Ended:
    """Give an end that is not the job's fault."""
    return Ended(Outcome(Result.ERROR, reason=reason, message=message))


def lost(message: str) -> Ended:
    """Give the end of a run whose container is not what it was."""
    return error("ContainerLost", message)


def refused_creation(status: int, words: str, image: str) -> Ended:
    """Read why a container was not created."""
    if status == 404 or (status in (400, 500) and _REFERENCE.search(words)):
        return error("ImageMissing", f"{image[:200]}: {words}")
    return error("ContainerRefused", words)


def refused_start(words: str) -> Ended:
    """Read why a container was not started."""
    if _WORKDIR.search(words):
        return error("WorkdirInvalid", words)
    for pattern, code in ((_FORBIDDEN, 126), (_MISSING, 127)):
        if pattern.search(words):
            return Ended(Outcome(Result.FAILED, exit_code=code, message=words))
    return error("StartRefused", words)


def of(container: Container, stopped: str | None, out_of_memory: bool, first: bytes) -> Outcome:
    """Give the outcome of a container that ended.

    `stopped` is the result of who asked for a stop, `first` the beginning of what was written.
    """
    result, code, reason, message = Result.SUCCEEDED, container.exit_code, None, None
    if stopped is not None:
        result = Result(stopped)
        reason = "DeadlineExceeded" if result is Result.TIMED_OUT else None
    elif code:
        result = Result.FAILED
        if container.oom_killed or out_of_memory:
            reason, message = "OOMKilled", _memory(int(container.labels.get(MEMORY) or 0))
        elif (said := _INIT.match(first)) is not None and code in (1, 126, 127):
            code = 127 if said[1] == b"No such file or directory" else 126
            message = said[0].decode(errors="replace").strip()
        elif code in (126, 127):
            message = container.error or (
                first.decode(errors="replace").strip() if _ONE.fullmatch(first) else None
            )
        else:
            message = container.error or None
    started, finished = container.started_at, container.finished_at
    if started is not None and finished is not None:
        finished = max(started, finished)  # Podman takes one of them from a coarser clock
    return Outcome(
        result, exit_code=code, reason=reason, message=message, started_at=started, finished_at=finished
    )


def _memory(limit: int) -> str:
    if not limit:
        return "It was killed because the machine had no memory left."
    return f"It was killed at its memory limit of {limit / 2**20:.0f} MiB."
