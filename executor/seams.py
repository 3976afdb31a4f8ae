"""Finds secrets that something stands in between of, and masks them with it.

A gap is what a reader does not see, or what a program put in that wraps lines. Secrets are looked for in the
stream without its gaps; what is between the ends of one is masked as a whole, but for colours and line ends.
Only what has a gap in it is masked here: the rest is done before. Imports next to nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from executor import controls
from executor.patterns import Patterns

_LONGEST_GAP = 4096
"""Bytes of a gap. What is further apart is not one secret, so that no stream is held back without a bound."""

_FOLDED = 16
"""Bytes of the narrowest line that something was wrapped to, and of the shortest secret looked for so."""

_INDENT = 16
"""Blanks at most before what goes on in the next line."""

_CUT = b"\x00"
"""Stands for a gap that is too long. It is no part of a pattern, being a control character."""

_KEPT = re.compile(rb"\x1b\[[0-9;:]{0,64}m|\n[ \t]*")
"""What stays of a gap: colours, which would else go on to the end of the log, and lines."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A kind of gap: `run` matches one, `begun` the end of a piece that may become one.

    Where `trigger` finds nothing, there is none. What a match masks has to have `sign` in it. `undone`: the
    last character of a piece may turn out to belong to a gap.
    """

    run: re.Pattern[bytes]
    begun: re.Pattern[bytes]
    trigger: re.Pattern[bytes] | None
    sign: bytes = b""
    undone: bool = False


_UNSEEN = Gap(re.compile(rb"(?:" + controls.GAP + rb")+"), controls.BEGUN, None)
_WRAP = Gap(
    re.compile(rb"(?:\r\n|\n)(?<=[^ \t\n]{%d}\n)[ \t]{0,%d}" % (_FOLDED, _INDENT)),
    re.compile(rb"\r\Z"),
    re.compile(rb"\n(?<=[^ \t\n]{%d}\n)" % _FOLDED),
    sign=b"\n",
)
_OVERSTRIKE = Gap(
    re.compile(rb"(?:(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3})\x08)+"),
    re.compile(rb"[\x20-\x7e\x80-\xff]\Z"),
    re.compile(rb"\x08"),
    sign=b"\x08",
    undone=True,
)


class Seams:
    """One more look at a masked stream, for `patterns`, over gaps of one kind."""

    def __init__(self, patterns: Patterns, gap: Gap, mask: bytes) -> None:
        self._patterns = patterns
        self._gap = gap
        self._mask = mask
        self._before = b""  # the end of what was written last, which tells how long the line is
        self._held = b""
        # In characters of `_held` that are no gaps; as in the first look.
        self._covered = -1

    @property
    def is_settled(self) -> bool:
        """Whether what comes is masked as if nothing had come before."""
        return not self._held and self._covered < 0 and self._before[-1:] in b"\n"

    def feed(self, data: bytes) -> bytes:
        """Give all of the stream so far that is certain."""
        if not data:
            return b""
        buffer = self._held + data
        if self._covered < 0 and not self._has_gap(buffer):
            return self._pass(buffer, self._undecided(buffer))
        begun = self._gap.begun.search(buffer, max(0, len(buffer) - controls.LONGEST - 80))
        return self._emit(buffer, begun.start() if begun else len(buffer), last=False)

    def flush(self) -> bytes:
        """Give what was held back."""
        return self._emit(self._held, len(self._held), last=True) if self._held else b""

    def _has_gap(self, buffer: bytes) -> bool:
        if self._gap.trigger is None:
            return len(buffer.translate(None, controls.SUSPECTS)) != len(buffer)
        if self._gap.undone:
            return b"\b" in buffer
        return buffer.endswith(b"\r") or self._gap.trigger.search(self._before + buffer) is not None

    def _undecided(self, text: bytes) -> int:
        end = self._patterns.undecided(text)
        if self._gap.undone and text[-1:] not in b"\n":
            end = min(end, self._patterns.undecided(text[:-1]) if len(text) > 1 else end)
            end = len(text) if end == len(text) - 1 else end
        return end

    def _pass(self, buffer: bytes, end: int) -> bytes:
        self._held = buffer[end:]
        if self._gap is _WRAP and end:
            self._before = (self._before + buffer[max(0, end - _FOLDED) : end])[-_FOLDED:]
        return buffer[:end]

    def _emit(self, buffer: bytes, end: int, *, last: bool) -> bytes:
        if not last and self._covered < 0 and self._is_clean(buffer[:end]):
            return self._pass(buffer, end)
        view = _View(self._before, buffer, end, self._gap.run)
        keep = len(view.text) if last else self._undecided(view.text)
        masked_to = self._covered
        out: list[bytes] = []
        written = view.behind(max(masked_to, 0))
        for start, stop in self._patterns.occurrences(view.text):
            if start >= keep:
                break
            first, behind = view.at(start), view.behind(stop)
            if not self._is_of_interest(buffer[first:behind], stop - start):
                continue
            if start > masked_to:
                out += (buffer[written:first], self._mask)
                written = first
            if stop > masked_to:
                out.append(self._remains(buffer[written:behind]))
                masked_to, written = stop, behind
        until = view.at(keep) if keep < len(view.text) else end
        out.append(buffer[written:until])
        self._covered = masked_to - keep if masked_to >= keep else -1
        self._pass(buffer, until)
        return b"".join(out)

    def _is_clean(self, buffer: bytes) -> bool:
        """Whether nothing in it can be of interest, which is quick to see, as most logs are."""
        if self._before:
            return False
        text = self._gap.run.sub(b"", buffer)
        return self._undecided(text) == len(text) and not self._patterns.occurrences(text)

    def _is_of_interest(self, raw: bytes, length: int) -> bool:
        return self._gap.sign in raw and len(raw) != length

    def _remains(self, raw: bytes) -> bytes:
        kept = []
        for gap in _KEPT.findall(raw):
            kept.append(gap)
            if self._gap is _WRAP and gap[:1] == b"\n":
                kept.append(self._mask)
        return b"".join(kept)


class _View:
    """A buffer without its gaps, and where in the buffer each of the bytes left stands."""

    def __init__(self, before: bytes, buffer: bytes, end: int, gap: re.Pattern[bytes]) -> None:
        self._positions: list[int] = []  # in the text, at which a piece begins
        self._places: list[int] = []  # in the buffer, of the same
        pieces: list[bytes] = []
        position, at, shift = 0, 0, len(before)
        for found in gap.finditer(before + buffer[:end], shift):
            first, behind = found.start() - shift, found.end() - shift
            long = behind - first > _LONGEST_GAP
            for place, piece in ((at, buffer[at:first]), (first, _CUT if long else b"")):
                if piece:
                    self._positions.append(position)
                    self._places.append(place)
                    pieces.append(piece)
                    position += len(piece)
            at = behind
        if at < end:
            self._positions.append(position)
            self._places.append(at)
            pieces.append(buffer[at:end])
        self.text = b"".join(pieces)

    def at(self, position: int) -> int:
        """Where the byte `position` of the text stands."""
        piece = bisect_right(self._positions, position) - 1
        return self._places[piece] + position - self._positions[piece]

    def behind(self, position: int) -> int:
        """Where the byte before `position` of the text ends."""
        return self.at(position - 1) + 1 if position else 0


def unseen(groups: Iterable[Iterable[bytes]], mask: bytes) -> Seams:
    """Look over what a reader does not see."""
    bare = [[form for form in (_UNSEEN.run.sub(b"", form) for form in group) if form] for group in groups]
    return Seams(Patterns(bare), _UNSEEN, mask)


def overstruck(groups: Iterable[Iterable[bytes]], mask: bytes) -> Seams:
    """Look over what a backspace takes back, as manuals do to print bold and underlined."""
    return Seams(
        Patterns([form for form in group if b"\x08" not in form] for group in groups), _OVERSTRIKE, mask
    )


def folded(groups: Iterable[Iterable[bytes]], mask: bytes) -> Seams:
    """Look over the line ends that `base64` or `fold` put in."""
    long = [
        [form for form in group if len(form) >= _FOLDED and not controls.CONTROL_BYTES.search(form)]
        for group in groups
    ]
    return Seams(Patterns(long), _WRAP, mask)
