"""What becomes of a delivery that nobody waits for: decided before the transaction, told after it."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.store import Session


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of it. `note` may be read once `effect` was carried out.

    `concerns`: it is about something that this installation runs, whatever comes of it. `refused`, likewise
    afterwards: whether a job could not be started.
    """

    concerns: bool
    effect: Callable[[Session], None]
    note: Callable[[], str]
    refused: Callable[[], bool] = lambda: False


def ignored(why: str) -> Decision:
    """Nothing comes of it."""
    return Decision(False, lambda session: None, lambda: why)
