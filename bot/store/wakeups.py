"""Bells: a change says for whom there is new work and what is new, and the commit tells. Nobody polls.

On PostgreSQL the commit also tells the other bots: see `notices`.
"""

import asyncio
from collections.abc import Iterable
from typing import Literal, get_args

from sqlalchemy.orm import Session

from bot.tables import Build, Run

Queue = Literal["deliveries", "builds", "runs", "posts", "stops", "locks", "ticks", "jobs"]

_KEY = "bells"
_CHANGED = "changed"


def ring(session: Session, belt: Queue) -> None:
    """Wake whoever waits for `belt`, once this session's changes are committed."""
    session.info.setdefault(_KEY, set()).add(belt)


def awaken(session: Session) -> set[Queue]:
    """The belts that this session's changes concern."""
    belts: set[Queue] = session.info.get(_KEY, set())
    return belts


def changed(session: Session, *rows: Run | Build) -> None:
    """Show these rows, as they are now, to whoever watches them, once they are committed."""
    session.info.setdefault(_CHANGED, []).extend(rows)


def changes(session: Session) -> list[Run | Build]:
    """The rows that this session changed, oldest change first."""
    rows: list[Run | Build] = session.info.get(_CHANGED, [])
    return rows


class WakeUps:
    """One `asyncio.Event` per belt; whoever waits clears it before looking for work."""

    def __init__(self) -> None:
        self._events: dict[Queue, asyncio.Event] = {belt: asyncio.Event() for belt in get_args(Queue)}

    def __getitem__(self, belt: Queue) -> asyncio.Event:
        return self._events[belt]

    def ring(self, belts: Iterable[Queue]) -> None:
        """Wake those who wait; on the event loop's thread only."""
        for belt in belts:
            self._events[belt].set()

    def ring_all(self) -> None:
        """Wake all of them."""
        self.ring(self._events)
