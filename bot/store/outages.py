"""Says once that the database is away and once that it is back, however many wait for it meanwhile."""

import threading
from time import monotonic
from typing import Literal

import structlog

from bot.errors import DatabaseAway

log = structlog.get_logger("store")

Direction = Literal["read", "write"]
"""A full disk takes no writes and answers every question, so each way is away and back by itself."""


class Outage:
    """Told of every answer and every failure, in whichever thread."""

    def __init__(self) -> None:
        self._away: dict[Direction, float] = {}
        self._lock = threading.Lock()

    def failed(self, way: Direction, error: DatabaseAway) -> None:
        """The database did not answer."""
        with self._lock:
            first = not self._away
            self._away.setdefault(way, monotonic())
        if first:
            log.error("database.away", error=str(error))

    def answered(self, way: Direction) -> None:
        """The database answered."""
        if way not in self._away:
            return
        with self._lock:
            since = self._away.pop(way, None)
            over = since is not None and not self._away
        if since is not None and over:
            log.info("database.back", seconds=round(monotonic() - since, 1))
