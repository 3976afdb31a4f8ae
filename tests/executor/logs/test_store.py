import asyncio
import math
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.watched import PATIENCE
from executor.logs import logfile, moments
from executor.logs.logfile import LogWriter
from executor.logs.store import MOST_BESIDE, LogChunk, LogStore

SMALL = logfile.SMALLEST
HALF = SMALL // 2


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path / "logs", SMALL)


def writer(logs: LogStore, key: str = "log") -> LogWriter:
    return LogWriter(logs.path(key), logs.max_size)


def entries(logs: LogStore) -> list[os.stat_result]:
    return [entry.stat() for entry in os.scandir(logs.path("log")) if entry.name != moments.NAME]


async def read(logs: LogStore, offset: int = 0) -> bytes:
    return b"".join([chunk.data async for chunk in logs.read("log", offset=offset)])


async def test_what_was_written_is_read_from_any_offset(logs: LogStore) -> None:
    log = writer(logs)
    for line in range(100):
        log.write(b"line %d\n" % line)
    log.close()
    whole = await read(logs)
    assert whole == b"".join(b"line %d\n" % line for line in range(100))
    for offset in (0, 1, 17, len(whole) - 1, len(whole), len(whole) + 5):
        assert await read(logs, offset) == whole[offset:]


async def test_follower_gets_every_byte_once_and_ends_with_the_log(logs: LogStore) -> None:
    got: list[LogChunk] = []

    async def follow() -> None:
        got.extend([chunk async for chunk in logs.read("log", follow=True)])

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    log = writer(logs)
    wanted = b""
    for line in range(50):
        log.write(b"line %d\n" % line)
        wanted += b"line %d\n" % line
        logs.wake("log")
        if line % 7 == 0:
            await asyncio.sleep(0.001)
    assert not following.done()
    log.finish()
    logs.wake("log")
    await asyncio.wait_for(following, PATIENCE)
    assert b"".join(chunk.data for chunk in got) == wanted
    assert [chunk.start for chunk in got[1:]] == [chunk.end for chunk in got[:-1]]


async def test_full_log_keeps_its_head_and_its_newest_bytes(logs: LogStore) -> None:
    log = writer(logs)
    written = b"".join(b"%09d\n" % line for line in range(SMALL))
    for at in range(0, len(written), 1000):
        log.write(written[at : at + 1000])
    log.finish()
    assert sum(entry.st_size for entry in entries(logs)) <= SMALL
    chunks = [chunk async for chunk in logs.read("log", follow=True)]
    assert [chunk.start for chunk in chunks[2:]] == [chunk.end for chunk in chunks[1:-1]]
    [note] = [chunk for chunk in chunks if "left out" in chunk.data.decode(errors="replace")]
    left_out = note.end - HALF
    assert note.data.decode() == f"\n[… {left_out:,} bytes left out …]\n"
    assert await read(logs) == written[:HALF] + note.data + written[note.end :]
    assert chunks[-1].end == len(written) == await logs.size("log")


@pytest.mark.parametrize("offset", [HALF - 10, HALF, HALF + 10, SMALL])
async def test_reading_goes_on_from_an_offset_at_or_in_the_gap(logs: LogStore, offset: int) -> None:
    log = writer(logs)
    log.write(b"x" * (10 * SMALL))
    log.finish()
    chunks = [chunk async for chunk in logs.read("log", offset=offset)]
    notes = [chunk for chunk in chunks if "left out" in chunk.data.decode()]
    assert len(notes) == 1
    assert f"{notes[0].end - max(offset, HALF):,} bytes" in notes[0].data.decode()
    assert chunks[-1].end == 10 * SMALL
    again = [chunk async for chunk in logs.read("log", offset=notes[0].end)]
    assert again == chunks[chunks.index(notes[0]) + 1 :]


