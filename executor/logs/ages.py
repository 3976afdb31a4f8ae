"""The oldest logs, in order: found by one look at the directory, then known without another one; blocking.

What ends after that look ends later than everything found by it. So it is not among the oldest, and is due
only after all of them are gone, which is when the directory is looked at again.
"""

import heapq
import os
from collections import deque
from pathlib import Path

from executor.logs import logfile

MOST = 1000
"""Logs that are known at a time."""


class Ages:
    """The logs of one directory by when they ended, seconds since the epoch."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._oldest: deque[tuple[float, str]] = deque()

    def ended(self, before: float) -> list[str]:
        """Up to `MOST` logs that ended before `before`, oldest first; each is given once."""
        if not self._oldest:
            self._look()
        keys: list[str] = []
        while self._oldest and self._oldest[0][0] < before:
            key = self._oldest.popleft()[1]
            if logfile.ended_at(os.path.join(self._directory, key)) < before:  # it may have gone on since
                keys.append(key)
        return keys

    def oldest(self) -> float | None:
        """When the oldest log ended; None where there is none that has."""
        if not self._oldest:
            self._look()
        return self._oldest[0][0] if self._oldest else None

    def _look(self) -> None:
        try:
            with os.scandir(self._directory) as entries:
                ended = ((logfile.ended_at(entry.path), entry.name) for entry in entries)
                self._oldest.extend(heapq.nsmallest(MOST, (each for each in ended if each[0] < float("inf"))))
        except FileNotFoundError:
            return
