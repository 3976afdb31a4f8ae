"""Starting a job over the API: how long an answer takes at 200 a second, each a run stored with its fsync.

Measured on `errand serve` as a process of its own with SQLite, as programs meet it: one connection per caller
that is kept open, requests sent by the clock and not when the one before is answered. The runs wait for the
only place of `limits.runs`, which a long one has, so what is measured is the door and not the processes. The
peer is the same server answering /healthz at the same pace.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import httpx

from benchmarks.harness import Row, prepared
from demo.installation import Installation, installation

RATE, SECONDS, WARM = 200, 10, 100
PROMISED_MS = 10.0
WAIT_S, MOST = 60.0, 200
"""How long a call waits for its answer and for one of so many connections: slowness is a figure, no error."""

CONFIG = """
limits: {runs: 1}
jobs:
  long: {command: ["sleep", "3600"], grace: 1s}
  held: {command: ["true"], parameters: {WHO: {default: you}}}
"""


async def rows() -> list[Row]:
    """The median and the 99th percentile of `POST /api/jobs/held/start`."""
    with prepared(CONFIG) as place:
        made = installation(place / "errand", config=place / "app.yaml", sample=place / "sample")
        async with made as errand:
            return [await _measured(errand)]


async def _measured(errand: Installation) -> Row:
    token = await errand.token("bench", "admin")
    headers = {"authorization": f"Bearer {token}"}
    limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST)
    client = httpx.AsyncClient(
        base_url=errand.url, headers=headers, trust_env=False, timeout=WAIT_S, limits=limits
    )
    async with client:

        async def start() -> None:
            answer = await client.post("/api/jobs/held/start", json={"parameters": {"WHO": "you"}})
            answer.raise_for_status()

        async def health() -> None:
            (await client.get("/healthz")).raise_for_status()

        (await client.post("/api/jobs/long/start")).raise_for_status()
        await errand.wait_for(lambda: errand.has_logged("run.running", 1), 30)
        for _ in range(WARM):
            await start()
        bare = await _paced(health)
        ours = await _paced(start)
    cuts = statistics.quantiles(ours, n=100)
    median = statistics.median(ours)
    return Row(
        f"POST start at {RATE} a second, median",
        median,
        statistics.median(bare),
        median / PROMISED_MS,
        "ms",
        1.0,
        True,
        f"of {PROMISED_MS:.0f} ms; 99 %: {cuts[98]:.1f} ms; the peer is /healthz at the same pace",
    )


async def _paced(call: Callable[[], Awaitable[None]]) -> list[float]:
    """Milliseconds from when each call was due to its answer; calls are due whether others are answered."""
    began = time.perf_counter() + 0.1

    async def one(number: int) -> float:
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await call()
        return (time.perf_counter() - due) * 1000

    return await asyncio.gather(*(one(number) for number in range(RATE * SECONDS)))
