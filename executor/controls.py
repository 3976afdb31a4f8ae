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
_BEGUN = rf"{_STRING}\x1b?|{_CSI}|\x1b[ -/]{{0,64}}"

CONTROL = re.compile(rf"{_SEQUENCE}|{_SINGLE}|[\x80-\x9f]")
"""Of text: sequences, and control characters but line feed and tab."""

INVISIBLE = (
    rb"\xc2[\x80-\x9f\xad]|\xcd\x8f|\xd8\x9c|\xe1\xa0\x8e"
    rb"|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf|\xef\xb8[\x80-\x8f]"
)
"""Of bytes in UTF-8: C1 controls, soft hyphen, zero widths, joiners, marks of direction, selectors."""

GAP = rf"{_SEQUENCE}|{_SINGLE}".encode() + b"|" + INVISIBLE
"""Of bytes: what stands between two characters without being seen."""

BEGUN = re.compile(
    rb"(?:" + _BEGUN.encode() + rb"|[\xc2\xcd\xd8]|\xe1\xa0?|\xe2[\x80\x81]?|\xef(?:\xbb|\xb8)?)\Z"
)
"""Of bytes: the end of a piece that may become a gap with what comes next."""

SUSPECTS = bytes(byte for byte in range(32) if byte not in b"\t\n") + b"\x7f\xc2\xcd\xd8\xe1\xe2\xef"
"""Bytes without which nothing is a gap."""

CONTROL_BYTES = re.compile(rb"[\x00-\x1f\x7f]")
"""Of bytes: what is no character of one line."""
