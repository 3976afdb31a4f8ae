"""Whose clock counts where several bots share a database: the database's.

Leases are compared and made in SQL, by the database's own clock, so a bot whose clock is wrong can neither
steal nor keep what it should not. Everything else that a bot decides by time (what is due, schedules, locks
for a time) it decides by its own clock, put right by the database's where the two differ.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, literal, text
from sqlalchemy.orm import Session

log = structlog.get_logger()

DATABASE: dict[str, Any] = {"clock": "database"}
"""What the `info` of a session says in which leases are counted by the database's clock."""

CLOCK = "SELECT date_part('epoch', clock_timestamp())"
"""What time it is by PostgreSQL; seconds since the epoch."""

NOISE = 0.25
"""Seconds of difference that are not corrected: how long an answer takes to come is not known exactly."""

WORTH_TELLING = 1.0
"""Seconds of difference from which on whoever runs Errand is told."""


def moment(session: Session, now: float) -> ColumnElement[float]:
    """The time by which leases count in this session: the database's where it has to be, else `now`."""
    return moment_of(counted_by_database(session), literal(now))


def counted_by_database(session: Session) -> bool:
    """Whether leases count by the database's clock in this session."""
    return bool(session.info.get("clock") == DATABASE["clock"])


def moment_of(by_database: bool, now: ColumnElement[float]) -> ColumnElement[float]:
    """The same for a statement that is kept: `now` is a parameter of it."""
    # Of the statement: a transaction begins before what it waits for, and the index still serves.
    return func.date_part("epoch", func.statement_timestamp()) if by_database else now


def database_time(session: Session) -> float:
    """What the database's clock says; PostgreSQL only."""
    return float(session.execute(text(CLOCK)).scalar_one())


class Skew:
    """How far this machine's clock is from the database's; seconds to add to it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.seconds = 0.0

    def now(self) -> float:
        """The time by the database's clock, as far as is known; seconds since the epoch."""
        return self._clock() + self.seconds

    def measure(self, before: float, moment: float, after: float) -> None:
        """The database said that it was `moment`, some time between `before` and `after` by this clock."""
        found = moment - (before + after) / 2
        error = (after - before) / 2
        if abs(found - self.seconds) <= max(NOISE, error):
            return
        if abs(found - self.seconds) > WORTH_TELLING:
            log.warning(
                "clock.differs",
                seconds=round(-found, 1),
                why="this machine's clock is not the database's, which counts; set it by NTP",
            )
        self.seconds = found if abs(found) > NOISE else 0.0

    def ask(self) -> float:
        """What this machine's clock says."""
        return self._clock()
