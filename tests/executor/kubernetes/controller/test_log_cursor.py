"""A container's log that is read again goes on exactly where it was."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.container.entries import Entries
from executor.kubernetes.controller.log_cursor import LogCursor, Position
from executor.kubernetes.controller.run_directory import Checkpoint
from executor.logs.collector import LogCollector
from executor.logs.logfile import LogWriter
from executor.logs.redaction import Redactor


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


@settings(max_examples=300, deadline=None)
@given(entries, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 50), st.booleans()), max_size=6))
def test_no_byte_is_lost_or_doubled_wherever_it_breaks(
    steps: list[tuple[int, bytes, bool]], breaks: list[tuple[int, int, bool]]
) -> None:
    log = log_of(steps)
    reading, got = LogCursor(None), b""
    for until, cut, another in [*breaks, (1_000_000, 37, False)]:
        if another:  # a bot that knows the position only
            reading = LogCursor(reading.position)
        data = served(log, reading.begin())[:until]
        got += b"".join(reading.feed(data[at : at + cut]) for at in range(0, len(data), cut))
    got += reading.finish()
    assert got == written(log)
    assert not reading.gap
    assert not reading.trouble


SECRETS = [b"hush", b"two\nlines", b"e e e"]
secretive = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 400_000_000, 2_000_000_000]),
        st.sampled_from([b"hu", b"sh", b"hush", b"two", b"lines", b"e e ", b"e", b"plain", b""]),
        st.booleans(),
    ),
    max_size=30,
)


def kept_in(directory: Path) -> bytes:
    """The text of a log."""
    files = sorted((path for path in directory.iterdir() if path.name.isdigit()), key=lambda path: path.name)
    return b"".join(path.read_bytes() for path in files)


class Bot:
    """One that takes the log over where the one before it left it: with its checkpoint, and what is kept."""

    def __init__(self, directory: Path, checkpoint: Checkpoint | None) -> None:
        self.checkpoint = checkpoint
        size = len(kept_in(directory)) if directory.exists() else 0
        offset = checkpoint.offset if checkpoint is not None else 0
        self.stamped = LogCursor(checkpoint.position if checkpoint is not None else None)
        self.keeping = LogCollector(LogWriter(str(directory), 1 << 20), SECRETS, size - offset, offset)

    def take(self, text: bytes) -> None:
        self.keeping.take(text)
        if self.keeping.is_settled:
            self.checkpoint = Checkpoint(self.keeping.offset, "job", self.stamped.position)


@settings(max_examples=300, deadline=None)
@given(secretive, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 50), st.booleans()), max_size=6))
def test_no_secret_is_shown_and_no_byte_lost_whoever_goes_on_and_wherever(
    steps: list[tuple[int, bytes, bool]], breaks: list[tuple[int, int, bool]]
) -> None:
    log = log_of(steps)
    redactor = Redactor(SECRETS)
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "log"
        bot = Bot(place, None)
        for until, cut, another in [*breaks, (1_000_000, 37, False)]:
            if another:
                bot.keeping.close()
                bot = Bot(place, bot.checkpoint)
            data = served(log, bot.stamped.begin())[:until]
            for at in range(0, len(data), cut):
                bot.take(bot.stamped.feed(data[at : at + cut]))
        bot.take(bot.stamped.finish())
        bot.keeping.end([])
        kept = kept_in(place)
    assert kept == redactor.feed(written(log)) + redactor.flush()


def test_what_is_read_again_costs_about_what_reading_costs() -> None:
    log = log_of([(1, b"a line of forty bytes, as many jobs write", True)] * 200_000)
    data, text = served(log, None), written(log)
    container = data.replace(b"Z ", b"Z stdout F ")
    began = process_time()
    assert Entries().feed(container) == text
    other, began = process_time() - began, process_time()
    reading = LogCursor(None)
    assert reading.feed(data) == text
    first, began = process_time() - began, process_time()
    assert reading.begin() is not None
    assert reading.feed(data) == b""
    again = process_time() - began
    assert first < 5 * other + 0.5
    assert again < 20 * other + 2.0


def test_log_that_was_rotated_away_is_noticed_and_goes_on() -> None:
    log = log_of([(0, b"one", True), (1, b"two", True), (5 * 10**9, b"six", True), (1, b"seven", True)])
    reading = LogCursor(None)
    reading.begin()
    assert reading.feed(served(log[:2], None)) == b"one\ntwo\n"
    reading.begin()
    assert reading.feed(served(log[2:], None)) == b"six\nseven\n"
    assert reading.gap


def test_rotated_log_with_nothing_far_enough_is_given_at_its_end() -> None:
    log = log_of([(0, b"one", True), (1, b"two", True), (5, b"three", True), (1, b"fo", False)])
    reading = LogCursor(Position(stamp(log[1].at), 1, 4))
    reading.begin()
    assert reading.feed(served(log[2:], None)) == b""
    assert not reading.gap
    assert reading.finish() == b"three\nfo"
    assert reading.gap


LAST = datetime(2023, 11, 14, 22, 0, 0, 500_000, UTC)
"""When the only line was written that had come before the node rotated its log."""


@pytest.mark.parametrize(
    ("quiet", "step", "gap"),
    [
        (20, None, False),  # all had come, and there is nothing else
        (None, None, True),  # the stream had broken off
        (300, 320, False),  # nothing was written before it was asked for anew
        (300, 200, True),  # the stream was dead without saying so
        (2, 3, True),  # it wrote all the time: some of it may have been rotated away in between
        (None, 320, True),
    ],
)
def test_rotated_log_has_a_gap_only_if_something_may_have_been_written_there(
    quiet: int | None, step: int | None, gap: bool
) -> None:
    log = log_of([(0, b"one", True), ((step or 0) * 10**9, b"two", True)])
    reading = LogCursor(None)
    reading.begin()
    reading.feed(served(log[:1], None))
    reading.begin(None if quiet is None else LAST + timedelta(seconds=quiet))
    rest = reading.feed(served(log[1:], None) if step else b"") + reading.finish()
    assert rest == (b"two\n" if step else b"")
    assert reading.gap == gap


def test_words_of_the_node_are_no_lines_of_the_job() -> None:
    reading = LogCursor(None)
    reading.begin()
    assert reading.feed(b"unable to retrieve container ") + reading.feed(b"logs for containerd://ab\n") == b""
    assert reading.position is None
    assert reading.trouble == b"unable to retrieve container logs for containerd://ab\n"
    line = b"2023-11-14T22:13:20.123456789Z one\n"
    assert reading.feed(line + b"failed to watch: too many open files\n" + line) == b"one\none\n"
    assert b"too many open files" in reading.trouble
