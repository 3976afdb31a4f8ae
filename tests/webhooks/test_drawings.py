"""What is looked for in a line that was drawn over is what its page shows."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from webhooks.drawings import is_drawn_over, last_drawing, last_drawings
from webhooks.pages.ansi import AnsiRenderer

PIECES = [
    "a",
    "bc",
    "Ü",
    "\r",
    "\r\r",
    "\x08",
    "\x1b[K",
    "\x1b[1K",
    "\x1b[2K",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b]0;t\x07",
]


def shown(line: bytes) -> str:
    """The text of a line on its page."""
    return html.unescape(re.sub(r"<[^>]*>", "", AnsiRenderer().feed(line + b"\n"))).removesuffix("\n")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_last_drawing_is_what_a_page_shows(text: str) -> None:
    assert last_drawing(text.encode())[0].decode() == shown(text.encode())


@given(st.lists(st.sampled_from([*PIECES, "\n"]), max_size=30).map("".join))
def test_lines_that_are_left_alone_are_seen_as_they_were_written(text: str) -> None:
    drawn = last_drawings(text.encode()).split(b"\n")
    assert [shown(line) for line in drawn] == [shown(line) for line in text.encode().split(b"\n")]


def test_carriage_return_at_the_end_of_a_line_draws_nothing() -> None:
    assert not is_drawn_over(b"one\r\ntwo\r\n")
    assert is_drawn_over(b"10 %\r20 %")


def test_line_drawn_very_often_is_looked_at_in_linear_time() -> None:
    line = b"x" * 1000 + b"\x1b[1K\r\x1b[K\x08" * 100_000 + b"done"
    assert last_drawing(line)[0] == b"done"
