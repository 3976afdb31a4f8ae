"""The whole service: from a comment to its process, runs of `true`, the supervisor's cost, idle memory.

Measured on `errand serve` as a process of its own between the stand-ins, with SQLite and the process
engine; the peers are bare subprocesses and the bare route, in turns with it.
"""

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.harness import Row, free_port, prepared, server
from demo.installation import Installation, installation
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import RunSpec
from executor.supervisor import record

STARTS = 30
RUNS = 200
COMMENTS = 20
"""Comments with ten commands each make up the runs."""
SUPERVISED = 50
BUDGET_START_MS, BUDGET_CPU_MS, BUDGET_MEMORY_MB, PROMISED_RUNS = 50.0, 3.0, 150.0, 50.0

CONFIG = """
limits: {runs: 40}
jobs:
  mark:
    command: 'date +%s.%N > "$MARK"'
    parameters: {MARK: {required: true}}
  "true": {command: ["true"]}
"""


async def rows() -> list[Row]:
    """Time to start, runs a second, the supervisor's processor time, memory of the idle service."""
    with prepared(CONFIG) as place:
        sample = place / "sample"
        made = [await _memory(place / "memory", place / "app.yaml", sample)]
        async with installation(place / "errand", config=place / "app.yaml", sample=sample) as errand:
            made += [await _start(errand, place), await _runs(errand)]
        return [*made, await _supervisor(place)]


async def _start(errand: Installation, place: Path) -> Row:
    """From the 202 for a comment to the first instruction of its job, against the same shell alone."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(STARTS + 2):
        mark = place / f"mark-{number}"
        await errand.comment(f"/job run mark MARK={mark}")
        accepted = time.time()
        await errand.wait_for(lambda n=number: errand.has_logged("run.finished", n + 1), 30)  # type: ignore[misc]
        ours.append((float(mark.read_text()) - accepted) * 1000)
        began = time.time()
        subprocess.run(
            ["sh", "-c", 'date +%s.%N > "$MARK"'], env={**os.environ, "MARK": str(mark)}, check=True
        )
        bare.append((float(mark.read_text()) - began) * 1000)
    beyond = statistics.median(our - peer for our, peer in zip(ours[2:], bare[2:], strict=True))
    note = f"slowest of {STARTS}: {max(ours[2:]):.0f} ms; two of GitHub's answers are waited for"
    name = "comment to process, beyond a subprocess, of 50 ms"
    return Row(
        name,
        statistics.median(ours[2:]),
        statistics.median(bare[2:]),
        beyond / BUDGET_START_MS,
        "ms",
        1.0,
        True,
        note,
    )


async def _runs(errand: Installation) -> Row:
    """Runs of `true` a second, from the first comment to the last stored end, cards included."""
    before = STARTS + 2
    began = time.perf_counter()
    for _ in range(COMMENTS):
        await errand.comment("/job run true\n" * (RUNS // COMMENTS))
    numbers = range(before + 1, before + RUNS + 1)
    await errand.wait_for(lambda: errand.ended(numbers), 120)
    rate = RUNS / (time.perf_counter() - began)
    began = time.perf_counter()
    free = asyncio.Semaphore(10)

    async def bare() -> None:
        async with free:
            await (await asyncio.create_subprocess_exec("true")).wait()

    await asyncio.gather(*(bare() for _ in range(RUNS)))
    peer = RUNS / (time.perf_counter() - began)
    note = f"the promise is {PROMISED_RUNS:.0f} a second; the peer stores, logs and tells nothing"
    return Row(
        "runs of true, end to end", rate, peer, rate / peer, "1/s", round(PROMISED_RUNS / peer, 3), note=note
    )


async def _supervisor(place: Path) -> Row:
    """Processor time of one supervisor, as it records it at its end, against that of `true` itself."""
    logs = LogStore(place / "logs", 1 << 20)
    engine = ProcessEngine(place / "work", logs)
    await engine.open()
    spent: list[float] = []
    bare: list[float] = []
    try:
        for number in range(SUPERVISED):
            key = f"true-{number}"
            async for _ in engine.run(RunSpec(key=key, command=("true",))):
                pass
            status = record.read_status(str(place / "work" / "runs" / key))
            spent.append(float((status or {})["cpu"]) * 1000)
            before = _children()
            subprocess.run(["true"], check=True)
            bare.append((_children() - before) * 1000)
    finally:
        await engine.close()
    ours, peer = statistics.median(spent), statistics.median(bare)
    note = f"{BUDGET_CPU_MS:.0f} ms are allowed"
    return Row("processor time of a supervisor", ours, peer, ours / BUDGET_CPU_MS, "ms", 1.0, True, note)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _memory(home: Path, config: Path, sample: Path) -> Row:
    """Resident memory of the idle service, against the bare route's."""
    async with AsyncExitStack() as stack:
        home.mkdir()
        errand = await stack.enter_async_context(installation(home, config=config, sample=sample))
        port = free_port()
        door = [sys.executable, "-m", "benchmarks.door", str(port)]
        bare = await stack.enter_async_context(server(door, port))
        ours, peer = resident(errand.pid), resident(bare)
    note = f"{BUDGET_MEMORY_MB:.0f} MB are allowed"
    return Row("memory of the idle service", ours, peer, ours / BUDGET_MEMORY_MB, "MB", 1.0, True, note)


def resident(pid: int) -> float:
    """Megabytes; with `ps`, which Linux and macOS have."""
    result = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(result.stdout) / 1024
