"""Publishes Homes anew while somebody looks at them: when runs, locks, freezes or pauses have changed."""

import asyncio
from functools import partial

from bot.handlers.slack.homes import SlackHomePublisher
from bot.store import Store, overviews
from bot.workers.patience import awaken, patiently

GATHERING = 1.0
"""Seconds between two looks at what has changed."""
PACE = 0.6
"""Seconds between two Homes: Slack takes about a hundred a minute of `views.publish`.

https://docs.slack.dev/reference/methods/views.publish
"""
LOOKED_UP = 1000
"""Runs of which it is asked whose they are; where more have changed, everybody's Home is published."""


class HomeFollower:
    """The duty of Homes; it hears of nothing while nobody looks."""

    def __init__(self, publisher: SlackHomePublisher, store: Store) -> None:
        self._publisher = publisher
        self._viewers = publisher.viewers
        self._store = store

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._viewers.arrival.wait()
            await self._follow()
            self._viewers.arrival.clear()

    async def _follow(self) -> None:
        """As long as somebody looks."""
        wakeup = asyncio.Event()
        backlog = self._store.changes.backlog(wakeup, standing=True)
        while (rest := self._viewers.rest()) is not None:
            await awaken(wakeup, rest)
            if wakeup.is_set():
                numbers = backlog.take()
                await patiently("homes", partial(self._touch, numbers))
            for viewer in self._viewers.due():
                await patiently("homes", partial(self._publisher.again, viewer))
                await asyncio.sleep(PACE)
            await asyncio.sleep(GATHERING)

    async def _touch(self, numbers: frozenset[int] | None) -> None:
        if numbers is None or len(numbers) > LOOKED_UP:
            self._viewers.touch(None)
            return
        self._viewers.touch(*await self._store.read(lambda s: overviews.touched(s, numbers)))
