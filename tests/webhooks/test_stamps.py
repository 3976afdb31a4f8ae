from array import array

from hypothesis import given
from hypothesis import strategies as st

from executor.logs.moments import Moments
from webhooks.stamps import WIDTH, Stamper, marked

EIGHT = 1_764_405_719_123
"""2026-11-29T08:41:59.123Z would be later; this is 2025-11-29 at the same time of day."""


def moments(*entries: tuple[int, int]) -> Moments:
    return Moments(array("Q", (number for entry in entries for number in entry)).tobytes())


def test_each_line_follows_its_moment() -> None:
    text = Stamper().stamped(b"one\ntwo\n", 0, moments((0, EIGHT), (4, EIGHT + 1000)))
    assert text == b"2025-11-29T08:41:59.123Z one\n2025-11-29T08:42:00.123Z two\n"


def test_line_in_pieces_has_one_moment_and_the_answer_begins_with_one() -> None:
    stamper, known = Stamper(), moments((0, EIGHT))
    pieces = [stamper.stamped(data, at, known) for data, at in ((b"on", 7), (b"e\r", 9), (b"\nx", 11))]
    assert pieces == [b"2025-11-29T08:41:59.123Z on", b"e\r", b"\n2025-11-29T08:41:59.123Z x"]


def test_moment_that_is_not_known_is_blank() -> None:
    assert Stamper().stamped(b"x\n", 0, Moments()) == b" " * WIDTH + b"x\n"
    assert Stamper().stamped(b"x\n", 5, moments((6, EIGHT))) == b" " * WIDTH + b"x\n"


@given(st.lists(st.sampled_from([b"\n", b"ab", b"\r\n", b"c\n\n"])))
def test_pieces_do_not_matter(pieces: list[bytes]) -> None:
    whole, stamper, at, known = b"".join(pieces), Stamper(), 0, moments((3, EIGHT))
    got = b""
    for piece in pieces:
        got += stamper.stamped(piece, at, known)
        at += len(piece)
    assert got == Stamper().stamped(whole, 0, known)


def test_lines_of_a_page_say_their_day_and_time() -> None:
    lines = '<div id="L1" data-n="1">&lt;div id="L9"\n</div><div id="L2" data-n="2">x\n</div>'
    assert marked(lines, {1: 0, 2: 14}, moments((14, EIGHT))) == (
        '<div id="L1" data-n="1">&lt;div id="L9"\n</div>'
        '<div id="L2" data-n="2" data-day="2025-11-29" data-at="08:41:59.123">x\n</div>'
    )
