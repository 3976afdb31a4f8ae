"""What becomes of a job's output, on every engine."""

import asyncio
import json
import re

from executor.logs.store import LogChunk
from executor.spec import Result
from tests.contract.cases import MAX_LOG, EngineCase, ended, seen, sh, text


async def test_both_outputs_come_in_the_order_in_which_they_were_written(case: EngineCase, key: str) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done"
    await ended(case.engine.run(sh(key, script, image=await case.image())))
    wanted = "".join(f"out {i}\nerr {i}\n" for i in range(1, 10))
    assert await text(case.logs, key) == wanted


async def test_flood_keeps_both_ends_and_says_once_what_is_missing(case: EngineCase, key: str) -> None:
    script = "seq 1 200000"
    await ended(case.engine.run(sh(key, script, image=await case.image())))
    written = "".join(f"{i}\n" for i in range(1, 200001)).encode()
    chunks = [chunk async for chunk in case.logs.read(key, follow=True)]
    log = b"".join(chunk.data for chunk in chunks).decode()
    notes = re.findall(r"\n\[… ([\d,]+) bytes left out …\]\n", log)
    assert len(notes) == 1
    head, tail = re.split(r"\n?\[… [\d,]+ bytes left out …\]\n", log)
    assert written.startswith(head.encode())
    assert written.endswith(tail.encode())
    assert len(head) >= MAX_LOG // 2 - 1
    assert len(tail) >= MAX_LOG * 7 // 16
    assert len(log) <= MAX_LOG + 100
    assert await case.logs.size(key) == len(written) == chunks[-1].end
    assert await case.logs.tail(key, 2) == ["199999", "200000"]


async def test_any_bytes_are_kept_as_they_are(case: EngineCase, key: str) -> None:
    script = r"printf '\000\377\376\r\n\r\033[31mred'; head -c 100000 /dev/zero | tr '\0' x"
    await ended(case.engine.run(sh(key, script, image=await case.image())))
    data = b"".join([chunk.data async for chunk in case.logs.read(key)])
    assert data == b"\0\xff\xfe" + case.end_of_line + b"\r\x1b[31mred" + b"x" * 100_000


async def test_one_line_of_50_megabytes_arrives_whole(case: EngineCase, key: str) -> None:
    script = "printf begin; head -c 50000000 /dev/zero | tr '\\0' x; echo end"
    outcome = await ended(case.engine.run(sh(key, script, image=await case.image())))
    assert outcome.result is Result.SUCCEEDED
    chunks = [chunk async for chunk in case.logs.read(key)]
    assert chunks[0].data.startswith(b"beginxxx")
    assert chunks[-1].data.endswith(b"xxxend\n")
    assert chunks[-1].end == len("begin") + 50_000_000 + len("end\n")


async def test_output_is_seen_as_it_comes(case: EngineCase, key: str) -> None:
    spec = sh(key, f"printf '{case.first_words}'; sleep 60", image=await case.image())
    running = asyncio.create_task(ended(case.engine.run(spec)))
    await seen(case.logs, key, b"line")
    assert not running.done()
    await case.engine.stop(key)
    await running


async def test_log_of_a_run_that_never_started_ends(case: EngineCase, key: str) -> None:
    await ended(case.engine.run(sh(key, "true", image="no-such-image@nowhere")))
    assert await text(case.logs, key)


async def test_another_bot_takes_over_when_one_is_killed(case: EngineCase, key: str) -> None:
    script = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; sleep 0.002; done; exit 4"
    spec = sh(key, script, image=await case.image())
    bot = case.watch_elsewhere(spec)
    assert bot.stdout is not None
    offset, log, progress = 0, "", []
    while "line 50\n" not in log:
        said = json.loads(await asyncio.to_thread(bot.stdout.readline))
        if "progress" in said:
            progress.append(said["progress"])
        else:
            assert said["start"] == offset
            log += said["data"]
            offset += len(said["data"])
    bot.kill()
    await asyncio.to_thread(bot.wait)
    bot.stdout.close()
    outcome = asyncio.create_task(ended(case.engine.run(spec)))
    rest: list[LogChunk] = [chunk async for chunk in case.logs.read(key, offset=offset, follow=True)]
    assert log + b"".join(chunk.data for chunk in rest).decode() == "".join(
        f"line {i}\n" for i in range(1, 301)
    )
    assert ((await outcome).result, (await outcome).exit_code) == (Result.FAILED, 4)
    assert [kind for kind in progress if kind != "Pending"] == ["Started"]


async def test_two_bots_at_once_start_a_run_once(case: EngineCase, key: str) -> None:
    spec = sh(key, "echo once; sleep 0.2", image=await case.image())
    bots = [case.watch_elsewhere(spec) for _ in range(2)]
    outcome = await ended(case.engine.run(spec))
    for bot in bots:
        said, _ = await asyncio.to_thread(bot.communicate)
        told = [json.loads(line)["progress"] for line in said.splitlines() if b"progress" in line]
        assert [kind for kind in told if kind != "Pending"] == ["Started", "Outcome"]
    assert outcome.result is Result.SUCCEEDED
    assert await text(case.logs, key) == "once\n"
