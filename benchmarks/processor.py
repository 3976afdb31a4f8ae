"""What a run of `true` costs the service in processor time, counted in requests to the bare route.

Of `errand serve` alone, without the stand-ins, the job and its supervisor: from the delivery of the comment
to the last edit of the card. The bare route is loaded before and after, so that both meet the same machine.
"""

import asyncio
import os
import statistics
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.harness import Row, free_port, load, prepared, server
from demo.installation import Installation, installation

RUNS, COMMENTS = 200, 20
"""Comments with ten commands each make up the runs."""

SECONDS = 1.5
"""One turn of load of the bare route."""

REST_S = 2.5
"""After the end of the last run, until its card says so: edits of one card are a second apart."""

AIM = 70.0
NAME = "processor time of a run of true, in bare requests"

CONFIG = """
limits: {runs: 40}
jobs:
  "true": {command: ["true"]}
"""


async def rows() -> list[Row]:
    """Milliseconds of a run and of a bare request, and how many of the latter make up the former."""
    if not Path("/proc/self/stat").exists():
        return [Row(NAME, None, None, None, "ms", AIM, True, "not measured: there is no /proc here")]
    async with AsyncExitStack() as stack:
        place = stack.enter_context(prepared(CONFIG))
        errand = await stack.enter_async_context(
            installation(place / "errand", config=place / "app.yaml", sample=place / "sample")
        )
        port = free_port()
        bare = await stack.enter_async_context(
            server([sys.executable, "-m", "benchmarks.door", str(port)], port)
        )
        await _runs(errand, 1, COMMENTS)
        await load(port, seconds=SECONDS)
        before = await _request(bare, port)
        run = await _runs(errand, COMMENTS + 1, RUNS)
        request = statistics.mean([before, await _request(bare, port)])
    return [Row(NAME, run, request, run / request, "ms", AIM, True, f"mean of {RUNS} runs")]


async def _runs(errand: Installation, first: int, count: int) -> float:
    """Milliseconds of the service for each of `count` runs, the first of which gets the number `first`."""
    began = _spent(errand.pid)
    for _ in range(count // 10):
        await errand.comment("/job run true\n" * 10)
    await errand.wait_for(lambda: errand.ended(range(first, first + count)), 120)
    await asyncio.sleep(REST_S)
    return (_spent(errand.pid) - began) / count


async def _request(pid: int, port: int) -> float:
    """Milliseconds of the bare route for one request."""
    began = _spent(pid)
    turn = await load(port, seconds=SECONDS)
    return (_spent(pid) - began) / (turn.rate * SECONDS)


def _spent(pid: int) -> float:
    """Processor time of a process so far, milliseconds: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
