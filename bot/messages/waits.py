"""What keeps a run from starting, in words that follow "is waiting for" on its card, and in refusals.

They begin with a small letter: what the engine waits for is a sentence, and follows "is starting:".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.messages.text import clean, plain
from bot.tables import Lock, Run
from bot.text import vocabulary
from bot.text.vocabulary import duration, moment
from bot.text.wording import quoted


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run stands in its line: `number` from 1, `around` when its turn may come (None: unknown)."""

    number: int
    around: float | None = None


def who(actor: str) -> str:
    """Whoever asked, in one line."""
    return clean(vocabulary.who(actor), 80)


def not_alone(why: Mapping[str, Any]) -> str:
    """A no to a further run of a job of which one is under way (Markdown)."""
    stands = vocabulary.standing(why["state"], None).verb
    return (
        f"{quoted(why['job'])} is not started: #{why['run']} {stands}"
        f" (asked by {quoted(who(why['actor']))}), and only one at a time is allowed (`concurrency: forbid`)."
    )


def closed(lock: Lock) -> str:
    """A lock of a person: by whom, how long and why."""
    until = f" until {moment(lock.until)}" if lock.until is not None else ""
    why = f" ({clean(lock.reason, 200)})" if lock.reason else ""
    return f"the lock {lock.target}, closed by {who(lock.actor)}{until}{why}"


def held(lock: str, holder: Run, *, named: bool) -> str:
    """A lock that a run holds; without `named` nothing is said of that run."""
    by = f"{holder.job} #{holder.number}, asked by {who(holder.actor)}" if named else "another run"
    return f"the lock {lock}, held by {by}"


def ahead(other: Run) -> str:
    """A run of the same job that goes first."""
    return f"#{other.number} to {'stop' if other.stop_by else 'end'}"


def next_attempt(attempt: int, most: int, pause: float) -> str:
    """The next attempt of a run, `pause` seconds after the one before."""
    return f"attempt {attempt} of {most} to begin {duration(pause)} after the one before"


def locked(lock: Lock, *, command: str) -> str:
    """The answer to who closed a target (Markdown)."""
    until = f" until {moment(lock.until)}" if lock.until is not None else ""
    return (
        f"{quoted(lock.target)} is locked{until}: what has begun goes on, nothing else starts."
        f" {quoted(f'{command} unlock {lock.target}')} opens it."
    )


def locked_already(lock: Lock, *, command: str) -> str:
    """The answer to who wants to close what somebody else closed (Markdown)."""
    until = f" until {moment(lock.until)}" if lock.until is not None else ""
    why = f": {plain(lock.reason, 200)}" if lock.reason else "."
    return (
        f"{quoted(lock.target)} is locked by {quoted(who(lock.actor))}{until} already{why}"
        f" {quoted(f'{command} unlock {lock.target}')} opens it."
    )


def unlocked(target: str) -> str:
    """The answer to who opened a target (Markdown)."""
    return f"{quoted(target)} is open again."


def in_line(cause: str, place: Place | None) -> str:
    """`cause` with the place in the line; None: further behind than anybody counts."""
    if place is None:
        return f"{cause}; many others come first"
    around = f", its turn comes about {moment(place.around)}" if place.around is not None else ""
    return f"{cause}; place {place.number} in the queue{around}"
