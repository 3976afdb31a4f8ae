"""What jobs of a chat print: every line with whose it is, masked as in the log, and no flood for a person."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.watched import PATIENCE
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from terminal.outputs import LINES, Outputs


class Chat:
    """Outputs of a log that is written here, and all that they told."""

    def __init__(self, home: Path, *, paced: bool = False, colours: bool = False) -> None:
        self.logs = LogStore(home, 64 * 2**20)
        self.writer = LogWriter(self.logs.path("job"), 64 * 2**20)
        self.lines: list[str] = []
        self._told = asyncio.Event()
        self.outputs = Outputs(self.logs, self._tell, paced, colours=colours)

    def write(self, data: bytes, *, end: bool = False) -> None:
        self.writer.write(data)
        if end:
            self.writer.close()
        self.logs.wake("job")

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await self._told.wait()
                self._told.clear()

    async def _tell(self, text: str) -> None:
        self.lines += text.split("\n")
        self._told.set()


async def test_lines_appear_while_they_are_written_and_the_last_one_at_the_end(tmp_path: Path) -> None:
    chat = Chat(tmp_path)
    chat.outputs.show("job", "#1")
    chat.write(b"one\ntw")
    await chat.until(lambda: chat.lines == ["#1 | one"])
    chat.write(b"o\n50%\r100%\nlast", end=True)
    assert await chat.outputs.end("job")
    assert chat.lines == ["#1 | one", "#1 | two", "#1 | 100%", "#1 | last"]


@pytest.mark.parametrize(("colours", "shown"), [(True, "#1 | \x1b[31mred\x1b[0m"), (False, "#1 | red")])
async def test_nothing_moves_the_cursor_and_colours_end_with_their_line(
    tmp_path: Path, colours: bool, shown: str
) -> None:
    chat = Chat(tmp_path, colours=colours)
    chat.outputs.show("job", "#1")
    chat.write(b"\x1b[2J\x1b]0;title\x07\x1b[31mred\nplain\n", end=True)
    assert await chat.outputs.end("job")
    assert chat.lines == [shown, "#1 | plain"]


async def test_person_is_spared_a_flood_and_told_how_much_of_it(tmp_path: Path) -> None:
    chat = Chat(tmp_path, paced=True)
    lines = b"".join(b"%d\n" % number for number in range(300_000))
    chat.write(lines, end=True)
    chat.outputs.show("job", "#1")
    assert not await chat.outputs.end("job")
    assert chat.lines[-1] == "#1 | 299999"
    assert len(chat.lines) < 5 * LINES
    assert any("bytes are left out" in line for line in chat.lines)


async def test_program_gets_every_line(tmp_path: Path) -> None:
    chat = Chat(tmp_path)
    chat.write(b"".join(b"%d\n" % number for number in range(50_000)), end=True)
    chat.outputs.show("job", "#1")
    assert await chat.outputs.end("job")
    assert chat.lines == [f"#1 | {number}" for number in range(50_000)]


async def test_what_is_hidden_is_shown_no_more(tmp_path: Path) -> None:
    chat = Chat(tmp_path)
    chat.outputs.show("job", "#1")
    chat.write(b"one\n")
    await chat.until(lambda: bool(chat.lines))
    assert chat.outputs.hide() == ["#1"]
    chat.write(b"two\n", end=True)
    assert not await chat.outputs.end("job")
    assert (chat.lines, chat.outputs.hide()) == (["#1 | one"], [])
    await chat.outputs.close()


async def test_line_without_an_end_is_cut(tmp_path: Path) -> None:
    chat = Chat(tmp_path)
    chat.outputs.show("job", "#1")
    chat.write(b"x" * 100_000 + b"\nnext\n", end=True)
    assert await chat.outputs.end("job")
    assert chat.lines[-1] == "#1 | next"
    assert max(map(len, chat.lines)) < 2100
