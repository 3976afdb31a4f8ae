"""What both engines with containers read in the same way of how one ended; pure."""

import re
from dataclasses import replace

from executor.spec import Outcome, Result

LOST = "ContainerLost"
"""Somebody else took away what would have said how it ended."""

MOST = 2000
"""Characters of a runtime's or a cluster's words that are told."""

_MISSING = re.compile(r"executable file not found|no such file or directory|command that was not found", re.I)
_FORBIDDEN = re.compile(r"permission denied|exec format error|is a directory", re.I)


class RunEnded(Exception):
    """The end of a run that had none of its own: how, with a sentence for its log and for people."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def error(reason: str, message: str) -> RunEnded:
    """Give an end that is not the job's fault."""
    return RunEnded(Outcome(Result.ERROR, reason=reason, message=message[:MOST]))


def lost(message: str) -> RunEnded:
    """Give the end of a run of which the container, or what belongs to it, is not what it was."""
    return error(LOST, message)


def not_executed(words: str) -> Outcome | None:
    """Read that a command is not there (127) or cannot be executed (126), the codes that sh gives."""
    for pattern, code in ((_FORBIDDEN, 126), (_MISSING, 127)):
        if pattern.search(words):
            return Outcome(Result.FAILED, exit_code=code, message=words[:MOST])
    return None


def by_code(code: int, started_at: float | None, finished_at: float | None) -> Outcome:
    """Give the outcome of what ended by itself."""
    result = Result.FAILED if code else Result.SUCCEEDED
    return Outcome(result, exit_code=code, started_at=started_at, finished_at=finished_at)


def out_of_memory(outcome: Outcome, limit: float | None) -> Outcome:
    """Give `outcome` as that of what was killed for its memory; `limit` in bytes, None where it had none."""
    message = "It was killed because the machine had no memory left."
    if limit:
        message = f"It was killed at its memory limit of {limit / 2**20:.0f} MiB."
    return replace(outcome, result=Result.FAILED, reason="OOMKilled", message=message)


def stopped(
    outcome: Outcome, result: Result, reason: str | None = None, message: str | None = None
) -> Outcome:
    """Give `outcome` as that of what was stopped with `result`; a timeout has its own reason."""
    if result is Result.TIMED_OUT:
        reason = reason or "DeadlineExceeded"
    return replace(outcome, result=result, reason=reason, message=message)
