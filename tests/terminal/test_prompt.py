"""What is printed above a line that is being typed leaves it, and the cursor in it, as they were."""

import re

import pytest

from terminal.prompt import above

PROMPT = "errand> "
STEP = re.compile(r"\x1b\[(\d*)([ACJ])|([\r\n])|(.)", re.DOTALL)


class Screen:
    """As much of a terminal as a line with a cursor needs; letters are one cell wide, and rows wrap late."""

    def __init__(self, columns: int) -> None:
        self.columns, self.row, self.column = columns, 0, 0
        self.cells: dict[tuple[int, int], str] = {}

    def write(self, text: str) -> None:
        for count, move, end, letter in STEP.findall(text):
            steps = int(count or 1)
            if letter:
                if self.column == self.columns:
                    self.row, self.column = self.row + 1, 0
                self.cells[self.row, self.column] = letter
                self.column += 1
            elif end == "\r":
                self.column = 0
            elif end == "\n":
                self.row, self.column = self.row + 1, 0
            elif move == "A":
                self.row -= steps
            elif move == "C":
                self.column += steps
            else:
                here = (self.row, self.column)
                self.cells = {place: cell for place, cell in self.cells.items() if place < here}

    def lines(self) -> list[str]:
        rows = range(max((row for row, _ in self.cells), default=0) + 1)
        columns = range(self.columns)
        return ["".join(self.cells.get((row, each), " ") for each in columns).rstrip() for row in rows]

    def place(self, cells: int) -> None:
        """Put the cursor where an editor has it, so many cells behind the beginning of its line."""
        self.row, self.column = cells // self.columns, cells % self.columns


@pytest.mark.parametrize("length", [0, 3, 11, 12, 13, 40])
@pytest.mark.parametrize("back", [0, 1, 12, 40])
def test_line_that_is_typed_stays_with_its_cursor(length: int, back: int) -> None:
    typed = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"[:length]
    point, screen = max(0, length - back), Screen(20)
    screen.write(PROMPT + typed)
    screen.place(len(PROMPT) + point)

    screen.write(above("one\ntwo", typed, point, 20))

    whole = PROMPT + typed
    shown = [whole[start : start + 20].rstrip() for start in range(0, len(whole), 20)]
    assert screen.lines()[: 2 + len(shown)] == ["one", "two", *shown]
    at = len(PROMPT) + point
    assert (screen.row - 2, screen.column) == (at // 20, at % 20)


def test_letters_that_are_two_cells_wide_are_counted() -> None:
    assert above("x", "日本", 1, 80).endswith("errand> 日本\r\x1b[10C")
