"""What a container wrote, on its way into the log that is kept."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.container.entries import Entries, Frames, Parser
from executor.logs.collector import LogCollector
from executor.logs.logfile import LogWriter

TIME = b"2026-11-20T22:09:51.880458916+00:00"

pieces = st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=60)), max_size=12)
cuts = st.integers(1, 40)


def entries(written: list[tuple[str, bytes]]) -> bytes:
    """What conmon makes of it: a line in an entry of its own, and what comes after the last one too."""
    out = []
    for stream, data in written:
        *lines, rest = data.split(b"\n")
        out += [b"%s %s F %s\n" % (TIME, stream.encode(), line) for line in lines]
        out += [b"%s %s P %s\n" % (TIME, stream.encode(), rest)] if rest else []
    return b"".join(out)


def fed(parser: Parser, data: bytes, cut: int) -> bytes:
    return b"".join(parser.feed(data[at : at + cut]) for at in range(0, len(data), cut))


@given(pieces, cuts)
def test_file_gives_every_byte_however_it_is_cut(written: list[tuple[str, bytes]], cut: int) -> None:
    assert fed(Entries(), entries(written), cut) == b"".join(data for _, data in written)


def test_text_that_looks_like_an_entry_stays_text() -> None:
    line = TIME + b" stdout P not an entry\n"
    assert Entries().feed(TIME + b" stdout F " + line) == line
    assert Entries().feed(TIME + b" stderr P " + line + TIME + b" stdout F \n") == line.rstrip(b"\n") + b"\n"


@given(pieces, cuts)
def test_stream_gives_every_byte_however_it_is_cut(written: list[tuple[str, bytes]], cut: int) -> None:
    stream = b"".join(
        bytes([1 if name == "stdout" else 2, 0, 0, 0]) + len(data).to_bytes(4, "big") + data
        for name, data in written
    )
    assert fed(Frames(), stream, cut) == b"".join(data for _, data in written)


def keep(directory: Path, data: bytes, *, until: int, kept: int, secrets: list[bytes]) -> None:
    """Take the first `until` bytes of what the engine tells, in a bot that finds `kept` bytes."""
    keeping = LogCollector(LogWriter(str(directory), 1 << 20), secrets, kept)
    keeping.take(Entries().feed(data[:until]))
    if until >= len(data):
        keeping.end(["a note"])
    else:
        keeping.close()


def content(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()) if path.name.isdigit())


@pytest.mark.parametrize("until", range(0, 420, 7))
def test_another_bot_goes_on_with_the_log_without_a_byte_lost_or_doubled(tmp_path: Path, until: int) -> None:
    secret = b"correct-horse"
    lines = [b"one\n", b"x correct-horse y\n", b"correct-", b"horse", b" part\n", b"end\n"]
    data = entries([("stdout", line) for line in lines])
    keep(tmp_path / "log", data, until=until, kept=0, secrets=[secret])
    kept = len(content(tmp_path / "log"))
    keep(tmp_path / "log", data, until=len(data), kept=kept, secrets=[secret])
    assert content(tmp_path / "log") == b"one\nx *** y\n*** part\nend\na note\n"


def test_log_that_cannot_be_written_is_said_and_not_raised(tmp_path: Path) -> None:
    log = LogWriter(str(tmp_path / "log"), 1 << 20)
    keeping = LogCollector(log, [], 0)
    log.close()
    keeping.take(b"lost\n")
    assert keeping.problem is not None
    assert "not complete" in keeping.problem
