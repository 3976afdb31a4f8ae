"""What is told of one run or build while it goes on, to all who ask for it in this process."""

import asyncio
from collections.abc import AsyncIterator

from executor.errors import EngineUnavailable
from executor.spec import Headway, Outcome, Pending, Progress, Started


class ProgressFeed:
    """What is known so far. Whoever sets one of the four says so with `changed`.

    After the start `pending` is what a stop waits for; with None again it waits no more, and `started` is
    told once more.
    """

    def __init__(self) -> None:
        self.pending: Pending | None = None
        self.started: Started | None = None
        self.headway: Headway | None = None
        self.outcome: Outcome | None = None
        self._change = asyncio.Event()  # a new one after every change

    def wait(self, words: str) -> None:
        """It waits for this; said again it is no news."""
        if self.pending is None or self.pending.reason != words:
            self.pending = Pending(words)
            self.changed()

    def start(self, at: float) -> None:
        """It runs, since `at`; nothing new where that is known."""
        if self.started is None:
            self.pending, self.started = None, Started(at)
            self.changed()

    def resume(self) -> None:
        """What a stop waited for is over."""
        if self.started is not None and self.pending is not None:
            self.pending = None
            self.changed()

    def advance(self, headway: Headway) -> None:
        """The job says that it is so far."""
        if headway != self.headway:
            self.headway = headway
            self.changed()

    def changed(self) -> None:
        """Let everybody look who listens."""
        self._change.set()
        self._change = asyncio.Event()

    async def follow(self, teller: asyncio.Task[None]) -> AsyncIterator[Progress]:
        """Give what happened and what happens, to the outcome; raises EngineUnavailable, or as `teller` did.

        The end of `teller`, who finds out, is a change as well.
        """
        pending: Pending | None = None
        headway: Headway | None = None
        has_started = False
        while True:
            change = self._change
            if self.started is not None and not has_started:
                has_started, pending = True, self.pending  # which is over
                yield self.started
            if self.outcome is not None:
                yield self.outcome
                return
            if has_started and self.headway is not None and self.headway != headway:
                headway = self.headway
                yield headway
                continue
            if self.pending is not None and self.pending != pending:
                pending = self.pending
                yield pending
                continue
            if self.started is not None and self.pending is None and pending is not None:
                pending = None
                yield self.started
                continue
            if teller.done():
                if teller.cancelled():
                    raise EngineUnavailable("the engine is being closed")
                teller.result()
            await change.wait()
