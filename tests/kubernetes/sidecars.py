"""The sidecars of one pod: init containers that are restarted until nothing else runs.

https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from tests.kubernetes.problems import Object
from tests.kubernetes.statuses import ContainerState

_AGAIN, _SLOWEST = 0.5, 10.0
"""Seconds before one that ended is started again: doubled each time, up to the second."""
_BACK_OFF = "back-off restarting failed container"

Contain = Callable[[Object, ContainerState, asyncio.Event], Coroutine[Any, Any, None]]
"""Runs a container to its end, and sets the event once it runs."""


class Sidecars:
    """Those that were started so far."""

    def __init__(self, contain: Contain) -> None:
        self._contain = contain
        self._is_ending = False
        self._started: list[tuple[Object, asyncio.Task[None]]] = []

    @property
    def names(self) -> set[str]:
        """What they are called."""
        return {item["name"] for item, _ in self._started}

    async def start(self, item: Object, state: ContainerState) -> None:
        """Start one and wait until it runs: what comes after it may start then."""
        up = asyncio.Event()
        self._started.append((item, asyncio.create_task(self._keep(item, state, up))))
        await up.wait()

    async def _keep(self, item: Object, state: ContainerState, up: asyncio.Event) -> None:
        wait = _AGAIN
        while True:
            await self._contain(item, state, up)
            if self._is_ending:
                return
            await asyncio.sleep(wait)
            wait = min(wait * 2, _SLOWEST)
            state.last, state.restarts = state.state, state.restarts + 1
            state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": _BACK_OFF}}

    async def end(self, stop: Callable[[Object], Awaitable[bool]]) -> None:
        """End them, the last one first; `stop` tells whether there was a process to end."""
        self._is_ending = True
        for item, task in reversed(self._started):
            if await stop(item):
                await asyncio.wait([task])
            task.cancel()

    async def close(self) -> None:
        """Let go of all."""
        for _, task in self._started:
            task.cancel()
        await asyncio.gather(*(task for _, task in self._started), return_exceptions=True)


async def in_order(contain: Contain, both: Sequence[tuple[Object, ContainerState]]) -> None:
    """Run containers beside each other to their ends: each is started when the one before it was."""
    tasks: list[asyncio.Task[None]] = []
    try:
        for item, state in both:
            up = asyncio.Event()
            started = asyncio.create_task(up.wait())
            tasks.append(asyncio.create_task(contain(item, state, up)))
            # One that cannot be started keeps the next one waiting for its first try only.
            await asyncio.wait([tasks[-1], started], timeout=_AGAIN, return_when=asyncio.FIRST_COMPLETED)
            started.cancel()
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
