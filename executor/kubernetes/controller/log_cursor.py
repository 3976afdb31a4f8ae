"""Where in a container's log one is, and how a log that is read again goes on exactly there; pure.

With `timestamps` every line comes as `TIME TEXT`, the time being that of its first part. Two streams are
written by two writers, so times may repeat and may go back a little: what tells a line is its time and how
many lines of that time came before it.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

_MARGIN = timedelta(seconds=5)
"""By how much a line may be older than one before it: a log that is read again is read from there."""
_SOON = timedelta(seconds=1)
"""How far past the time of a line one has to be to know that it does not come any more."""
_SILENCE = timedelta(seconds=30)
"""How long nothing must have been written before a rotation to know that nothing is missing there, and by how
much the clocks of a node and of this machine may differ."""
_MOST = 1024 * 1024
"""Bytes of such lines that wait for it at most."""
_LONGEST = 40
"""Bytes that a time has at most."""
_COUNTED, _REMEMBERED = 4096, 1024
"""Different times that are counted at most, and how many of the latest are when there are more."""

_STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Position:
    """After `taken` bytes of the text of the `count`th line whose time is `stamp`."""

    stamp: str
    count: int
    taken: int


class LogCursor:
    """Takes the text out of a log that comes in any pieces, going on after `position` when it begins anew."""

    def __init__(self, position: Position | None) -> None:
        self.gap = False  # whether the position was not found, so that lines may be missing
        self.trouble = b""  # what the node said instead of lines
        self.position = position  # where it is; None before the first line
        self._counts: Counter[bytes] = Counter()
        self._left = b""  # of a time that has not come whole
        self._at_start = True
        self._is_odd = False  # whether the line that was begun is none of the job's
        self._seeks = False
        self._skip = 0
        self._backlog: list[bytes] = []  # lines that seem to come after the position, which was not found yet
        self._size = 0  # of those
        self._holds = False
        self._whole_until: datetime | None = None
        self._next = b""  # the time of the first of them

    @property
    def is_found(self) -> bool:
        """Whether the position was found since it began anew."""
        return not self._seeks

    def begin(self, whole_until: datetime | None = None) -> str | None:
        """Begin anew; gives the `sinceTime` from which to read, None for the beginning.

        `whole_until`: up to when all that was written is known to have come, if it is: a node that keeps the
        position no longer has then lost nothing, unless there is more that came in the meantime.
        """
        self._whole_until, self._next = whole_until, b""
        self._counts.clear()
        self._left, self._at_start, self._is_odd, self._skip = b"", True, False, 0
        self._backlog, self._size, self._holds = [], 0, False
        self.trouble = b""
        self._seeks = self.position is not None
        if self.position is None:
            return None
        return f"{_moment(self.position.stamp) - _MARGIN:%Y-%m-%dT%H:%M:%SZ}"

    def feed(self, data: bytes) -> bytes:
        """Give what the job wrote, in the next piece, without what was given before."""
        data, self._left = self._left + data, b""
        out = []
        if not self._at_start:
            end = data.find(b"\n") + 1 or len(data)
            out.append(self._more(data[:end]))
            self._at_start = data[:end].endswith(b"\n")
            data = data[end:]
        tail = data[data.rfind(b"\n") + 1 :]
        if len(tail) < _LONGEST and b" " not in tail:
            self._left = tail
            data = data[: len(data) - len(tail)]
        at = 0
        while at < len(data) and self._seeks:
            end = data.find(b"\n", at) + 1 or len(data)
            line, at = data[at:end], end
            out.append(self._seek(line))
            self._at_start = line.endswith(b"\n")
        if at < len(data):
            out.append(self._lines(data[at:]))
            self._at_start = data.endswith(b"\n")
        return b"".join(out)

    def finish(self) -> bytes:
        """Say that this was the whole log; gives what waited for a line that did not come."""
        self.trouble += self._left
        return self._give_up() if self._seeks else b""

    def _more(self, text: bytes) -> bytes:
        """Take more of the line that was begun."""
        if self._is_odd:
            self.trouble = (self.trouble + text)[:_MOST]
        elif self._seeks:
            if self._holds:
                self._hold(text)
        elif self.position is not None:
            kept = text[self._skip :]
            self._skip -= len(text) - len(kept)
            self.position = replace(self.position, taken=self.position.taken + len(kept))
            return kept
        return b""

    def _seek(self, line: bytes) -> bytes:
        """Look whether the position is in `line`; gives what comes after it, or what does not wait longer."""
        found = _STAMP.match(line)
        self._is_odd = found is None
        if found is None or self.position is None:
            return self._more(line)
        stamp = found[1]
        self._counts[stamp] += 1
        target = self.position.stamp.encode()
        if stamp == target and self._counts[stamp] == self.position.count:
            self._seeks, self._backlog, self._skip = False, [], self.position.taken
            self.trouble = b""  # what came before was the rest of a line that began before the time asked for
            return self._more(line[found.end() :])
        past = _between(target, stamp)
        self._holds = past > timedelta() or (stamp > target and past == timedelta())
        if self._holds:
            self._hold(line)
            if past > _SOON or self._size > _MOST:
                return self._give_up()
        return b""

    def _hold(self, text: bytes) -> None:
        if not self._backlog and (found := _STAMP.match(text)) is not None:
            self._next = found[1]
        self._backlog.append(text)
        self._size += len(text)

    def _give_up(self) -> bytes:
        """Go on although the position is not there any more."""
        backlog = b"".join(self._backlog)
        self.gap = not self._is_whole()
        if not backlog:  # so this is still where it is
            self._seeks = False
            return b""
        self._seeks, self.position, self._backlog = False, None, []
        self._counts.clear()
        return self._lines(backlog)

    def _is_whole(self) -> bool:
        """Whether nothing was written between the position and the first line that the node still has."""
        if self._whole_until is None or self.position is None:
            return False
        if not self._next:
            return True
        is_silent = _moment(self.position.stamp) + 2 * _SILENCE <= self._whole_until
        return is_silent and _moment(self._next.decode()) > self._whole_until - _SILENCE

    def _lines(self, data: bytes) -> bytes:
        """Take what begins at the start of a line."""
        stamps = _STAMP.findall(data)
        if len(stamps) != data.count(b"\n") + (not data.endswith(b"\n")):
            data = self._without_odd(data)
        else:
            self._is_odd = False
        if not data:
            return b""
        stamps = _STAMP.findall(data)
        self._counts.update(stamps)
        begin = data.rfind(b"\n", 0, len(data) - 1) + 1
        last = stamps[-1]
        self.position = Position(last.decode(), self._counts[last], len(data) - begin - len(last) - 1)
        if len(self._counts) > _COUNTED:
            self._counts = Counter(dict(list(self._counts.items())[-_REMEMBERED:]))
        return _STAMP.sub(b"", data)

    def _without_odd(self, data: bytes) -> bytes:
        """Leave out lines without a time: they are the node's, and say why it gives no others."""
        lines = _split(data)
        odd = [line for line in lines if _STAMP.match(line) is None]
        self.trouble = b"".join((self.trouble, *odd))[:_MOST]
        self._is_odd = bool(odd) and lines[-1] is odd[-1]
        return b"".join(line for line in lines if _STAMP.match(line) is not None)


def _split(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _between(one: bytes, other: bytes) -> timedelta:
    """Give the time from `one` to `other`; none where it is plain to see that `other` is not later."""
    is_alike = len(one) == len(other) and one.endswith(b"Z") and other.endswith(b"Z")
    if is_alike and other <= one:
        return timedelta()
    return _moment(other.decode()) - _moment(one.decode())


def _moment(stamp: str) -> datetime:
    """Give the time that a line has, to the microsecond."""
    zone = "+00:00" if stamp.endswith("Z") else stamp[-6:]
    fraction = stamp[19 : len(stamp) - (1 if stamp.endswith("Z") else 6)]
    return datetime.fromisoformat(
        f"{stamp[:19]}{fraction[:7].ljust(7, '0') if fraction else ''}{zone}"
    ).astimezone(UTC)
