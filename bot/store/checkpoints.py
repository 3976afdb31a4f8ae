"""SQLite's checkpoints, in a thread of their own: copying the WAL into the database keeps no commit waiting.

Left to the writer, one commit in a hundred would take some ten times as long as the others. Each has
two steps: most is copied while commits go on; then, with commits held for a moment, the little that
came meanwhile, because only a WAL that was copied to its end is written from its beginning again.
https://sqlite.org/wal.html#checkpointing
"""

import sqlite3
import threading
from pathlib import Path

import structlog

EVERY = 16 << 20
"""Bytes given to the database between two checkpoints."""

FALLBACK_PAGES = 32_000
"""Pages (4 KB) of WAL at which the writer makes a checkpoint after all: a reader can keep this one back."""

_PASSIVE = "PRAGMA wal_checkpoint(PASSIVE)"
"""The kind that waits for nobody."""

log = structlog.get_logger("store")


class Checkpoints:
    """Counts what was written; `written` and `close` are called on the writer's thread.

    The writer commits with `gate` held.
    """

    def __init__(self, database: Path) -> None:
        self.gate = threading.Lock()
        self._database = database
        self._bytes = 0
        self._open = True
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="store-checkpoints", daemon=True)
        self._thread.start()

    def written(self, size: int) -> None:
        """About `size` bytes were committed."""
        self._bytes += size
        if self._bytes >= EVERY:
            self._bytes = 0
            self._due.set()

    def close(self) -> None:
        """End the thread; closing the last connection makes the last checkpoint."""
        self._open = False
        self._due.set()
        self._thread.join()

    def _serve(self) -> None:
        connection = sqlite3.connect(self._database, isolation_level=None, check_same_thread=False)
        try:
            while self._due.wait() and self._open:
                self._due.clear()
                try:
                    connection.execute(_PASSIVE).fetchone()
                    with self.gate:
                        connection.execute(_PASSIVE).fetchone()
                except sqlite3.OperationalError as error:
                    log.warning("checkpoint_failed", why=str(error))  # the writer's own will come
        finally:
            connection.close()
