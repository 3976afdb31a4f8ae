"""A container's log that is read again goes on exactly where it was."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from executor.kubernetes.positions import Position, Stamped


@dataclass(frozen=True)
class Entry:
    """What a node keeps of a line or a part of one; `at` is in nanoseconds."""

    at: int
    text: bytes
    whole: bool


texts = st.binary(max_size=12).map(lambda data: data.replace(b"\n", b" "))
entries = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 1, 7, -3, 400_000_000, 2_000_000_000]), texts, st.booleans()),
    max_size=30,
)


def log_of(steps: list[tuple[int, bytes, bool]]) -> list[Entry]:
    at, log = 1_700_000_000_500_000_000, []
    for step, text, whole in steps:
        at += step
        log.append(Entry(at, text, whole or not text))  # there is no part without anything in it
    return log


def served(log: list[Entry], since: str | None) -> bytes:
    """What the node sends: the time comes before what begins a line, and what is older is left out."""
    out, at_start = [], True
    for entry in log:
        if since is None or stamp(entry.at) >= since.replace("Z", ".000000000Z"):
            out.append((stamp(entry.at) + " ").encode() if at_start else b"")
            out.append(entry.text + (b"\n" if entry.whole else b""))
        at_start = entry.whole
    return b"".join(out)


def stamp(at: int) -> str:
    minutes, seconds = divmod(at // 10**9 - 1_700_000_000, 60)
    return f"2023-11-14T22:{minutes:02d}:{seconds:02d}.{at % 10**9:09d}Z"


def written(log: list[Entry]) -> bytes:
    return b"".join(entry.text + (b"\n" if entry.whole else b"") for entry in log)


@given(entries, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 50), st.booleans()), max_size=6))
def test_no_byte_is_lost_or_doubled_wherever_it_breaks(
    steps: list[tuple[int, bytes, bool]], breaks: list[tuple[int, int, bool]]
) -> None:
    log = log_of(steps)
    reading, got = Stamped(None), b""
    for until, cut, another in [*breaks, (1_000_000, 37, False)]:
        if another:  # a bot that knows the position only
            reading = Stamped(reading.position)
        data = served(log, reading.begin())[:until]
        got += b"".join(reading.feed(data[at : at + cut]) for at in range(0, len(data), cut))
    got += reading.finish()
    assert got == written(log)
    assert not reading.gap
    assert not reading.trouble


def test_log_that_was_rotated_away_is_noticed_and_goes_on() -> None:
    log = log_of([(0, b"one", True), (1, b"two", True), (5 * 10**9, b"six", True), (1, b"seven", True)])
    reading = Stamped(None)
    reading.begin()
    assert reading.feed(served(log[:2], None)) == b"one\ntwo\n"
    reading.begin()
    assert reading.feed(served(log[2:], None)) == b"six\nseven\n"
    assert reading.gap


def test_rotated_log_with_nothing_far_enough_is_given_at_its_end() -> None:
    log = log_of([(0, b"one", True), (1, b"two", True), (5, b"three", True), (1, b"fo", False)])
    reading = Stamped(Position(stamp(log[1].at), 1, 4))
    reading.begin()
    assert reading.feed(served(log[2:], None)) == b""
    assert not reading.gap
    assert reading.finish() == b"three\nfo"
    assert reading.gap


def test_words_of_the_node_are_no_lines_of_the_job() -> None:
    reading = Stamped(None)
    reading.begin()
    assert reading.feed(b"unable to retrieve container ") + reading.feed(b"logs for containerd://ab\n") == b""
    assert reading.position is None
    assert reading.trouble == b"unable to retrieve container logs for containerd://ab\n"
    line = b"2023-11-14T22:13:20.123456789Z one\n"
    assert reading.feed(line + b"failed to watch: too many open files\n" + line) == b"one\none\n"
    assert b"too many open files" in reading.trouble
