"""Deliveries a second while 1,000 idle connections stand and 50 stall in a body, against none of them.

The same door, with its store, in turns; the connections are held by a process of its own.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.harness import ROOT, WORK, Row, free_port, load, median_ratio, server

ROUNDS = 5
SECONDS = 3.0
"""One turn of load; with and without the crowd there is one such turn per round."""

NAME = "deliveries beside 1,000 idle and 50 stalled connections"


async def rows() -> list[Row]:
    """The rate beside them, against the rate alone."""
    WORK.mkdir(parents=True, exist_ok=True)
    beside: list[float] = []
    alone: list[float] = []
    tails: list[float] = []
    with tempfile.TemporaryDirectory(dir=WORK) as directory:
        port = free_port()
        door = (sys.executable, "-m", "benchmarks.door", str(port), f"sqlite:///{directory}/errand.db")
        async with server(door, port):
            await load(port, seconds=SECONDS / 2)  # warms it up
            for _ in range(ROUNDS):
                alone.append((await load(port, seconds=SECONDS)).rate)
                async with _crowd(port):
                    turn = await load(port, seconds=SECONDS)
                if turn.refused:
                    raise RuntimeError(f"{turn.refused} deliveries were refused")
                beside.append(turn.rate)
                tails.append(turn.p99)
    note = f"p99 beside them {statistics.median(tails):.1f} ms"
    ratio = median_ratio(beside, alone)
    return [Row(NAME, statistics.median(beside), statistics.median(alone), ratio, "1/s", 0.9, note=note)]


@asynccontextmanager
async def _crowd(port: int) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "benchmarks.crowd", str(port)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(30):
            if process.stdout is None or await process.stdout.readline() != b"standing\n":
                raise RuntimeError("the connections do not stand")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
