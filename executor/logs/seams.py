"""Finds secrets that something stands in between of, and masks them with it.

A gap is what a reader does not see, or what a program put in that wraps lines. Secrets are looked for in the
stream without its gaps; what is between the ends of one is masked as a whole, but for colours and line ends.
Only what has a gap in it is masked here: the rest is done before. Where a byte stood is only asked where
a secret may be: most of a log has none. Imports next to nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable

from executor.logs import controls
from executor.logs.gaps import FOLDED, Fold, Gap, Overstrike, Unseen
from executor.logs.kinds import Kinds
from executor.logs.patterns import Patterns

_LONGEST_GAP = 4096
"""Bytes of a gap. What is further apart is not one secret, so that no stream is held back without a bound."""

_CUT = b"\x00"
"""Stands for a gap that is too long. It is no part of a pattern, being a control character."""

_FOLLOWING = bytes(range(0x80, 0xC0))
"""Bytes that go on with a character of UTF-8, of which it has three at most."""

_CHARACTER = 4
"""Bytes of the longest character."""

_KEPT = re.compile(rb"\x1b\[[0-9;:]{0,64}m|\n[ \t]*")
"""What stays of a gap: colours, which would else go on to the end of the log, and lines."""


class Seams:
    """One more look at a masked stream, for `patterns`, over gaps of one kind."""

    def __init__(self, patterns: Patterns, gap: Gap, mask: bytes, kinds: Kinds) -> None:
        self._patterns = patterns
        self._gap = gap
        self._mask = mask
        self._kinds = kinds
        self._folds = isinstance(gap, Fold)
        self._undoes = isinstance(gap, Overstrike)
        self._before = b""  # the end of what was written last, which tells how long the line is
        self._rest = b""
        # In characters of `_rest` that are no gaps; as in the first look.
        self._covered = -1

    @property
    def is_settled(self) -> bool:
        """Whether what comes is masked as if nothing had come before."""
        return not self._rest and self._covered < 0 and self._before[-1:] in b"\n"

    def feed(self, data: bytes) -> bytes:
        """Give all of the stream so far that is certain."""
        if not data:
            return b""
        buffer = self._rest + data
        if self._covered < 0 and not self._gap.is_likely(self._before, buffer, self._kinds):
            return self._pass(buffer, self._undecided(buffer))
        begun = self._gap.begun.search(buffer, max(0, len(buffer) - controls.LONGEST - 80))
        end = begun.start() if begun else len(buffer)
        if self._covered < 0 and self._is_clean(buffer[:end]):
            return self._pass(buffer, self._certain(buffer, end))
        return self._emit(buffer, end, last=False)

    def flush(self) -> bytes:
        """Give what was held back."""
        return self._emit(self._rest, len(self._rest), last=True) if self._rest else b""

    def _undecided(self, text: bytes) -> int:
        end = self._patterns.undecided(text)
        if not self._undoes or not self._gap.begun.search(text[-_CHARACTER:]):
            return end
        # The last character may turn out to be taken back; the end of a line never is.
        size = len(text) - self._patterns.longest - _CHARACTER
        kept = text[max(size, 0) :].rstrip(_FOLLOWING)[:-1]
        missing = len(kept) - self._patterns.undecided(kept)
        return min(end, max(size, 0) + len(kept) - missing) if missing else end

    def _pass(self, buffer: bytes, end: int) -> bytes:
        self._rest = buffer[end:]
        if self._folds and end:
            self._before = (self._before + buffer[max(0, end - FOLDED) : end])[-FOLDED:]
        return buffer[:end]

    def _is_clean(self, buffer: bytes) -> bool:
        """Whether no secret has a gap in it; as most logs are, this is quick.

        A gap within a pattern is within its kernel, or the kernel is there as a whole.
        """
        text = self._before + buffer
        patterns = self._patterns
        if patterns.are_words and not self._gap.may_part_words(text) and not patterns.has_kernel(buffer):
            return True
        return not patterns.occurrences(self._gap.without(text))

    def _certain(self, buffer: bytes, end: int) -> int:
        """Up to where nothing can become a part of a secret, in a buffer that is clean up to `end`.

        Only the last lines are of interest: as many as have a pattern's length without their gaps.
        """
        size = self._patterns.longest + 1
        start, span = end, 2 * size
        while start:
            start = self._gap.edge(buffer, end - span)
            view = _View(self._before, buffer, (start, end), self._gap.run)
            if len(view.text) >= size:
                break
            span *= 4
        else:
            view = _View(self._before, buffer, (0, end), self._gap.run)
        keep = self._undecided(view.text)
        return view.at(keep) if keep < len(view.text) else end

    def _emit(self, buffer: bytes, end: int, *, last: bool) -> bytes:
        view = _View(self._before, buffer, (0, end), self._gap.run)
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
        if keep == masked_to and not last:
            until = written  # a gap that comes now is within the mask if another secret follows
        out.append(buffer[written:until])
        self._covered = masked_to - keep if masked_to >= keep else -1
        self._pass(buffer, until)
        return b"".join(out)

    def _is_of_interest(self, raw: bytes, length: int) -> bool:
        return self._gap.sign in raw and len(raw) != length

    def _remains(self, raw: bytes) -> bytes:
        kept = []
        for gap in _KEPT.findall(raw):
            kept.append(gap)
            if self._folds and gap[:1] == b"\n":
                kept.append(self._mask)
        return b"".join(kept)


class _View:
    """A `part` of a buffer without its gaps, and where in the buffer each of the bytes left stands."""

    def __init__(self, before: bytes, buffer: bytes, part: tuple[int, int], gap: re.Pattern[bytes]) -> None:
        self._positions: list[int] = []  # in the text, at which a piece begins
        self._places: list[int] = []  # in the buffer, of the same
        pieces: list[bytes] = []
        begin, end = part
        position, at, shift = 0, begin, len(before)
        for found in gap.finditer(before + buffer[:end], begin + shift):
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


def unseen(groups: Iterable[Iterable[bytes]], mask: bytes, kinds: Kinds) -> Seams:
    """Look over what a reader does not see."""
    bare = [[form for form in (controls.GAP.sub(b"", form) for form in group) if form] for group in groups]
    return Seams(Patterns(bare, kinds), Unseen(), mask, kinds)


def overstruck(groups: Iterable[Iterable[bytes]], mask: bytes, kinds: Kinds) -> Seams:
    """Look over what a backspace takes back."""
    forms = ([form for form in group if b"\x08" not in form] for group in groups)
    return Seams(Patterns(forms, kinds), Overstrike(), mask, kinds)


def folded(groups: Iterable[Iterable[bytes]], mask: bytes, kinds: Kinds) -> Seams:
    """Look over the line ends that `base64` or `fold` put in."""
    long = [
        [form for form in group if len(form) >= FOLDED and not controls.CONTROL_BYTES.search(form)]
        for group in groups
    ]
    return Seams(Patterns(long, kinds), Fold(), mask, kinds)
