"""The addresses of pages as they are written where people read: signed where only the team reads."""

from collections.abc import Callable

from bot.access import links
from bot.registry import Registry
from bot.tables import Build, Run

DAY = 86400.0
"""Seconds."""


class PageAddresses:
    """Makes addresses; `keys` sign them, `clock` gives seconds since the epoch."""

    def __init__(self, registry: Registry, keys: links.Keys, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._keys = keys
        self._clock = clock

    def of(self, row: Build | Run, *, open_place: bool) -> str:
        """The address of the page of `row`, for a place that everybody may read (`open_place`) or not.

        It carries a signature that opens it, except where everybody could use that, whatever the row:
        the place may be public while the run is of a private repository, or of none.
        """
        config, path = self._registry.config, f"/{row.kind}s/{row.identity}"
        address = config.url.rstrip("/") + path
        if open_place and not (row.public and config.logs.public):
            return address
        today = self._clock() // DAY * DAY  # an edited card keeps its link for as long as one can
        expires = int(max(row.created_at, today)) + links.LINK_LIFE
        return f"{address}?{links.sign(path, expires=expires, keys=self._keys)}"
