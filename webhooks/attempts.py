"""The attempts of a run as pages and the API show them: those that ended, and the one that goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog.retries import RetryDecision
from bot.messages.retries import decision_after, followed
from bot.states import State, attempt_name
from bot.tables import Attempt, Run
from webhooks.view import Status, seconds, status


@dataclass(frozen=True, slots=True)
class RunAttempt:
    """One attempt, from 1; `result` is None while it goes on. `key` is its log's."""

    attempt: int
    key: str
    state: str
    result: str | None
    reason: str | None
    exit_code: int | None
    started_at: float | None
    finished_at: float | None
    followed: RetryDecision | None

    @property
    def after(self) -> str | None:
        """What followed its end, and by which rule (Markdown)."""
        return None if self.followed is None else followed(self.followed)

    @property
    def status(self) -> Status:
        """How it is named and coloured."""
        return status(self.state, self.result)

    def seconds(self, now: float) -> float | None:
        """How long it took, or has taken so far; None where its beginning is not known."""
        return seconds(self.started_at, self.finished_at, now)


def run_attempts(run: Run, ended: Sequence[Attempt]) -> list[RunAttempt]:
    """All attempts of a run, oldest first, of which `ended` are those that are stored."""
    attempts = [
        RunAttempt(
            each.attempt,
            each.name,
            State.FINISHED,
            each.result,
            each.reason,
            each.exit_code,
            each.started_at,
            each.finished_at,
            decision_after(run, each),
        )
        for each in ended
    ]
    if len(attempts) < run.attempt:
        first = run.attempt == 1
        attempts.append(
            RunAttempt(
                run.attempt,
                attempt_name(run.name, run.attempt),
                run.state,
                run.result,
                run.reason,
                run.exit_code,
                run.started_at if first else None,  # the run's own beginning is that of its first attempt
                run.finished_at,
                decision_after(run, run),
            )
        )
    return attempts
