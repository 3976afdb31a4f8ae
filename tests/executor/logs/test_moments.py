import os
from pathlib import Path

import pytest

from executor.logs import logfile, moments
from executor.logs.logfile import LogWriter
from executor.logs.moments import APART_MS, NAME, between

NOW = 1_800_000_000_000


class Clock:
    """Milliseconds since the epoch, as they are set."""

    def __init__(self) -> None:
        self.now = NOW

    def time_ns(self) -> int:
        return self.now * 1_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(moments, "time", clock)
    return clock


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> LogWriter:
    return LogWriter(str(tmp_path / "log"), logfile.SMALLEST)


def size_of(tmp_path: Path) -> int:
    return os.stat(tmp_path / "log" / NAME).st_size


def test_every_byte_has_the_moment_at_which_it_was_kept(tmp_path: Path, clock: Clock, log: LogWriter) -> None:
    for number in range(300):
        log.write(b"%03d\n" % number)
        clock.now += 1000
    for number in (0, 1, 7, 298, 299):
        found = between(str(tmp_path / "log"), 4 * number, 4 * number + 4)
        assert [found.of(4 * number + at) for at in range(4)] == [NOW + 1000 * number] * 4
    whole = between(str(tmp_path / "log"), 0, 1200)
    assert [whole.of(4 * number) for number in range(300)] == [NOW + 1000 * number for number in range(300)]


def test_what_is_kept_within_the_same_moment_shares_an_entry(
    tmp_path: Path, clock: Clock, log: LogWriter
) -> None:
    for _ in range(APART_MS):
        log.write(b"x\n")
        clock.now += 1
    assert size_of(tmp_path) == 16
    log.write(b"y\n")
    assert size_of(tmp_path) == 32
    assert between(str(tmp_path / "log"), 0, 99).of(2 * APART_MS) == NOW + APART_MS


def test_log_without_moments_has_none(tmp_path: Path) -> None:
    found = between(str(tmp_path), 0, 10)
    assert not found
    assert found.of(3) is None


def test_clock_that_is_set_back_is_told_as_it_was(tmp_path: Path, clock: Clock, log: LogWriter) -> None:
    log.write(b"x")
    clock.now -= 5000
    log.write(b"y")
    assert between(str(tmp_path / "log"), 0, 2).of(1) == NOW - 5000


def test_moments_have_a_bound_and_stay_in_order(tmp_path: Path, clock: Clock, log: LogWriter) -> None:
    for _ in range(5000):
        log.write(b"x\n")
        clock.now += 1000
    assert size_of(tmp_path) <= logfile.SMALLEST // 8
    whole = between(str(tmp_path / "log"), 0, 10_000)
    kept = [whole.of(2 * number) for number in range(5000)]
    late = [NOW + 1000 * number - (at or 0) for number, at in enumerate(kept)]
    assert min(late) >= 0
    assert max(late) <= 60_000
    assert kept[0] == NOW


def test_moments_of_what_the_log_lost_make_room_first(tmp_path: Path, clock: Clock, log: LogWriter) -> None:
    line = b"x" * 1023 + b"\n"
    for _ in range(2000):
        log.write(line)
        clock.now += 1000
    starts = logfile.starts(str(tmp_path / "log"))
    for offset in range(starts[1], 2000 * 1024, 1024):  # what is left, to the millisecond
        assert between(str(tmp_path / "log"), offset, offset + 1).of(offset) == NOW + offset // 1024 * 1000


def test_writer_goes_on_after_one_that_died_within_an_entry(
    tmp_path: Path, clock: Clock, log: LogWriter
) -> None:
    log.write(b"one\n")
    log.close()
    with open(tmp_path / "log" / NAME, "ab") as file:
        file.write((400).to_bytes(8, "little") + NOW.to_bytes(8, "little") + b"\1\2\3")
    clock.now += 60_000
    again = LogWriter(str(tmp_path / "log"), logfile.SMALLEST)
    again.write(b"two\n")
    found = between(str(tmp_path / "log"), 0, 8)
    assert (found.of(0), found.of(4)) == (NOW, NOW + 60_000)
    assert size_of(tmp_path) == 32


def test_log_goes_on_where_moments_cannot_be_written(tmp_path: Path, clock: Clock) -> None:
    os.makedirs(tmp_path / "log" / NAME)
    log = LogWriter(str(tmp_path / "log"), logfile.SMALLEST)
    log.write(b"one\n")
    log.finish()
    assert (tmp_path / "log" / f"{0:020d}").read_bytes() == b"one\n"
