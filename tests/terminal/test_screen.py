"""What of a log reaches a terminal: text and colours, nothing that a terminal would obey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.screen import Screen

HARMFUL = {
    "clear": "\x1b[2J",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "link": "\x1b]8;;http://evil.example\x1b\\",
    "device": "\x1bP+q544e\x1b\\",
    "cursor": "\x1b[10;20H",
    "reset": "\x1bc",
    "bell": "\x07",
    "8-bit": "\x9b2J",
    "backspace": "\x08",
}


def shown(text: str, *, colours: bool = True, size: int = 10_000) -> str:
    screen, content = Screen(colours=colours), text.encode()
    pieces = [screen.shown(content[at : at + size]) for at in range(0, len(content), size)]
    return "".join([*pieces, screen.shown(b"", end=True)])


@pytest.mark.parametrize("harm", HARMFUL.values(), ids=HARMFUL.keys())
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_a_terminal_obeys_is_dropped_however_it_is_cut(harm: str, size: int) -> None:
    left = shown(f"a{harm}b", size=size)
    assert left in ("ab", "a2Jb")  # an 8-bit introducer goes; what followed it is harmless text


def test_colours_come_through_unless_nobody_wants_them() -> None:
    text = "\x1b[1;31mred\x1b[0m"
    assert shown(text, size=1) == text
    assert shown(text, colours=False) == "red"


def test_text_lines_and_progress_bars_come_through() -> None:
    text = "äöü 日本\n\t50 %\r100 %\n"
    assert shown(text, size=1) == text


def test_sequence_without_an_end_holds_nothing_back_for_ever() -> None:
    screen = Screen(colours=True)
    given = "\x1b]0;" + "x" * 10_000
    assert "x" * 10_000 in screen.shown(given.encode()) + screen.shown(b"", end=True)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("done\n", ""),
        ("", ""),
        ("no end", "\n"),
        ("50 %\r", "\n"),
        ("\x1b[31mred\n", "\x1b[0m"),
        ("\x1b[31mred", "\x1b[0m\n"),
        ("red\n\x1b[0m", "\x1b[0m"),
        ("\x1b]0;title\x07", ""),
    ],
)
def test_log_ends_its_colours_and_its_line(text: str, left: str) -> None:
    screen = Screen(colours=True)
    screen.shown(text.encode())
    assert (screen.ended(), screen.ended()) == (left, "")
    plain = Screen(colours=False)
    plain.shown(text.encode())
    assert plain.ended() == left.replace("\x1b[0m", "")


@given(st.text(), st.integers(1, 7))
def test_nothing_but_colours_is_left_of_any_text(text: str, size: int) -> None:
    assert "\x1b" not in shown(text, colours=False, size=size)
    assert shown(text, size=size) == shown(text)
