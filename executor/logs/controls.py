"""The grammar of what a terminal obeys instead of showing it, and of what has no width. Pure.

Escape sequences are those of ECMA-48. One grammar for all who take them out: what one of them leaves together
has to be what another one masks.
"""

import re

LONGEST = 2048
"""Characters of a sequence; what is longer is text."""

_STRING = rf"\x1b[\]PX^_][^\x07\x1b\n]{{0,{LONGEST}}}"
_CSI = rf"\x1b\[[0-?]{{0,{LONGEST}}}[ -/]{{0,64}}"
_SEQUENCE = rf"{_CSI}[@-~]|{_STRING}(?:\x07|\x1b\\)|\x1b[ -/]{{1,64}}[0-~]|\x1b[0-OQ-WYZ\\`-~]"
_SINGLE = r"[\x00-\x08\x0b-\x1f\x7f]"

CONTROL = re.compile(rf"{_SEQUENCE}|{_SINGLE}|[\x80-\x9f]")
"""Of text: sequences, and control characters but line feed and tab."""

_REST = {
    rb"\x1b": rb"(?:"
    + rb"\[[0-?]{0,%d}[ -/]{0,64}[@-~]" % LONGEST
    + rb"|[\]PX^_][^\x07\x1b\n]{0,%d}(?:\x07|\x1b\\)" % LONGEST
    + rb"|[ -/]{1,64}[0-~]|[0-OQ-WYZ\\`-~])?",
    rb"\xc2": rb"[\x80-\x9f\xad]",
    rb"\xcd": rb"\x8f",
    rb"\xd8": rb"\x9c",
    rb"\xe1": rb"\xa0\x8e",
    rb"\xe2": rb"(?:\x80[\x8b-\x8f\xaa-\xae]|\x81[\xa0-\xaf])",
    rb"\xef": rb"(?:\xbb\xbf|\xb8[\x80-\x8f])",
}
"""Of bytes in UTF-8, by their first one, how goes on what stands between two characters without being seen.

Sequences; C1 controls, soft hyphen, zero widths, joiners, marks of direction, selectors. And what is one byte
long: control characters, also an escape that begins nothing.
"""

_BYTES = rb"\x00-\x08\x0b-\x1a\x1c-\x1f\x7f"
_FIRST = _BYTES + b"".join(_REST)
_ONE = rb"\x1b%b|[%b]|%b" % (
    _REST[rb"\x1b"],
    _BYTES,
    b"|".join(rb"%b%b" % each for each in _REST.items() if each[0] != rb"\x1b"),
)
_BY_FIRST = rb"[%b](?:%b|(?<=[%b]))" % (
    _FIRST,
    b"|".join(rb"(?<=%b)%b" % each for each in _REST.items()),
    _BYTES,
)

GAP = re.compile(rb"%b(?:%b)*+" % (_BY_FIRST, _ONE))
"""Of bytes: all that stands between two characters without being seen.

It begins with a set, which the engine skips to; what begins with a choice is tried at every byte.
"""

BEGUN = re.compile(
    rb"[\x1b\xc2\xcd\xd8\xe1\xe2\xef]"
    rb"(?:(?<=\x1b)(?:%b)|(?<=[\xc2\xcd\xd8])|(?<=\xe1)\xa0?|(?<=\xe2)[\x80\x81]?|(?<=\xef)(?:\xbb|\xb8)?)\Z"
    % rb"|".join(
        part.removeprefix(r"\x1b").encode() for part in (_STRING + r"\x1b?", _CSI, r"\x1b[ -/]{0,64}")
    )
)
"""Of bytes: the end of a piece that may become a gap with what comes next."""

SUSPECTS = bytes(byte for byte in range(32) if byte not in b"\t\n") + b"\x7f\xc2\xcd\xd8\xe1\xe2\xef"
"""Bytes without which nothing is a gap."""

CONTROL_BYTES = re.compile(rb"[\x00-\x1f\x7f]")
"""Of bytes: what is no character of one line."""


def _between(first: bytes, rest: bytes, behind: bytes = _FIRST) -> re.Pattern[bytes]:
    return re.compile(first + rb"(?<=[A-Za-z0-9].)" + rest + rb"(?=[A-Za-z0-9%b])" % behind, re.DOTALL)


_PARTING = [
    (b"\x1b", _between(rb"\x1b", rb"(?>%b(?:%b)*)" % (_REST[rb"\x1b"], _ONE), b"")),
    (b"\r", _between(rb"\r", b"")),
    *(
        (bytes.fromhex(first[2:].decode()), _between(first, rest))
        for first, rest in _REST.items()
        if first != rb"\x1b"
    ),
]
_SINGLE_BYTE = _between(rb"[%b]" % _BYTES, b"")
_RARE = bytes(byte for byte in SUSPECTS if byte < 128 and byte not in b"\r\x1b")


def may_part_words(text: bytes) -> bool:
    """Whether a gap may stand between two letters or digits, of ASCII; quicker than to look for all gaps.

    A search that begins with one certain byte is many times faster than one that begins with a set.
    """
    if any(first in text and pattern.search(text) for first, pattern in _PARTING):
        return True
    return len(text.translate(None, _RARE)) != len(text) and _SINGLE_BYTE.search(text) is not None
