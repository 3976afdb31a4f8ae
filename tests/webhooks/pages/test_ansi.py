"""Bytes of a terminal become HTML: the same for any chunks, and never anything but text of the job's."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.pages.ansi import LONGEST_ESCAPE, LONGEST_LINE, PLAIN, AnsiRenderer, nearest, palette, restyled


def render(*chunks: bytes) -> str:
    renderer = AnsiRenderer()
    return "".join(renderer.feed(chunk) for chunk in chunks) + renderer.open_line()


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def text(html: str) -> str:
    """What a person reads of it."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.pieces)


def line(data: bytes) -> str:
    """The inner HTML of the only line."""
    match = re.fullmatch(r'<div id="L1" data-n="1">(.*)\n</div>', render(data), re.DOTALL)
    assert match is not None
    return match[1]


def test_lines_are_numbered_anchors() -> None:
    assert render(b"one\n\n") == '<div id="L1" data-n="1">one\n</div><div id="L2" data-n="2">\n</div>'


def test_nothing_written_is_nothing_shown() -> None:
    assert render(b"") == ""


def test_markup_of_the_job_stays_text() -> None:
    assert line(b"<script>alert('&')</script>") == "&lt;script&gt;alert('&amp;')&lt;/script&gt;"


@pytest.mark.parametrize(
    ("data", "html"),
    [
        (b"\x1b[31mred\x1b[0m plain", '<span class="f1">red</span> plain'),
        (b"\x1b[1;4;32mx\x1b[22;24my\x1b[mz", '<span class="bo un f2">x</span><span class="f2">y</span>z'),
        (b"\x1b[97;104mx\x1b[39my\x1b[49mz", '<span class="f15 b12">x</span><span class="b12">y</span>z'),
        (b"\x1b[38;5;208mx", '<span class="f208">x</span>'),
        (b"\x1b[48;5;17mx", '<span class="b17">x</span>'),
        (b"\x1b[38;2;255;136;0mx", '<span class="f208" data-f="#ff8800">x</span>'),
        (b"\x1b[38:2::255:136:0mx", '<span class="f208" data-f="#ff8800">x</span>'),
        (b"\x1b[38:5:9;1mx", '<span class="bo f9">x</span>'),
        (b"\x1b[7mx\x1b[27my", '<span class="fi bi">x</span>y'),
        (b"\x1b[31;7mx", '<span class="fi b1">x</span>'),
        (b"\x1b[3;9;2mx", '<span class="di it st">x</span>'),
        (b"\x1b[38;5;999mx", "x"),
        (b"\x1b[38;2;1mx", "x"),
        (b"\x1b[99999999999999mx", "x"),
        (b"\x1b[?31mx", "x"),
        (b"\x1b[38;5:1mx", "x"),
    ],
)
def test_colours_and_emphasis(data: bytes, html: str) -> None:
    assert line(data) == html


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b]0;title\x07hello",
        b"\x1b]8;;https://example.com\x1b\\hello\x1b]8;;\x1b\\",
        b"\x1b[2J\x1b[Hhello",
        b"\x1b[?25lhello\x1b[?25h",
        b"\x1b(Bhello\x1b=\x1b7",
        b"\x1bPq#0;2;0\x1b\\hello",
        b"\x00he\x07ll\x7fo\xc2\x9b\xc2\x85",
        b"hello\x1b",
        b"hello\x1b[",
        b"hello\x1b]0;title",
    ],
)
def test_other_escapes_and_controls_are_dropped(data: bytes) -> None:
    assert line(data) == "hello"


def test_escape_that_never_ends_hides_nothing_behind_its_line() -> None:
    assert text(render(b"\x1b]0;never ends\nnext\n")).endswith("\nnext\n")
    assert "x" * 100 in text(render(b"\x1b]" + b"x" * (LONGEST_ESCAPE + 9)))


