"""Lines and offsets found by the index are those that counting all of the log finds."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.logs import line_index, logfile
from executor.logs.line_index import LineIndex, LineIndexes
from executor.logs.logfile import LogWriter
from executor.logs.store import LogChunk, LogStore

SMALL = logfile.SMALLEST


async def chunks(logs: LogStore) -> list[LogChunk]:
    return [chunk async for chunk in logs.read("log")]


def agrees(logs: LogStore, index: LineIndex, lines: list[int]) -> None:
    """Holds the index against the log as it is read, gap and all."""
    whole = asyncio.run(chunks(logs))
    begins, line = {1: 0}, 1
    for chunk in whole:
        for at, byte in enumerate(chunk.data):
            if byte == 10:
                line += 1
                begins[line] = chunk.start + at + 1
    for wanted in lines:
        number = wanted % (line + 2) + 1
        found = index.begin_of(number)
        assert found == begins.get(number)
        if found is not None:
            assert index.line_at(found) == number


@settings(max_examples=25)
@given(
    st.lists(st.binary(max_size=40).map(lambda one: one.replace(b"\0", b"\n") * 400), max_size=12),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=12),
)
def test_index_agrees_with_a_log_that_grows_and_loses_its_middle(
    pieces: list[bytes], lines: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        logs = LogStore(Path(directory), SMALL)
        writer, index = LogWriter(logs.path("log"), SMALL), LineIndex(logs.path("log"))
        index._block = 1000
        for piece in pieces:
            writer.write(piece)
            agrees(logs, index, lines)
        writer.finish()


def test_log_that_is_not_there_has_one_line(tmp_path: Path) -> None:
    index = LineIndex(str(tmp_path / "none"))
    assert (index.begin_of(1), index.begin_of(2), index.line_at(0), index.line_at(99)) == (0, None, 1, 1)


def test_points_of_a_long_log_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_index, "MOST_POINTS", 8)
    logs = LogStore(tmp_path, 2**24)
    writer = LogWriter(logs.path("log"), 2**24)
    writer.write(b"1234567\n" * (5 * 2**18))
    index = LineIndex(logs.path("log"))
    index._block = 1
    assert index.begin_of(1_000_001) == 8_000_000
    assert len(index._offsets) <= 8
    assert index.line_at(80_000) == 10_001


def test_only_the_logs_asked_for_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_index, "MOST_LOGS", 2)
    indexes = LineIndexes()
    one = indexes.of("one")
    indexes.of("two")
    assert indexes.of("one") is one
    indexes.of("three")
    assert indexes.of("one") is one
    assert len(indexes._indexes) == 2
