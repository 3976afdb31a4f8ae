"""How engines tell what a container wrote, and how that is taken out of it; pure."""

import re
from typing import Protocol

_ENTRY = re.compile(rb"^[^ \n]{20,40} std(?:out|err) (?:F |P (.*)\n)", re.MULTILINE)
_WHOLE = re.compile(rb"^[^ \n]{20,40} std(?:out|err) F ", re.MULTILINE)


class Parser(Protocol):
    """Takes what the job wrote out of how the engine tells it."""

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, in the next piece."""
        ...


class Entries:
    """The file that conmon writes: `TIME STREAM F TEXT` for a line, P for a part of one without its end.

    https://github.com/containers/conmon/blob/main/src/ctr_logging.c
    """

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, up to the last whole entry."""
        end = data.rfind(b"\n") + 1
        if not end:
            self._left += data
            return b""
        block = self._left + data[:end]
        self._left = data[end:]
        if b" stdout P " in block or b" stderr P " in block:
            return _ENTRY.sub(rb"\1", block)
        return _WHOLE.sub(b"", block)


class Frames:
    """The API's stream: frames of eight bytes (stream, 0, 0, 0, length as big-endian u32) and the data.

    https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
    """

    def __init__(self) -> None:
        self._head = b""
        self._length = 0

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, as far as it has come."""
        out, at = [], 0
        while at < len(data):
            if not self._length:
                taken = data[at : at + 8 - len(self._head)]
                self._head += taken
                at += len(taken)
                if len(self._head) == 8:
                    self._length = int.from_bytes(self._head[4:], "big")
                    self._head = b""
                continue
            piece = data[at : at + self._length]
            out.append(piece)
            at += len(piece)
            self._length -= len(piece)
        return b"".join(out)
