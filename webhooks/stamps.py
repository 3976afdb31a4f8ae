"""When each line of a log was kept, before the line or as its attributes. Pure.

A line has the moment at which its first byte was kept. A moment in text is always `WIDTH` bytes, blanks where
it is not known: whoever leaves them out knows which offset of the log comes next.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from executor.logs.moments import Moments

WIDTH = len("2026-11-29T08:41:59.123Z ")
"""Bytes before a line: a moment in UTC (RFC 3339) and a blank."""

_UNKNOWN = b" " * WIDTH
_LINE = re.compile(r'<div id="L(\d+)" data-n="\1"(?: class="[a-z]+")?')


class Stamper:
    """Puts moments before the lines of one log, piece by piece, and before its beginning."""

    def __init__(self) -> None:
        self._is_due = True

    def stamped(self, data: bytes, start: int, moments: Moments) -> bytes:
        """`data`, which begins at the offset `start`, with the moments of the lines that begin in it."""
        pieces: list[bytes] = []
        for line in _lines(data):
            if self._is_due:
                pieces.append(_text(moments.of(start)))
            pieces.append(line)
            start += len(line)
            self._is_due = line.endswith(b"\n")
        return b"".join(pieces)


def _lines(data: bytes) -> Iterator[bytes]:
    *whole, rest = data.split(b"\n")
    yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


@lru_cache(1024)
def _text(moment: int | None) -> bytes:
    if moment is None:
        return _UNKNOWN
    whole = datetime.fromtimestamp(moment // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{moment % 1000:03d}Z ".encode()


def marked(lines: str, begins: dict[int, int], moments: Moments) -> str:
    """HTML of lines with `data-day` and `data-at`; `begins` says at which offset each line begins."""

    def mark(found: re.Match[str]) -> str:
        begin = begins.get(int(found[1]))
        text = "" if begin is None else _text(moments.of(begin)).decode().strip()
        return f'{found[0]} data-day="{text[:10]}" data-at="{text[11:23]}"' if text else found[0]

    return _LINE.sub(mark, lines)
