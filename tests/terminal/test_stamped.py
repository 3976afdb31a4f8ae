"""What is counted and shown of a log with moments, however its answers are cut and break off."""

from hypothesis import given
from hypothesis import strategies as st

from terminal.stamped import StampedLog
from webhooks.stamps import WIDTH

MOMENT = b"2026-11-29T08:41:59.123Z "
BLANK = b" " * WIDTH


def answer(text: bytes, offset: int = 0, cut: int = 7) -> list[tuple[int, bytes]]:
    """Pieces as they come, each with the place behind it by their own length."""
    pieces = [text[at : at + cut] for at in range(0, len(text), cut)]
    ends = [offset + len(b"".join(pieces[:number])) for number in range(1, len(pieces) + 1)]
    return [(offset, b""), *zip(ends, pieces, strict=True)]


def test_offset_counts_the_log_without_its_moments() -> None:
    log = StampedLog()
    text = MOMENT + b"one\n" + MOMENT + b"two"
    got = list(log.pieces(answer(text, 100)))
    assert got[-1][0] == 107
    assert b"".join(piece for _, piece in got) == text
    assert log.known


@given(st.integers(0, 2 * WIDTH + 9), st.integers(1, 60))
def test_answer_that_breaks_off_anywhere_is_gone_on_with(length: int, cut: int) -> None:
    log, raw = StampedLog(), b"one\ntwo\n"
    whole = MOMENT + b"one\n" + MOMENT + b"two\n"
    shown, seen = b"", 0
    for seen, piece in log.pieces(answer(whole[:length], cut=cut)):  # noqa: B007
        shown += piece
    again = answer(b"".join(MOMENT + line for line in raw[seen:].splitlines(keepends=True)), seen, cut)
    for seen, piece in log.pieces(again):  # noqa: B007
        shown += piece
    assert (shown, seen) == (whole, len(raw))


def test_log_of_another_attempt_begins_anew() -> None:
    log = StampedLog()
    list(log.pieces(answer(MOMENT + b"not ended")))
    assert [piece for _, piece in log.pieces(answer(MOMENT + b"x", cut=99))] == [b"", MOMENT + b"x"]


def test_log_without_moments_is_known_to_have_none() -> None:
    log = StampedLog()
    assert b"".join(piece for _, piece in log.pieces(answer(BLANK + b"x\n"))) == BLANK + b"x\n"
    assert not log.known
