"""Wake-ups: a change says for whom there is new work and what is new, and the commit tells. Nobody polls.

On PostgreSQL the commit also tells the other bots: see `notices`.
"""

import asyncio
from collections.abc import Iterable
from typing import Literal, get_args

from sqlalchemy.orm import Session

from bot.tables import Build, Run

Queue = Literal[
    "deliveries",
    "builds",
    "runs",
    "posts",
    "stops",
    "locks",
    "ticks",
    "jobs",
    "journal",
    "holds",
    "limits",
    "repositories",
]

_KEY = "wakeups"
_CHANGED = "changed"


def wake(session: Session, queue: Queue) -> None:
    """Wake whoever waits for `queue`, once this session's changes are committed."""
    session.info.setdefault(_KEY, set()).add(queue)


def awaken(session: Session) -> set[Queue]:
    """The queues that this session's changes concern."""
    queues: set[Queue] = session.info.get(_KEY, set())
    return queues


def changed(session: Session, *rows: Run | Build) -> None:
    """Show these rows, as they are now, to whoever watches them, once they are committed."""
    session.info.setdefault(_CHANGED, []).extend(rows)


def changes(session: Session) -> list[Run | Build]:
    """The rows that this session changed, oldest change first."""
    rows: list[Run | Build] = session.info.get(_CHANGED, [])
    return rows


class WakeUps:
    """One `asyncio.Event` per queue; whoever waits clears it before looking for work."""

    def __init__(self) -> None:
        self._events: dict[Queue, asyncio.Event] = {queue: asyncio.Event() for queue in get_args(Queue)}

    def __getitem__(self, queue: Queue) -> asyncio.Event:
        return self._events[queue]

    def wake(self, queues: Iterable[Queue]) -> None:
        """Wake those who wait; on the event loop's thread only."""
        for queue in queues:
            self._events[queue].set()

    def ring_all(self) -> None:
        """Wake all of them."""
        self.wake(self._events)