def test_progress_bar_shows_its_last_state() -> None:
    assert line(b" 10%\r 50%\r100%") == "100%"
    assert line(b"a long line\rshort") == "shortg line"
    assert line(b"a long line\r\x1b[Kshort") == "short"
    assert line(b"old\x1b[2K\rnew") == "new"
    assert line(b"one two\x1b[1K\x1b[1K!\rab\x08\x1b[1Kc") == " c     !"
    assert line(b"\x1b[31mred\x1b[0m\rb") == 'b<span class="f1">ed</span>'
    assert line(b"abc\x08\x08X") == "aXc"


def test_windows_line_ends_are_line_ends() -> None:
    assert text(render(b"one\r\ntwo\r\n")) == "one\ntwo\n"


def test_long_line_is_cut_and_says_so() -> None:
    html = render(b"x" * (LONGEST_LINE + 1) + b"\nnext\n")

    assert "x" * LONGEST_LINE + "<b>" in html
    assert "full text" in html
    assert text(html).endswith("\nnext\n")


def test_colour_goes_on_in_the_next_line() -> None:
    renderer = AnsiRenderer()
    renderer.feed(b"\x1b[1;38;2;1;2;3mone\ntw\x1b[0m")

    assert renderer.line == 2
    assert renderer.line_style.sgr() == "1;38;2;1;2;3"
    assert restyled(PLAIN, renderer.line_style.sgr()) == renderer.line_style


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert line(b"\xff\xfe ok \xe2\x82") == "\ufffd\ufffd ok "
    assert line(b"\xe2\x28") == "\ufffd("


def test_true_colour_has_a_nearest_of_the_palette() -> None:
    assert (nearest("ffffff"), nearest("000000"), nearest("808080"), nearest("ff0000")) == (231, 16, 244, 196)
    assert ".f196{color:#ff0000}.b196{background:#ff0000}" in palette()
    assert palette().count("{") == 480


_PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"\x1b[", b"\x1b]", b"\x1b", b"31m", b"\x1b[1;38;5;9m", b"\x1b[K", b"\x1b[1K", b"\x1b[2K", b"\r",
         b"\n", b"\x08", b"\x07", b"\x1b\\", b"<b>", b"&", "é€😀".encode(), b"\x1bP", b"\x1b(",
         b"x" * LONGEST_LINE, b"y" * LONGEST_ESCAPE, b"\x1b[38:2::1:2:3m", b"\x1b[7m", b";", b"0", b"K", b"m",
         b"\xe2\x82", b"\xf0"]
    ),
)  # fmt: skip


@given(pieces=st.lists(_PIECES, max_size=20), cuts=st.lists(st.integers(0, 200), max_size=8))
def test_any_chunks_give_the_same_html(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]

    in_chunks = render(*(data[start:end] for start, end in pairwise(edges)))

    assert in_chunks == render(data)
    assert in_chunks == render(*(data[at : at + 1] for at in range(len(data))))


_OURS = re.compile(
    r'<div id="L\d+" data-n="\d+">|\n</div>'
    r'|<span(?: class="[a-z0-9 ]+")?(?: data-[fb]="#[0-9a-f]{6}")*>|</span>|<b>|</b>|&(?:amp|lt|gt);'
)


@given(st.lists(_PIECES, max_size=20))
def test_only_our_own_tags_are_in_the_html(pieces: list[bytes]) -> None:
    rest = _OURS.sub("", render(b"".join(pieces)))

    assert not set("<>&") & set(rest)
    assert all(character.isprintable() or character == "\t" or ord(character) > 0x9F for character in rest)


@given(st.lists(_PIECES, max_size=20), st.integers(0, 100))
def test_rendering_goes_on_from_the_beginning_of_any_line(pieces: list[bytes], cut: int) -> None:
    data = b"".join(pieces)
    head, newline, rest = data[:cut].rpartition(b"\n")
    first = AnsiRenderer()
    before = first.feed(head + newline)

    second = AnsiRenderer(line=first.line, style=restyled(PLAIN, first.line_style.sgr() or "0"))

    assert before + second.feed(rest + data[cut:]) + second.open_line() == render(data)
