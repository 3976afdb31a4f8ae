"""Some lines of a log that a page shows at a time: the last, those around one, those before or after one.

However long a log or a line of it is, a window costs what it is large: the store knows where lines begin.
"""

from dataclasses import dataclass

from executor.logs.store import LogStore
from webhooks.text import last_part, reading

MOST_LINES = 1000
"""Lines of a window."""

MOST_BYTES = 128 * 1024
"""Bytes of a window. Of a line that is longer its beginning is shown, as a page shows 4,096 characters."""

CONTEXT = 30
"""Lines before the one that a link leads to."""


@dataclass(frozen=True, slots=True)
class Window:
    """Bytes that begin with line `line` at the offset `start`; `end` is right where it is the log's.

    `whole`: nothing follows now. `size` is the offset behind the log's last byte.
    """

    line: int
    start: int
    data: bytes
    end: int
    size: int
    whole: bool


async def last(logs: LogStore, key: str) -> Window | None:
    """The end of the log; None where there is no log."""
    part = await last_part(logs, key, MOST_BYTES, MOST_LINES)
    if part is None:
        return None
    return Window(part.line, part.left_out, part.data, part.end, part.end, whole=True)


async def around(logs: LogStore, key: str, line: int) -> Window | None:
    """A window with `line` and some lines before it; the last one where there are not so many lines."""
    first = max(1, line - CONTEXT)
    window = await _from(logs, key, first)
    if window is None or line < first + window.data.count(b"\n"):
        return window
    return await _from(logs, key, line)


async def after(logs: LogStore, key: str, line: int) -> Window | None:
    """What follows `line`; the end of the log where nothing does."""
    return await _from(logs, key, line + 1)


async def before(logs: LogStore, key: str, line: int) -> Window | None:
    """The lines that end before `line` begins."""
    end = await logs.begin_of(key, line)
    if not end:
        return await (last(logs, key) if end is None else _from(logs, key, 1))
    first = max(1, line - MOST_LINES)
    start = await logs.begin_of(key, first) or 0
    if end - start <= MOST_BYTES:
        return await _from(logs, key, first, line - first)
    data, _ = await _bytes(logs, key, end - MOST_BYTES, MOST_BYTES)
    cut = data.find(b"\n") + 1
    lines = data.count(b"\n", cut)
    return await _from(logs, key, line - max(1, lines), max(1, lines))


async def _from(logs: LogStore, key: str, line: int, lines: int = MOST_LINES) -> Window | None:
    """So many lines from `line` on, as far as there is room for them."""
    size, start = await logs.size(key), await logs.begin_of(key, line)
    if size is None or start is None or (start >= size and size):
        return await last(logs, key)
    data, end = await _bytes(logs, key, start, MOST_BYTES)
    whole = end >= size
    at = -1
    for _ in range(lines):
        found = data.find(b"\n", at + 1)
        if found < 0:
            break
        at = found
    else:
        whole = whole and at == len(data) - 1
        data = data[: at + 1]
    if not whole and at >= 0:
        data = data[: at + 1]
    elif not whole:  # one line that is longer than a window
        whole = await logs.begin_of(key, line + 1) is None
        data, end = (data, size) if whole else (data + b"\n", end)
    return Window(line, start, data, end if whole else start + len(data), size, whole)


async def _bytes(logs: LogStore, key: str, start: int, most: int) -> tuple[bytes, int]:
    """At most so many bytes, and the offset behind them."""
    pieces: list[bytes] = []
    end = start
    async with reading(logs, key, offset=start) as chunks:
        async for chunk in chunks:
            pieces.append(chunk.data[:most])
            end = chunk.end - len(chunk.data) + len(pieces[-1])
            most -= len(pieces[-1])
            if most <= 0:
                break
    return b"".join(pieces), end
