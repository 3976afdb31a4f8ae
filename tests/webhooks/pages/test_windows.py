"""Windows of whatever log: walked in either direction they have each line once, and are small."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.logs.logfile import SMALLEST, LogWriter
from executor.logs.store import LogStore
from webhooks.pages import windows
from webhooks.pages.windows import Window, after, around, before, last

LINES, BYTES = 5, 60


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "MOST_LINES", LINES)
        patch.setattr(windows, "MOST_BYTES", BYTES)
        patch.setattr(windows, "CONTEXT", 2)
        yield


def behind(window: Window) -> int:
    """The number of the line after those of the window."""
    return (
        window.line + window.data.count(b"\n") + (1 if window.data and not window.data.endswith(b"\n") else 0)
    )


async def walked(logs: LogStore) -> None:
    window = await last(logs, "log")
    assert window is not None
    end = behind(window)
    firsts = [window.line]
    while window.line > 1:
        earlier = await before(logs, "log", window.line)
        assert earlier is not None
        assert behind(earlier) == window.line
        assert len(earlier.data) <= BYTES + 1
        assert earlier.data.count(b"\n") <= LINES
        window = earlier
        firsts.append(window.line)
    while not window.whole:
        later = await after(logs, "log", behind(window) - 1)
        assert later is not None
        assert later.line == behind(window)
        window = later
    assert behind(window) == end
    for line in firsts:
        shown = await around(logs, "log", line)
        assert shown is not None
        assert shown.line <= line < max(behind(shown), line + (1 if line == end else 0))


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from([0, 1, 3, 11, 59, 60, 61, 200]) | st.integers(0, 90), max_size=40), st.booleans()
)
def test_windows_have_each_line_once(lengths: list[int], ended: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        logs = LogStore(Path(directory), SMALLEST)
        data = b"\n".join(b"x" * length for length in lengths) + (b"\n" if ended else b"")
        LogWriter(logs.path("log"), SMALLEST).write(data)
        asyncio.run(walked(logs))


async def test_log_that_is_not_there_has_no_window(tmp_path: Path) -> None:
    logs = LogStore(tmp_path, SMALLEST)
    assert [await last(logs, "log"), await around(logs, "log", 3), await before(logs, "log", 2)] == [None] * 3


async def test_window_goes_over_the_gap_of_a_log(tmp_path: Path) -> None:
    logs = LogStore(tmp_path, SMALLEST)
    writer = LogWriter(logs.path("log"), SMALLEST)
    for number in range(20_000):
        writer.write(b"line %d\n" % number)
    line, seen = 0, []
    while (window := await after(logs, "log", line)) is not None:
        assert window.line == line + 1
        seen.append(window.data)
        line = behind(window) - 1
        if window.whole:
            break
    assert b"".join(seen) == b"".join([chunk.data async for chunk in logs.read("log")])
