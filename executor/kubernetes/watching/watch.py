"""One list and watch of the objects of one kind in one namespace, for all runs.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes A watch goes on
where it broke; where the server does not know that place any more, all is listed again.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client, Object
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import Resource

_PAGE = 500
_GONE = 410
_LASTS = (240, 360)
"""Seconds after which the server ends a watch, at random, so that not all come back at once."""
_IDLE = 150.0
"""Seconds without a word, though the server tells where it is about once a minute, that mean a dead line."""
_AGAIN, _SLOWEST = 0.5, 15.0
"""Seconds before what failed is asked for again: doubled each time, up to the second."""


class Reader(Protocol):
    """Is told what there is."""

    def asking(self) -> None:
        """A list is being asked for."""
        ...

    def listed(self, objects: list[Object]) -> None:
        """These are all that there are, or were when the list was asked for."""
        ...

    def changed(self, item: Object) -> None:
        """An object was added, or is another now."""
        ...

    def deleted(self, item: Object) -> None:
        """An object is gone."""
        ...


class Watch:
    """Watches until closed.

    `listed` is set once there was a list. `failed` is while the server does not answer, which `problem` says
    more of; `since` is when it began to answer again (the loop's time), None while it does not.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str,
        query: Mapping[str, str],
        reader: Reader,
    ) -> None:
        self.listed = asyncio.Event()
        self.problem: EngineUnavailable | None = None
        self.failed = asyncio.Event()
        self.since: float | None = None
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._query = query
        self._reader = reader
        self._version: str | None = None
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop watching."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def ready(self) -> None:
        """Wait for the first list; raises EngineUnavailable where the server does not give it."""
        waits = [asyncio.ensure_future(self.listed.wait()), asyncio.ensure_future(self.failed.wait())]
        try:
            await asyncio.wait([*waits, self._task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.listed.is_set():
            return
        if self.problem is not None:
            raise self.problem
        raise EngineUnavailable("the engine is being closed")

    async def _run(self) -> None:
        delay = _AGAIN
        while True:
            began = asyncio.get_running_loop().time()
            least = 0.0
            try:
                if self._version is None:
                    await self._list()
                await self._follow()
            except Refused as refused:
                if refused.status == _GONE:
                    self._version = None
                else:
                    self._fail(EngineUnavailable(f"{self._resource.plural}: {refused.message}", delay=15.0))
                least = delay
            except EngineUnavailable as problem:
                self._fail(problem)
                least = max(delay, min(problem.delay, _SLOWEST) if self._version is None else 0.0)
            lasted = asyncio.get_running_loop().time() - began
            delay = _AGAIN if lasted > _SLOWEST else min(2 * delay, _SLOWEST)
            await asyncio.sleep(max(least, _AGAIN - lasted) * random.uniform(0.8, 1.2))  # noqa: S311

    def _fail(self, problem: EngineUnavailable) -> None:
        self.problem = problem
        self.since = None
        self.failed.set()

    def _heal(self) -> None:
        if self.since is None:
            self.since = asyncio.get_running_loop().time() if self.failed.is_set() else 0.0
        self.problem = None
        self.failed.clear()
        self.listed.set()

    async def _list(self) -> None:
        objects: list[Object] = []
        self._reader.asking()
        further: dict[str, str | int] = {}
        while True:
            page = await self._client.list(
                self._resource, self._namespace, **self._query, limit=_PAGE, **further
            )
            objects += page.get("items") or []
            metadata = page.get("metadata") or {}
            if not metadata.get("continue"):
                break
            further = {"continue": str(metadata["continue"])}
        self._reader.listed(objects)
        self._version = str(metadata.get("resourceVersion") or "0")

    async def _follow(self) -> None:
        query: dict[str, str | int] = {
            **self._query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version or "",
            "timeoutSeconds": random.randint(*_LASTS),  # noqa: S311  # a jitter, no secret
        }
        async with self._client.stream(self._resource, self._namespace, query=query, idle=_IDLE) as pieces:
            self._heal()
            async for line in lines(pieces):
                try:
                    self._take(json.loads(line))
                except (AttributeError, TypeError, ValueError) as problem:
                    raise EngineUnavailable("a watch tells what it never should") from problem

    def _take(self, event: Object) -> None:
        kind, about = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            status = int(about.get("code") or 0)
            raise Refused(status, str(about.get("reason") or ""), str(about.get("message") or "")[:1000])
        if kind in ("ADDED", "MODIFIED"):
            self._reader.changed(about)
        elif kind == "DELETED":
            self._reader.deleted(about)
        version = (about.get("metadata") or {}).get("resourceVersion")
        self._version = str(version) if version else self._version


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the whole lines of what comes in any pieces."""
    left: list[bytes] = []
    async for piece in pieces:
        first, *others = piece.split(b"\n")
        left.append(first)
        for line in others:
            whole = b"".join(left)
            left = [line]
            if whole.strip():
                yield whole
