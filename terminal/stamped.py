"""A log whose lines begin with the moments at which they were kept, as it comes: which offset comes next.

An answer begins with a moment, also where it begins within a line, and so does what follows each line feed.
"""

from collections.abc import Iterable, Iterator

from webhooks.stamps import WIDTH


def stamps(log: "StampedLog | None") -> dict[str, object]:
    """What a query for that log says."""
    return {} if log is None else {"timestamps": 1}


class StampedLog:
    """Counts the bytes of the log, and leaves out moments of lines that were begun before."""

    def __init__(self) -> None:
        self.known = False  # whether any moment was
        self._within = False  # a line that was shown in part
        self._due = True  # a moment comes next
        self._moment = b""

    def pieces(self, answer: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The pieces of one answer, each with the offset in the log behind it; first an empty one."""
        offset: int | None = None
        self._due, self._moment = True, b""
        for end, chunk in answer:
            if offset is None:
                offset = end - len(chunk)
                self._within = self._within and offset > 0  # another attempt has a log of its own
            size, text = self._take(chunk)
            offset += size
            yield offset, text

    def _take(self, chunk: bytes) -> tuple[int, bytes]:
        size, at = 0, 0
        pieces: list[bytes] = []
        while at < len(chunk):
            if self._due:
                missing = WIDTH - len(self._moment)
                self._moment += chunk[at : at + missing]
                at += missing
                self._due = len(self._moment) < WIDTH
                continue
            if self._moment:  # only now, as its line may come in the next answer
                self.known = self.known or bool(self._moment.strip())
                pieces.append(b"" if self._within else self._moment)
                self._moment = b""
            behind = chunk.find(b"\n", at) + 1 or len(chunk)
            pieces.append(chunk[at:behind])
            size += behind - at
            at = behind
            self._due = chunk.endswith(b"\n", 0, behind)
            self._within = not self._due
        return size, b"".join(pieces)
