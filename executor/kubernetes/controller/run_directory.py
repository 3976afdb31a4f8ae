"""What Errand keeps beside the log of a run or a build, in the same directory.

`turn`   held by the one process that writes the log (flock(2)); in it the position in the container's log
         up to which the log depends on nothing that comes
`begun`  the namespace of its Job, once that was made or found
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from executor.kubernetes.controller.log_cursor import Position
from executor.logs import logfile
from executor.logs.watcher import FileWatcher
from executor.supervisor import lock
from executor.threads import acquired, in_thread

_TURN, _BEGUN = "turn", "begun"
_LOOK = 5.0
"""Seconds after which who waits for its turn looks again though nothing was told, as from another machine."""
_SIZE = 512
"""Bytes of a checkpoint, so that writing one is one write over the last."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log up to `offset` has all before `container`, and of that one all before `position`."""

    offset: int
    container: str
    position: Position | None


class RunDirectory:
    """The directory of one log; files are for threads, each for a moment."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @in_thread
    def begin(self, namespace: str) -> None:
        """Note that there is a Job."""
        self.path.mkdir(0o700, parents=True, exist_ok=True)
        (self.path / _BEGUN).write_text(namespace, encoding="utf-8")

    @in_thread
    def begun(self) -> str | None:
        """Give the namespace of the Job that there is or was; None if none was made."""
        try:
            return (self.path / _BEGUN).read_text(encoding="utf-8") or None
        except (FileNotFoundError, NotADirectoryError):
            return None

    @in_thread
    def forget(self) -> None:
        """Keep nothing but the log."""
        for name in (_BEGUN, _TURN):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (self.path / name).unlink()

    async def turn(self, watcher: FileWatcher, tried: Callable[[], None]) -> "Turn | None":
        """Wait for the turn to write the log; None once it has ended.

        `tried` is told of each try in vain: the other process may have written.
        """
        changed: asyncio.Future[None] | None = None
        while (turn := await self.take()) is None:
            tried()
            if await self._is_complete():
                return None
            if changed is not None:
                await asyncio.wait([changed], timeout=_LOOK)
                changed = None
            else:  # and try once more: what changes from now on will be told
                changed = watcher.arm(self.path)
        try:
            is_complete = await self._is_complete()
        except BaseException:  # cancelled: nobody else would ever get the turn
            turn.close()
            raise
        if is_complete:
            turn.close()
            return None
        return turn

    @in_thread
    def _is_complete(self) -> bool:
        return logfile.has_ended(str(self.path))

    async def take(self) -> "Turn | None":
        """Take the turn to write the log; None if another process has it.

        Who is cancelled meanwhile does not have it. Trying in vain does not tell the directory: those who
        wait for a change would wake each other.
        """
        return await acquired(self._take, Turn.close)

    def _take(self) -> "Turn | None":
        self.path.mkdir(0o700, parents=True, exist_ok=True)
        path = str(self.path / _TURN)
        if os.path.exists(path):
            free = lock.shared(path)
            if free is None:
                return None
            os.close(free)
        file = lock.alone(path, wait=False)
        return None if file is None else Turn(file)


class Turn:
    """The right to write a log, until it is closed or this process dies; closing it tells the directory."""

    def __init__(self, file: int) -> None:
        self._file = file

    def read(self) -> Checkpoint | None:
        """Give where another process was; None if none had come to anything."""
        try:
            record = json.loads(os.pread(self._file, _SIZE, 0))
            position = record.pop("position")
            return Checkpoint(**record, position=Position(**position) if position else None)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep where this process is."""
        os.pwrite(self._file, json.dumps(asdict(checkpoint)).encode().ljust(_SIZE), 0)

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._file)
