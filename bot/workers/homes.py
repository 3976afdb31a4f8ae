"""Publishes Homes anew while somebody looks at them: when runs, locks, freezes or pauses have changed.

The first change is shown at once, and what follows it within a second of it together.
"""

import asyncio
import math
from functools import partial
from time import monotonic

from bot.handlers.slack.homes import SlackHomePublisher
from bot.posting.pace import Pace
from bot.store import Store, overviews
from bot.workers.patience import awaken, patiently

GATHERING = 0.1
"""Seconds between two looks at what has changed."""
PACE, BURST = 0.75, 20
"""Seconds between two Homes, and how many are published at once after a while without any.

Together that is what Slack takes of `views.publish` in a minute, some hundred:
https://docs.slack.dev/reference/methods/views.publish
"""
AT_ONCE = 10
"""Homes that are made at the same time."""
LOOKED_UP = 1000
"""Runs of which it is asked whose they are; where more have changed, everybody's Home is published."""


class HomeFollower:
    """The duty of Homes; it hears of nothing while nobody looks."""

    def __init__(self, publisher: SlackHomePublisher, store: Store) -> None:
        self._publisher = publisher
        self._viewers = publisher.viewers
        self._store = store
        self._pace = Pace(PACE, monotonic, burst=BURST)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._viewers.arrival.wait()
            await self._follow()
            self._viewers.arrival.clear()

    async def _follow(self) -> None:
        """As long as somebody looks."""
        wakeup, looked_at = asyncio.Event(), -math.inf
        backlog = self._store.changes.backlog(wakeup, standing=True)
        while (rest := self._viewers.rest()) is not None:
            if wakeup.is_set():  # and something was looked at a moment ago
                await asyncio.sleep(min(looked_at + GATHERING - monotonic(), rest))
            else:
                await awaken(wakeup, rest)
            if wakeup.is_set() and monotonic() >= looked_at + GATHERING:
                looked_at = monotonic()
                await patiently("homes", partial(self._touch, backlog.take()))
            await self._publish()

    async def _touch(self, numbers: frozenset[int] | None) -> None:
        if numbers is None or len(numbers) > LOOKED_UP:
            self._viewers.touch(None)
            return
        self._viewers.touch(*await self._store.read(lambda s: overviews.touched(s, numbers)))

    async def _publish(self) -> None:
        """Some of those that are due; the others follow, with what has changed by then."""
        async with asyncio.TaskGroup() as group:
            for viewer in self._viewers.due()[:AT_ONCE]:
                await self._pace.turn("", 0, first=True)
                group.create_task(patiently("homes", partial(self._publisher.again, viewer)))
