"""What a run of `true` costs the service in processor time, counted in requests to the bare route.

Of `errand serve` alone, without the stand-ins, the job and its supervisor. Once from the delivery of a
comment to the last edit of its card, which goes to the stand-in over HTTP; once started over the API, with
nothing posted. Each run is of a job of its own: one that is repeated on a pull request folds the older card
away, which is a call to GitHub more. The bare route is loaded before and after, on the same machine.
"""

import asyncio
import os
import statistics
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import httpx

from benchmarks.harness import Row, free_port, load, prepared, server
from demo.installation import Installation, installation

RUNS, WARM = 200, 20

SECONDS = 1.5
"""One turn of load of the bare route."""

REST_S = 2.5
"""After the end of the last run, until its card says so: edits of one card are a second apart."""

AIM = 70.0
NAMES = (
    "processor time of a run of true, in bare requests",
    "the same of a run that is posted nowhere",
)

CONFIG = "limits: {runs: 40}\njobs:\n" + "".join(
    f'  "true-{number}": {{command: ["true"]}}\n' for number in range(1, RUNS + WARM + 1)
)


async def rows() -> list[Row]:
    """Milliseconds of a run and of a bare request, and how many of the latter make up the former."""
    if not Path("/proc/self/stat").exists():
        note = "not measured: there is no /proc here"
        return [Row(name, None, None, None, "ms", AIM, True, note) for name in NAMES]
    async with AsyncExitStack() as stack:
        place = stack.enter_context(prepared(CONFIG))
        errand = await stack.enter_async_context(
            installation(place / "errand", config=place / "app.yaml", sample=place / "sample")
        )
        port = free_port()
        bare = await stack.enter_async_context(
            server([sys.executable, "-m", "benchmarks.door", str(port)], port)
        )
        headers = {"authorization": f"Bearer {await errand.token('bench', 'admin')}"}
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=errand.url, headers=headers, trust_env=False, timeout=60.0)
        )
        ways = (partial(_by_comments, errand), partial(_by_calls, client))
        measured: list[Row] = []
        number = 1
        await load(port, seconds=SECONDS)
        for name, start in zip(NAMES, ways, strict=True):
            await _runs(errand, start, number, range(1, WARM + 1))
            before = await _request(bare, port)
            run = await _runs(errand, start, number + WARM, range(WARM + 1, WARM + RUNS + 1))
            request = statistics.mean([before, await _request(bare, port)])
            number += WARM + RUNS
            measured.append(Row(name, run, request, run / request, "ms", AIM, True, f"mean of {RUNS} runs"))
    return measured


async def _runs(
    errand: Installation, start: Callable[[range], Awaitable[None]], first: int, jobs: range
) -> float:
    """Milliseconds of the service for a run of each of `jobs`, the first of which gets the number `first`."""
    began = _spent(errand.pid)
    await start(jobs)
    await errand.wait_for(lambda: errand.ended(range(first, first + len(jobs))), 120)
    await asyncio.sleep(REST_S)
    return (_spent(errand.pid) - began) / len(jobs)


async def _by_comments(errand: Installation, jobs: range) -> None:
    """Ten commands in each comment."""
    for at in range(0, len(jobs), 10):
        await errand.comment("".join(f"/job run true-{job}\n" for job in jobs[at : at + 10]))


async def _by_calls(client: httpx.AsyncClient, jobs: range) -> None:
    """Ten calls at once."""
    free = asyncio.Semaphore(10)

    async def call(job: int) -> None:
        async with free:
            (await client.post(f"/api/jobs/true-{job}/start", json={})).raise_for_status()

    await asyncio.gather(*map(call, jobs))


async def _request(pid: int, port: int) -> float:
    """Milliseconds of the bare route for one request."""
    began = _spent(pid)
    turn = await load(port, seconds=SECONDS)
    return (_spent(pid) - began) / (turn.rate * SECONDS)


def _spent(pid: int) -> float:
    """Processor time of a process so far, milliseconds: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
