"""Reads what a job reports from the log of the container beside it that tells so, as `report.sh` has it.

That log is read from its beginning, as often as it has to be: what was told last counts. So nothing of it is
kept here, and a bot that takes over finds it where it is, until the pod is deleted.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import PODS
from executor.kubernetes.watching.states import TERMINATED, Container, Pod
from executor.reports import files

_IDLE = 300.0
"""Seconds of silence after which the log is asked for anew."""
_AGAIN, _SLOWEST = 0.5, 10.0
"""Seconds before what failed is asked for again: doubled each time, up to the second."""
LATE = 5.0
"""Seconds after the end of the job in which its report has to be there."""
_HEAD = re.compile(rb"errand ([a-z]{1,20}) (\d{1,6})")
_LONGEST_HEAD = 40
"""Bytes; a longer line is a part of what was lost before it."""
_ENDED = "ended"


class Frames:
    """Understands the log, piece by piece: `contents` is what was told last by name."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._rest = b""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes."""
        return _ENDED in self.contents

    def feed(self, data: bytes) -> None:
        """Take the next piece."""
        self._rest += data
        while (end := self._rest.find(b"\n")) >= 0:
            head = _HEAD.fullmatch(self._rest[:end])
            size = min(int(head[2]), files.MOST + 1) if head is not None else 0
            if head is not None and size:
                if len(self._rest) <= end + 1 + size:
                    return
                self.contents[head[1].decode()] = self._rest[end + 1 : end + 1 + size]
                end += 1 + size
            elif head is not None:
                self.contents[head[1].decode()] = b""
            self._rest = self._rest[end + 1 :]
        if len(self._rest) > _LONGEST_HEAD:
            self._rest = self._rest[:_LONGEST_HEAD]


class ReportReader:
    """Reads the report of the job in `pod`; `tell` is called with the progress whenever it is another."""

    def __init__(self, client: Client, pod: Callable[[], Pod | None], tell: Callable[[bytes], None]) -> None:
        self._client = client
        self._pod = pod
        self._tell = tell
        self._frames = Frames()
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    def look(self) -> None:
        """Say that the pod has changed."""
        self._changed.set()

    async def end(self) -> Mapping[str, bytes]:
        """Give what was reported, waiting for the rest of it: the job has ended."""
        reporter = self._reporter()
        if reporter is not None and (reporter.started_at or reporter.status != TERMINATED):
            await asyncio.wait([self._task], timeout=LATE)
        return self._frames.contents

    async def close(self) -> None:
        """Leave it to another process."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _reporter(self) -> Container | None:
        pod = self._pod()
        return pod.reporter if pod is not None else None

    async def _read(self) -> None:
        delay = _AGAIN
        while True:
            is_over = (await self._started()).status == TERMINATED  # before reading: nothing can follow
            is_answered = True
            try:
                await self._stream()
                delay = _AGAIN
            except Refused:  # the node deletes the log with the pod
                pass
            except EngineUnavailable:
                is_answered = False
            if self._frames.has_ended or (is_over and is_answered):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            delay = min(2 * delay, _SLOWEST)

    async def _started(self) -> Container:
        """Wait until there is a log."""
        while True:
            self._changed.clear()
            reporter = self._reporter()
            if reporter is not None and reporter.started_at is not None:
                return reporter
            await self._changed.wait()

    async def _stream(self) -> None:
        pod = self._pod()
        if pod is None:
            return
        frames = Frames()
        query: dict[str, str | int] = {
            "container": pod.reporter.name if pod.reporter else "",
            "follow": "true",
        }
        async with self._client.stream(
            PODS, pod.namespace, pod.name, "log", query=query, idle=_IDLE, first=_IDLE
        ) as pieces:
            async for piece in pieces:
                frames.feed(piece)
                self._frames.contents |= frames.contents
                if (progress := frames.contents.get(files.PROGRESS)) is not None:
                    self._tell(progress)
                if frames.has_ended:
                    return
