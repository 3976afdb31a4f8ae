"""How a run ended, read from its container; pure."""

import re
from dataclasses import replace

from executor.container.containers import MEMORY, Container
from executor.outcomes import RunEnded, by_code, error, not_executed, out_of_memory, stopped
from executor.spec import Outcome, Result

_INIT = re.compile(
    rb"(?:ERROR \(catatonit:\d+\): failed to exec pid1|\[FATAL tini \(\d+\)\] exec .{0,200}? failed): "
    rb"(No such file or directory|Permission denied|Exec format error|[^\n]{1,100})\n",
    re.DOTALL,
)
"""What the inits of Podman and Docker say when there is no such command."""

_ONE = re.compile(rb"[^\n]{1,300}\n")
"""A line that is all that was said, such as `sh: exec: NAME: not found`."""

_WORKDIR = re.compile(r"workdir|working directory|chdir|\bcwd\b", re.I)
_REFERENCE = re.compile(r"reference|no such image|image not known|short-name|image", re.I)


def refused_creation(status: int, words: str, image: str) -> RunEnded:
    """Read why a container was not created."""
    if status == 404 or (status in (400, 500) and _REFERENCE.search(words)):
        return error("ImageMissing", f"{image[:200]}: {words}")
    return error("ContainerRefused", words)


def refused_start(words: str) -> RunEnded:
    """Read why a container was not started."""
    if _WORKDIR.search(words):
        return error("WorkdirInvalid", words)
    outcome = not_executed(words)
    return error("StartRefused", words) if outcome is None else RunEnded(outcome)


def of(container: Container, stopped_with: str | None, is_out_of_memory: bool, first: bytes) -> Outcome:
    """Give the outcome of a container that ended.

    `stopped_with` is the result of who asked for a stop, `first` the beginning of what was written.
    """
    started, finished = container.started_at, container.finished_at
    if started is not None and finished is not None:
        finished = max(started, finished)  # Podman takes one of them from a coarser clock
    code = container.exit_code
    outcome = by_code(code, started, finished)
    if stopped_with is not None:
        return stopped(outcome, Result(stopped_with))
    if not code:
        return outcome
    if container.oom_killed or is_out_of_memory:
        return out_of_memory(outcome, int(container.labels.get(MEMORY) or 0))
    if (refusal := _INIT.match(first)) is not None and code in (1, 126, 127):
        code = 127 if refusal[1] == b"No such file or directory" else 126
        return replace(outcome, exit_code=code, message=refusal[0].decode(errors="replace").strip())
    line = first if code in (126, 127) and _ONE.fullmatch(first) else b""
    return replace(outcome, message=container.error or line.decode(errors="replace").strip() or None)
