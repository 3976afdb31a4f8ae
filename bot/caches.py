"""Values that are kept for a while, so that what many want to know at once is asked once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

KEPT = 1000
"""Entries of a cache, unless it is made for another number."""
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ExpiringCache(Generic[K, V]):
    """Values that are kept until they end, at most `most`; however many ask at once, each is fetched once."""

    def __init__(self, clock: Callable[[], float], most: int = KEPT) -> None:
        self._clock = clock
        self._most = most
        self._values: dict[K, tuple[V, float]] = {}
        self._flights: dict[K, asyncio.Task[V]] = {}

    def peek(self, key: K) -> V | None:
        """The value that is kept, None where there is none."""
        entry = self._values.get(key)
        return entry[0] if entry is not None and entry[1] > self._clock() else None

    def drop(self, key: K) -> None:
        """Forget the value; the next to ask fetches it."""
        self._values.pop(key, None)

    def refresh(self, key: K, fetch: Callable[[], Awaitable[tuple[V, float]]]) -> None:
        """Fetch the value anew beside what is kept, which holds until its end."""
        if key not in self._flights:
            self._start(key, fetch)

    async def get(self, key: K, fetch: Callable[[], Awaitable[tuple[V, float]]]) -> V:
        """The value, from `fetch` (which also says when it ends) where none is kept.

        The fetch is a task of its own: who started it may be cancelled, the others still get it.
        """
        value = self.peek(key)
        if value is not None:
            return value
        flight = self._flights.get(key)
        return await asyncio.shield(self._start(key, fetch) if flight is None else flight)

    def _start(self, key: K, fetch: Callable[[], Awaitable[tuple[V, float]]]) -> asyncio.Task[V]:
        flight = asyncio.create_task(self._fly(key, fetch))
        self._flights[key] = flight
        flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    async def _fly(self, key: K, fetch: Callable[[], Awaitable[tuple[V, float]]]) -> V:
        value, ends = await fetch()
        while len(self._values) >= self._most:
            del self._values[next(iter(self._values))]
        self._values[key] = (value, ends)
        return value

    def _landed(self, key: K, flight: asyncio.Task[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # everybody may have gone; then nobody else looks at it

    async def close(self) -> None:
        """End what is being fetched."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
