"""Lines of a log in which something stands, found while it is read; plain text, no patterns.

What is looked at is what a reader sees: escape sequences and what has no width are left out first, and a line
that was drawn over, as a progress bar is, is what it came to.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from executor.logs.controls import BEGUN, GAP, SUSPECTS
from executor.logs.controls import LONGEST as LONGEST_SEQUENCE
from executor.logs.store import LogStore
from webhooks.drawings import is_drawn_over, last_drawing, last_drawings
from webhooks.text import reading

MOST_MATCHES = 200
"""Lines that one search gives."""

SEARCH_S = 10.0
"""Seconds of one search; it can go on behind the line where it stopped."""

LONGEST = 200
"""Characters of what is searched for."""

_LONGEST_LINE = 1024 * 1024
"""Bytes of a line that are looked at together; a longer one is looked at in pieces."""

_WITHIN = bytes(range(128, 256))
"""Bytes that a character may be cut within."""

_BEFORE, _BEHIND = 60, 140
"""Characters around a match that are told."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """What to look for: `may` rules out a piece of a log quickly, `find` gives where it is in a line.

    `unparted`: nobody writes it with an escape sequence in it, so pieces are ruled out as they are, which is
    several times quicker where there are colours.
    """

    may: Callable[[bytes], bool]
    find: Callable[[str], Span | None]
    unparted: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A line, the offset of its first byte, and what stands before, in and behind the match."""

    line: int
    offset: int
    before: str
    hit: str
    behind: str


@dataclass(frozen=True, slots=True)
class End:
    """The search is over, having seen all lines before `line`. `why` it stopped early: `time` or `most`."""

    line: int
    why: str | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one search may cost; `slots` is shared by those that may look at a piece at the same time."""

    most: int = MOST_MATCHES
    seconds: float = SEARCH_S
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))


def words(text: str, *, exact: bool) -> Words:
    """What finds `text`, of at most `LONGEST` characters; `exact`: capital and small letters differ."""
    phrase = GAP.sub(b"", text[:LONGEST].encode(errors="replace")).decode(errors="replace")
    if not exact:
        phrase = _small(phrase)
    needle = phrase.encode()

    def may(piece: bytes) -> bool:
        if not needle:
            return False
        if exact:
            return needle in piece
        if needle.isascii() and piece.isascii():
            return needle in piece.lower()
        return phrase in _small(piece.decode(errors="replace"))

    def find(line: str) -> Span | None:
        at = (line if exact else _small(line)).find(phrase) if phrase else -1
        return None if at < 0 else (at, at + len(phrase))

    return Words(may, find)


async def search(
    logs: LogStore, key: str, what: Words, *, after: int = 0, bounds: Bounds | None = None
) -> AsyncIterator[Match | End]:
    """The lines after `after` that match, in order, and then the end."""
    bounds = bounds or Bounds()
    start = await logs.begin_of(key, after + 1)
    if start is None:
        yield End(after + 1, None)
        return
    scan, until = _Scan(what, after + 1, start, bounds.most), time.monotonic() + bounds.seconds
    async with reading(logs, key, offset=start) as chunks:
        async for chunk in chunks:
            async with bounds.slots:
                matches = await asyncio.to_thread(scan.feed, chunk.data, chunk.start)
            for match in matches:
                yield match
            if scan.left == 0:
                yield End(scan.last + 1, "most")
                return
            if time.monotonic() > until:
                yield End(scan.line, "time")
                return
    for match in await asyncio.to_thread(scan.rest):
        yield match
    yield End(scan.line + 1, None)


class _Scan:
    """Looks at the pieces of a log in order; a line is looked at when it is complete."""

    def __init__(self, what: Words, line: int, offset: int, left: int) -> None:
        self._what = what
        self.line = line  # of which `_open` is the beginning
        self.left = left  # matches that may still be given
        self.last = line - 1  # the line that matched last
        self._open = b""
        self._offset = offset  # where that line begins

    def feed(self, data: bytes, start: int) -> list[Match]:
        """The matches in the lines that `data`, from the offset `start`, completes."""
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._open += data
            if len(self._open) < _LONGEST_LINE:
                return []
            self._open = _redrawn(self._open)
            if len(self._open) < _LONGEST_LINE // 2:
                return []
            found = self._lines(self._open + b"\n", 0)
            self._open = self._open[-4 * LONGEST :]
            return found
        block = self._open + data[:cut]
        found = self._lines(block, start + cut - len(block))
        self.line += block.count(b"\n")
        self._open, self._offset = data[cut:], start + cut
        return found

    def rest(self) -> list[Match]:
        """The match in the line that has not ended."""
        return self._lines(self._open + b"\n", 0) if self._open else []

    def _lines(self, block: bytes, start: int) -> list[Match]:
        """The matches in complete lines, of which the second and later ones have offsets from `start` on."""
        first = self.line
        if not self.left or (self._what.unparted and not self._what.may(block)):
            return []
        seen = _visible(block)
        if not self._what.may(seen):
            return []
        matches: list[Match] = []
        ends = 0
        for number, line in enumerate(seen.split(b"\n")[:-1], first):
            if number == self.last and number == first:  # found in an earlier piece of it
                continue
            text = line.decode(errors="replace")
            span = self._what.find(text)
            if span is None:
                continue
            while first < number:
                ends = block.index(b"\n", ends) + 1
                first += 1
            matches.append(_match(number, start + ends if ends else self._offset, text, span))
            self.left -= 1
            self.last = number
            if not self.left:
                break
        return matches


def _match(line: int, offset: int, text: str, span: Span) -> Match:
    begin, end = span
    before, behind = text[max(0, begin - _BEFORE) : begin], text[end : end + _BEHIND]
    if begin > _BEFORE:
        before = "…" + before
    if end + _BEHIND < len(text):
        behind += "…"
    return Match(line, offset, before.lstrip(), text[begin:end], behind.rstrip())


def _redrawn(line: bytes) -> bytes:
    """Of the beginning of a line what leads to the same, and is shorter where it was drawn over and over."""
    if not is_drawn_over(line):
        return line
    begun = BEGUN.search(line, len(line) - LONGEST_SEQUENCE)
    cut = begun.start() if begun else len(line.rstrip(_WITHIN))
    seen, column = last_drawing(line[:cut])
    return seen + b"\r" + seen.decode(errors="replace")[:column].encode() + line[cut:]


def _visible(block: bytes) -> bytes:
    """Without what is not seen or was drawn over; line feeds stay."""
    if is_drawn_over(block):
        block = last_drawings(block)
    if block.isascii() and b"\x1b" not in block and len(block.translate(None, SUSPECTS)) == len(block):
        return block
    return GAP.sub(b"", block)


def _small(text: str) -> str:
    """In small letters, one for each character, so that places stay the same."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in text)
