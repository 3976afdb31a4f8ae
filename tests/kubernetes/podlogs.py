"""What containers wrote, line by line with times, and how the kubelet gives it to clients.

Lines are kept as a container runtime keeps them: a line longer than `_LONGEST` and one without its end come
in parts. https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

_LONGEST = 16 * 1024
"""Bytes of a line that are kept in one part."""
_PIECE = 256 * 1024
_TOLD = 32 * 1024
"""Bytes that are given to a client at once: a server passes on what a kubelet says in pieces of that size."""


@dataclass(frozen=True)
class Options:
    """What a client wants to see; `since` is a time in the format of the log."""

    follow: bool = False
    timestamps: bool = False
    since: str = ""
    tail: int | None = None
    limit: int | None = None


class ContainerLog:
    """One container's log in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._rests = {"stdout": b"", "stderr": b""}
        self._waiting: set[asyncio.Event] = set()
        self._rotations = 0
        self.ended = False

    async def keep(self, stream: str, descriptor: int) -> None:
        """Keep what comes through a pipe until all its ends are closed."""
        loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        over = loop.create_future()
        loop.add_reader(descriptor, self._read, stream, descriptor, over)
        try:
            await over
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def close(self) -> None:
        """Nothing comes any more."""
        self.ended = True
        self._file.close()
        self._wake()

    def rotate(self) -> None:
        """Begin a new file: who asks from now on sees that alone, who follows ends the old one."""
        self._path.unlink()
        self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._rotations += 1
        self._wake()

    def _read(self, stream: str, descriptor: int, over: "asyncio.Future[None]") -> None:
        try:
            data = os.read(descriptor, _PIECE)
        except BlockingIOError:
            return
        if not data:
            rest = self._rests.pop(stream)
            if rest:
                self._write(b"%s %s P %s\n" % (log_time(time.time_ns()), stream.encode(), rest))
            if not over.done():
                over.set_result(None)
            return
        self._take(stream, data)

    def _take(self, stream: str, data: bytes) -> None:
        *lines, rest = (self._rests[stream] + data).split(b"\n")
        words = b" %s " % stream.encode()
        now = time.time_ns()
        said: list[bytes] = []
        for line in lines:
            # No two lines have the same time: the runtime looks at the clock for each.
            now += 1
            head = log_time(now) + words
            while len(line) > _LONGEST:
                said.append(head + b"P " + line[:_LONGEST] + b"\n")
                line = line[_LONGEST:]
            # The runtime reads lines as Go does, which takes a carriage return for a part of their end.
            said.append(head + b"F " + line.removesuffix(b"\r") + b"\n")
        while len(rest) >= _LONGEST:
            said.append(log_time(now) + words + b"P " + rest[:_LONGEST] + b"\n")
            rest = rest[_LONGEST:]
        self._rests[stream] = rest
        if said:
            self._write(b"".join(said))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._wake()

    def _wake(self) -> None:
        for waiting in self._waiting:
            waiting.set()

    async def read(self, options: Options) -> AsyncIterator[bytes]:
        """Give what a client asked for, in pieces; with `follow` until the container has ended."""
        left = options.limit
        whole = True
        async for records in self._records(options):
            said: list[bytes] = []
            for record in records:
                stamp, _, rest = record.partition(b" ")
                tag, _, content = rest.partition(b" ")[2].partition(b" ")
                if stamp.decode() < options.since:
                    continue
                if whole and options.timestamps:
                    said.append(stamp + b" ")
                whole = tag == b"F"
                said.append(content if whole else content[:-1])
            piece = b"".join(said)
            if left is not None:
                piece = piece[:left]
                left -= len(piece)
            if piece:
                yield piece
            if left == 0:
                return

    async def _records(self, options: Options) -> AsyncIterator[list[bytes]]:
        grown = asyncio.Event()
        self._waiting.add(grown)
        file, rotations = self._path.open("rb"), self._rotations
        try:
            if options.tail is not None:
                records = file.read().splitlines(keepends=True)
                yield records[max(0, len(records) - options.tail) :]
            rest = b""
            while True:
                ended = self.ended
                grown.clear()
                while data := file.read(_TOLD):
                    *lines, rest = (rest + data).split(b"\n")
                    yield [line + b"\n" for line in lines]
                if rotations != self._rotations and options.follow:
                    file.close()
                    file, rotations = self._path.open("rb"), self._rotations
                    continue
                if ended or not options.follow:
                    return
                if not self.ended:
                    await grown.wait()
        finally:
            file.close()
            self._waiting.discard(grown)


def log_time(nanoseconds: int) -> bytes:
    """A time as logs have it."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{_second(seconds)}.{rest:09}Z".encode()


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def read_time(text: str) -> str:
    """Give a client's time in the format of the log; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    plain = moment.astimezone(UTC)
    fraction = (
        text.partition(".")[2].rstrip("Z").partition("+")[0].ljust(9, "0")[:9] if "." in text else "0" * 9
    )
    return f"{plain:%Y-%m-%dT%H:%M:%S}.{fraction}Z"