@settings(max_examples=40, deadline=None)
@given(pieces=st.lists(st.integers(1, SMALL // 3), max_size=30), reopened=st.sets(st.integers(0, 29)))
def test_writer_goes_on_where_another_stopped(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], reopened: set[int]
) -> None:
    logs = LogStore(tmp_path_factory.mktemp("logs"), SMALL)
    log, written = writer(logs), 0
    for number, size in enumerate(pieces):
        if number in reopened:
            log.finish()
            log = writer(logs)
        log.write(bytes((written + at) % 251 for at in range(size)))
        written += size
    log.finish()

    async def check() -> None:
        assert await logs.size("log") == written
        end = 0
        async for chunk in logs.read("log", follow=True):
            if b"left out" not in chunk.data:
                assert chunk.start == end
                assert chunk.data == bytes((chunk.start + at) % 251 for at in range(len(chunk.data)))
            end = chunk.end
        assert end == written

    asyncio.run(check())


async def test_slow_reader_of_a_full_log_is_told_what_it_missed(logs: LogStore) -> None:
    log = writer(logs)
    log.write(b"a" * HALF)
    reading = logs.read("log", follow=True)
    first = await anext(reading)
    log.write(b"b" * 5 * SMALL)
    log.finish()
    rest = [chunk async for chunk in reading]
    assert first.end == HALF
    assert "bytes left out" in rest[0].data.decode()
    assert rest[0].end == rest[1].start
    assert rest[-1].end == HALF + 5 * SMALL


async def test_tail_is_plain_and_bounded(logs: LogStore) -> None:
    log = writer(logs)
    log.write(b"first\n" * 2000)
    log.write(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07text\x1b(B\r\n")
    log.write(b" 10%\r 50%\r100%\n")
    log.write(b"bell\x07 \xff\xe2\x82 tab\there\n")
    log.write(b"y" * 5000 + b"\n")
    log.write(b"open")
    log.close()
    lines = await logs.tail("log", 5)
    assert lines[:3] == ["red text", "100%", "bell �� tab\there"]
    assert lines[3] == "y" * 499 + "…"
    assert lines[4] == "open"
    assert await logs.tail("log", 1) == ["open"]
    assert len(await logs.tail("log", 10**9)) == 1000
    assert await logs.tail("other") == []


async def test_tail_of_one_endless_line_is_a_bounded_piece_of_it(logs: LogStore) -> None:
    log = writer(logs)
    log.write(b"z" * 3 * SMALL)
    log.close()
    assert await logs.tail("log") == ["z" * 499 + "…"]


async def test_tail_across_files_has_no_gap_in_it(logs: LogStore) -> None:
    log = writer(logs)
    for line in range(40_000):
        log.write(b"%d\n" % line)
    log.close()
    assert await logs.tail("log", 1000) == [str(line) for line in range(39_000, 40_000)]


async def test_log_is_for_its_owner_alone(logs: LogStore) -> None:
    log = writer(logs)
    log.write(b"x" * SMALL)
    log.finish()
    assert stat.S_IMODE(os.stat(logs.path("log")).st_mode) == 0o700
    assert {stat.S_IMODE(entry.st_mode) for entry in entries(logs)} == {0o600}


async def test_removing_a_log_ends_its_followers(logs: LogStore) -> None:
    log = writer(logs)
    log.write(b"gone soon")
    reading = logs.read("log", follow=True)
    assert (await anext(reading)).data == b"gone soon"
    rest = asyncio.create_task(_rest(reading))
    await asyncio.sleep(0)
    log.close()
    await logs.remove("log")
    await asyncio.wait_for(rest, PATIENCE)
    assert await logs.size("log") is None
    await logs.remove("log")


async def test_finishing_a_log_that_nobody_wrote_makes_an_empty_one(logs: LogStore) -> None:
    following = asyncio.create_task(_rest(logs.read("log", follow=True)))
    await asyncio.sleep(0)
    await logs.finish("log")
    await asyncio.wait_for(following, PATIENCE)
    assert await logs.size("log") == 0
    assert await read(logs) == b""


@pytest.mark.parametrize("key", ["..", "a/b", "A", "-a", "", "a\0", "é", "a\n"])
async def test_key_that_could_leave_the_directory_is_refused(logs: LogStore, key: str) -> None:
    for asked in (logs.tail(key), logs.size(key), logs.remove(key), logs.finish(key)):
        with pytest.raises(ValueError, match="not a key"):
            await asked
    with pytest.raises(ValueError, match="not a key"):
        await anext(logs.read(key))


async def test_negative_offset_is_refused(logs: LogStore) -> None:
    with pytest.raises(ValueError, match="negative"):
        await anext(logs.read("log", offset=-1))


async def _rest(reading: AsyncIterator[LogChunk]) -> None:
    async for _ in reading:
        continue


async def test_only_logs_that_ended_long_ago_are_pruned(tmp_path: Path) -> None:
    logs = LogStore(tmp_path, 1 << 20)
    for key in ("old", "new"):
        await logs.finish(key)
    os.utime(tmp_path / "old" / "end", (1000.0, 1000.0))
    (tmp_path / "open").mkdir()
    await logs.prune(before=2000.0)
    assert sorted(os.listdir(tmp_path)) == ["new", "open"]


async def test_follower_sees_what_another_machine_writes_into_a_shared_directory(tmp_path: Path) -> None:
    here = LogStore(tmp_path, 1 << 20, shared=True)
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def follow() -> None:
        async for chunk in here.read("log", follow=True):
            got.put_nowait(chunk.data)

    async with asyncio.timeout(PATIENCE):
        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        there = writer(LogStore(tmp_path, 1 << 20))  # which wakes nobody here
        for line in (b"one\n", b"two\n"):
            there.write(line)
            assert await got.get() == line
        there.finish()
        await following


async def test_follower_of_a_shared_directory_notices_that_the_log_was_removed(tmp_path: Path) -> None:
    here, there = LogStore(tmp_path, 1 << 20, shared=True), LogStore(tmp_path, 1 << 20)
    log = writer(there)
    log.write(b"one\n")
    chunks = here.read("log", follow=True)
    async with asyncio.timeout(PATIENCE):
        assert (await anext(chunks)).data == b"one\n"
        await there.remove("log")
        assert [chunk async for chunk in chunks] == []
    log.close()


async def test_logs_beside_another_go_with_it(tmp_path: Path) -> None:
    logs = LogStore(tmp_path, 1 << 30)
    beside = logs.beside("run-1")
    assert logs.beside("run-1") is beside
    assert (await beside.names(), beside.max_size) == ([], MOST_BESIDE)
    writer = LogWriter(beside.path("mesh"), beside.max_size)
    writer.write(b"hello\n")
    writer.finish()
    assert await beside.names() == ["mesh"]
    assert await logs.size("run-1") == 0
    assert await logs.prune(before=math.inf) is None
    assert await beside.names() == ["mesh"]  # the log that they are beside has not ended
    await logs.finish("run-1")
    await logs.prune(before=math.inf)
    assert await beside.names() == []
