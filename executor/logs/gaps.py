"""What may stand in between of a secret: three kinds of gaps. Pure.

`run` matches a gap, `begun` the end of a piece that may become one. What is masked has to have `sign` in it.
The other questions are quicker, and may say yes too often.
"""

import re

from executor.logs import controls
from executor.logs.kinds import Kinds

FOLDED = 16
"""Bytes of the narrowest line that something was wrapped to, and of the shortest secret looked for so."""

_INDENT = 16
"""Blanks at most before what goes on in the next line."""


class Gap:
    """A kind of gap."""

    run: re.Pattern[bytes]
    begun: re.Pattern[bytes]
    sign: bytes

    def is_likely(self, before: bytes, text: bytes, kinds: Kinds) -> bool:
        """Whether one may be in `text`, or begin at its end; `before` stands before it."""
        raise NotImplementedError

    def may_part_words(self, text: bytes) -> bool:
        """Whether one may stand between two letters or digits, of ASCII."""
        raise NotImplementedError

    def without(self, text: bytes) -> bytes:
        """Give `text` without any gap; more may be missing, but nothing that stands within a secret."""
        return self.run.sub(b"", text)

    def edge(self, text: bytes, at: int) -> int:
        """Give a place at `at` or before that is not within a gap, or is where its next part begins."""
        raise NotImplementedError


class Unseen(Gap):
    """What a reader does not see: colours, control characters, zero widths."""

    run = controls.GAP
    begun = controls.BEGUN
    sign = b""

    def is_likely(self, before: bytes, text: bytes, kinds: Kinds) -> bool:
        """There is none without certain bytes."""
        return kinds.has_suspects(text)

    def may_part_words(self, text: bytes) -> bool:
        """Most colours stand at the edges of words."""
        return controls.may_part_words(text)

    def edge(self, text: bytes, at: int) -> int:
        """No line feed is in one, nor `ESC [` but as its beginning; far from an escape, no character is."""
        far = at - controls.LONGEST - 80
        if at > 0 and text.rfind(b"\x1b", max(far, 0), at) < 0:
            while at > max(far, 0) and text[at] >= 128:
                at -= 1
            return at
        return max(text.rfind(b"\n", 0, max(at, 0)), text.rfind(b"\x1b[", 0, max(at, 0)), 0)


class Overstrike(Gap):
    """What a backspace takes back, as manuals do to print bold and underlined.

    The last character of a piece may turn out to belong to one.
    """

    run = re.compile(rb"(?:(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3})\x08)+")
    begun = re.compile(rb"(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{0,3})\Z")
    sign = b"\x08"

    _IN_WORD = re.compile(rb"\x08(?:(?<=[A-Za-z0-9].\x08)|(?<=[\x80-\xbf]\x08))", re.DOTALL)

    def is_likely(self, before: bytes, text: bytes, kinds: Kinds) -> bool:
        """There is none without a backspace."""
        return b"\x08" in text

    def may_part_words(self, text: bytes) -> bool:
        """Programs that draw a wheel go back without it."""
        return self._IN_WORD.search(text) is not None

    def edge(self, text: bytes, at: int) -> int:
        """Each part begins with a character."""
        while at > 0 and (text[at] >= 128 or text[at] == 8):
            at -= 1
        return max(at, 0)


class Fold(Gap):
    """What a program put in that wraps lines."""

    run = re.compile(rb"(?:\r\n|\n)(?<=[^ \t\n]{%d}\n)[ \t]{0,%d}" % (FOLDED, _INDENT))
    begun = re.compile(rb"\r\Z")
    sign = b"\n"

    _IN_WORD = re.compile(
        rb"\n(?<=[^ \t\n]{%d}\n)(?:(?<=[A-Za-z0-9]\n)|(?<=[A-Za-z0-9]\r\n))(?=[ \t]{0,%d}[A-Za-z0-9])"
        % (FOLDED, _INDENT)
    )
    _LIKELY = re.compile(rb"\n(?<=[^ \t\n]{%d}\n)" % FOLDED)
    _PLAIN = re.compile(rb"\n(?<=[^ \t\n]{%d}\n)[ \t]{0,%d}" % (FOLDED - 1, _INDENT))

    def is_likely(self, before: bytes, text: bytes, kinds: Kinds) -> bool:
        """Most lines of a log have a blank near their end."""
        found = self._LIKELY.search(before + text[: FOLDED + 1]) or self._LIKELY.search(text)
        return found is not None or text.endswith(b"\r")

    def may_part_words(self, text: bytes) -> bool:
        """Lines of JSON end with a bracket."""
        return self._IN_WORD.search(text) is not None

    def without(self, text: bytes) -> bytes:
        """Take all out, and those of lines that are one byte too short."""
        return self._PLAIN.sub(b"", text.replace(b"\r\n", b"\n"))

    def edge(self, text: bytes, at: int) -> int:
        """One begins where a line ends."""
        end = text.rfind(b"\n", 0, max(at, 0))
        return max(end - (text[end - 1 : end] == b"\r"), 0)
