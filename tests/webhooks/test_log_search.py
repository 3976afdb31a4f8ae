"""Lines that match are found with their numbers and offsets, however a log is cut and whatever is in it."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from webhooks import log_search
from webhooks.log_search import Bounds, End, Match, search, words

LIMIT = 2**24


async def found(
    logs: LogStore, text: str, *, exact: bool = False, after: int = 0, most: int = 200
) -> tuple[list[Match], End]:
    matches, end = [], None
    async for one in search(logs, "log", words(text, exact=exact), after=after, bounds=Bounds(most)):
        if isinstance(one, End):
            end = one
        else:
            matches.append(one)
    assert end is not None
    return matches, end


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path / "logs", LIMIT)


def write(logs: LogStore, data: bytes) -> None:
    LogWriter(logs.path("log"), LIMIT).write(data)


async def test_match_has_line_offset_and_what_is_around(logs: LogStore) -> None:
    write(logs, "one\n\x1b[31mZwölf\x1b[0m Bäume fallen\nthree".encode())
    matches, end = await found(logs, "zwölf BÄUME")
    assert matches == [Match(2, 4, "", "Zwölf Bäume", " fallen")]
    assert end == End(4, None)
    assert (await found(logs, "zwölf", exact=True))[0] == []
    assert (await found(logs, "THREE"))[0] == [Match(3, 34, "", "three", "")]


async def test_what_stands_in_an_escape_sequence_is_not_found(logs: LogStore) -> None:
    write(logs, b"\x1b[31mred\x1b[0m\n\x1b]0;title\x07plain\n")
    assert (await found(logs, "31"))[0] == []
    assert (await found(logs, "title"))[0] == []


async def test_search_stops_at_its_bound_and_goes_on_behind_it(logs: LogStore) -> None:
    write(logs, b"hit\nmiss\n" * 50)
    first, end = await found(logs, "hit", most=30)
    assert (len(first), end) == (30, End(60, "most"))
    second, end = await found(logs, "hit", after=end.line - 1)
    assert (len(second), end.why) == (20, None)
    assert [one.line for one in first + second] == list(range(1, 101, 2))
    assert (await found(logs, "hit", after=500))[0] == []


async def test_search_ends_in_time(logs: LogStore) -> None:
    write(logs, b"miss\n" * 200_000)
    ends = [one async for one in search(logs, "log", words("x", exact=True), bounds=Bounds(seconds=0.0))]
    assert isinstance(ends[-1], End)
    assert ends[-1].why == "time"
    assert ends[-1].line < 200_000


async def test_line_without_an_end_is_searched_in_bounded_pieces(
    logs: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "_LONGEST_LINE", 1000)
    write(logs, b"a\n" + b"x" * 700_000 + b"needle" + b"x" * 700_000 + b"needle\nb needle\n")
    matches, _ = await found(logs, "needle")
    assert [(one.line, one.offset) for one in matches] == [(2, 2), (3, 1_400_015)]


@settings(max_examples=40)
@given(st.lists(st.text(max_size=30), max_size=20), st.text(min_size=1, max_size=3), st.booleans())
@example(["İK", "K"], "k", False)
def test_every_line_that_has_it_is_found(lines: list[str], text: str, exact: bool) -> None:
    rows = [line.replace("\n", "").replace("\r", "") for line in lines]
    with tempfile.TemporaryDirectory() as directory:
        logs = LogStore(Path(directory), LIMIT)
        data = [row.encode(errors="replace") for row in rows]
        write(logs, b"".join(each + b"\n" for each in data))
        matches, _ = asyncio.run(found(logs, text, exact=exact))
        what = words(text, exact=exact)
        expected = [
            number
            for number, each in enumerate(data, 1)
            if what.find(log_search._visible(each).decode(errors="replace")) is not None
        ]
        assert [one.line for one in matches] == expected
        assert [one.offset for one in matches] == [sum(len(e) + 1 for e in data[: n - 1]) for n in expected]


async def test_line_drawn_over_is_found_as_it_is_shown(logs: LogStore) -> None:
    write(logs, b"".join(b"\r%3d%% of all" % done for done in range(101)) + b"\nnext of all\r\n")
    matches, _ = await found(logs, "of all")
    assert [(one.line, one.before, one.hit) for one in matches] == [
        (1, "100% ", "of all"),
        (2, "next ", "of all"),
    ]
    assert (await found(logs, "50%"))[0] == []


async def test_very_long_line_drawn_over_is_found_as_it_is_shown(logs: LogStore) -> None:
    drawn = b"".join(b"\x1b[2K\r%07d of all \xc3\xbc" % done for done in range(150_000))
    write(logs, drawn + b"\nafter\n")
    matches, _ = await found(logs, "0149999 of all ü")
    assert [(one.line, one.offset) for one in matches] == [(1, 0)]
    assert (await found(logs, "0000007 of all"))[0] == []
    assert (await found(logs, "after"))[0] == [Match(2, len(drawn) + 1, "", "after", "")]
