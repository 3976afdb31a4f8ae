"""Which ends of an attempt a job has tried again, and why one was followed by another or by none."""

from collections.abc import Iterable
from typing import Any

from bot.catalog.retries import Ended, ExitCodes, Reasons, Retries, RetryDecision, decision_of
from bot.tables import Attempt, Run
from bot.text.vocabulary import duration
from bot.text.wording import quoted


def policy(rules: Retries) -> str:
    """What a job says, in one line (Markdown): `3 attempts in all, another after `error`, 10s later`."""
    line = f"up to {rules.attempts} attempts, another after {_ends(rules.on)}"
    if rules.never:
        line += f", never after {_ends(rules.never)}"
    longer = f", then {rules.factor:g} times as long each" if rules.factor > 1 and rules.attempts > 2 else ""
    return f"{line}; {duration(rules.delay)} later{longer}"


def _ends(entries: Iterable[Any]) -> str:
    return ", ".join(quoted(entry) for entry in map(_entry, entries)) or "nothing"


def _entry(entry: Any) -> str:
    if isinstance(entry, ExitCodes):
        return f"exit: {', '.join(map(str, entry.exit))}"
    return f"reason: {', '.join(entry.reason)}" if isinstance(entry, Reasons) else str(entry)


def followed(decision: RetryDecision) -> str:
    """What followed an end, and by which rule (Markdown)."""
    rule = quoted(decision.rule)
    return {
        "on": f"tried again: {rule} is in `on`",
        "never": f"not tried again: {rule} is in `never`",
        "unlisted": f"not tried again: {rule} is not in `on`",
        "last": "not tried again: it was the last attempt",
    }[decision.kind]


def decision_after(run: Run, row: Attempt | Run) -> RetryDecision | None:
    """What followed the end of an attempt of `run`; None where that was a stop, or there are no `retries`.

    A run's own end is that of its last attempt.
    """
    if row.result is None:
        return None
    found = decision_of(run.definition, Ended(row.attempt, row.result, row.reason, row.exit_code))
    if found is None or (found.again and run.result is not None and row.attempt >= run.attempt):
        return None
    return found
