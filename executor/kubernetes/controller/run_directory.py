"""What Errand keeps beside the log of a run or a build, in the same directory.

`turn`   held by the one process that writes the log (flock(2)); in it the position in the container's log
         up to which the log depends on nothing that comes
`begun`  the namespace of its Job, once that was made or found
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from executor.kubernetes.controller.log_cursor import Position
from executor.logs import logfile
from executor.supervisor import lock
from executor.threads import shielded

_TURN, _BEGUN = "turn", "begun"
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

    async def begin(self, namespace: str) -> None:
        """Note that there is a Job."""
        await shielded(lambda: self._begin(namespace))

    async def begun(self) -> str | None:
        """Give the namespace of the Job that there is or was; None if none was made."""
        return await shielded(self._begun)

    async def forget(self) -> None:
        """Keep nothing but the log."""
        await shielded(self._forget)

    async def is_complete(self) -> bool:
        """Whether the log has ended."""
        return await shielded(lambda: logfile.has_ended(str(self.path)))

    async def take(self) -> "Turn | None":
        """Take the turn to write the log; None if another process has it.

        Trying in vain does not tell the directory: those who wait for a change would wake each other.
        """
        return await shielded(self._take)

    def _begin(self, namespace: str) -> None:
        self.path.mkdir(0o700, parents=True, exist_ok=True)
        (self.path / _BEGUN).write_text(namespace, encoding="utf-8")

    def _begun(self) -> str | None:
        try:
            return (self.path / _BEGUN).read_text(encoding="utf-8") or None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _forget(self) -> None:
        for name in (_BEGUN, _TURN):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (self.path / name).unlink()

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
            said = json.loads(os.pread(self._file, _SIZE, 0))
            position = said.pop("position")
            return Checkpoint(**said, position=Position(**position) if position else None)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, checkpoint: Checkpoint) -> None:
        """Keep where this process is."""
        os.pwrite(self._file, json.dumps(asdict(checkpoint)).encode().ljust(_SIZE), 0)

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._file)
