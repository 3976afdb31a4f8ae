"""Runs in containers against bare Podman with the same image, in alternation; and fifty at once.

A Podman of their own, whose service is the engine's: one process for all, as in `errand serve`. The image is
busybox, the peer its command line: `podman run --rm`, and `podman logs --follow` into a pipe.
"""

import asyncio
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import WORK, Row, median_ratio
from executor.container import ContainerEngine, Settings
from executor.logs.store import LogStore
from executor.spec import Outcome, RunSpec, Started
from tests.podman import Podman, installed, missing

ROUNDS, FLOODS, TOGETHER = 15, 4, 50
LINE, LINES = "a line of some forty characters in all ok", 1_000_000
FLOOD = f"yes '{LINE}' | head -n {LINES}"
FLOOD_BYTES = LINES * (len(LINE) + 1)
SLOWER, THROUGHPUT, MEMORY_MB = 1.15, 0.8, 60.0
TALK = "i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; sleep 0.5; done"
WATCHED = 3.0
"""Seconds for which the fifty are looked at once all run."""

FIRST, OUTCOME = "container: first log line", "container: start to outcome"
LOG, MEMORY = "container: log throughput", f"container: {TOGETHER} runs at once"


@dataclass
class Bench:
    """An open engine beside the Podman that it uses; every run has a key of its own."""

    podman: Podman
    engine: ContainerEngine
    logs: LogStore
    count: int = 0

    def spec(self, script: str) -> RunSpec:
        """Give the next run, of a shell script."""
        self.count += 1
        command = ("sh", "-c", script)
        return RunSpec(f"run-{self.count}", command, image=self.podman.image, grace=0.1, timeout=300.0)

    def bare(self, *words: str) -> list[str]:
        """Give the words of a call of Podman itself."""
        return [self.podman.command, *self.podman.arguments, *words]


async def rows() -> list[Row]:
    """Milliseconds, megabytes a second, megabytes."""
    if reason := missing():
        aims = (
            (FIRST, SLOWER, True),
            (OUTCOME, SLOWER, True),
            (LOG, THROUGHPUT, False),
            (MEMORY, MEMORY_MB, True),
        )
        return [Row(name, None, None, None, "", aim, most=most, note=reason) for name, aim, most in aims]
    WORK.mkdir(parents=True, exist_ok=True)
    async with _opened() as bench:
        return [await _together(bench), await _first(bench), await _outcome(bench), await _log(bench)]


@asynccontextmanager
async def _opened() -> AsyncIterator[Bench]:
    with installed() as podman, tempfile.TemporaryDirectory(dir=WORK) as directory:
        logs = LogStore(Path(directory) / "logs", 64 << 20)
        engine = ContainerEngine(Settings(arguments=podman.arguments), Path(directory) / "work", logs)
        await engine.open()
        try:
            yield Bench(podman, engine, logs)
        finally:
            await engine.close()


async def _first(bench: Bench) -> Row:
    ours, bare = [], []
    for _ in range(ROUNDS):
        spec = bench.spec("echo ready; sleep 0.3")
        began = time.perf_counter()
        running = asyncio.create_task(_end(bench, spec))
        async for _chunk in bench.logs.read(spec.key, follow=True):
            ours.append(1000 * (time.perf_counter() - began))
            break
        await running
        began = time.perf_counter()
        command = bench.bare("run", "--rm", bench.podman.image, *spec.command)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            bare.append(1000 * (time.perf_counter() - began))
    return _against(FIRST, ours, bare)


async def _outcome(bench: Bench) -> Row:
    ours, bare = [], []
    for _ in range(ROUNDS):
        spec = bench.spec("exit 0")
        began = time.perf_counter()
        await _attend(bench, spec)
        ours.append(1000 * (time.perf_counter() - began))
        await bench.engine.remove(spec.key)
        began = time.perf_counter()
        subprocess.run(bench.bare("run", "--rm", bench.podman.image, *spec.command), check=True)
        bare.append(1000 * (time.perf_counter() - began))
    return _against(OUTCOME, ours, bare)


def _against(name: str, ours: list[float], bare: list[float]) -> Row:
    note = f"median of {ROUNDS} turns each; peer: podman run --rm, slowest of ours {max(ours):.0f} ms"
    median = statistics.median
    return Row(name, median(ours), median(bare), median_ratio(ours, bare), "ms", SLOWER, most=True, note=note)


async def _log(bench: Bench) -> Row:
    ours, bare = [], []
    for number in range(FLOODS):
        spec = bench.spec(FLOOD)
        began = time.perf_counter()
        await _attend(bench, spec)
        ours.append(FLOOD_BYTES / 1e6 / (time.perf_counter() - began))
        assert await bench.logs.size(spec.key) == FLOOD_BYTES
        await bench.engine.remove(spec.key)
        name = f"flood-{number}"
        began = time.perf_counter()
        subprocess.run(
            bench.bare(
                "run", "-d", "--log-driver=k8s-file", "--name", name, bench.podman.image, *spec.command
            ),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        follow = subprocess.Popen(bench.bare("logs", "--follow", name), stdout=subprocess.PIPE)
        seen = int(subprocess.check_output(["wc", "-c"], stdin=follow.stdout))
        follow.wait()
        bare.append(seen / 1e6 / (time.perf_counter() - began))
        bench.podman.run("rm", "--force", "--time", "0", name)
    ratio = 1 / median_ratio(bare, ours)
    note = f"{LINES:,} lines, kept and complete; peer: what podman logs --follow gave to a pipe"
    return Row(LOG, statistics.median(ours), statistics.median(bare), ratio, "MB/s", THROUGHPUT, note=note)


async def _together(bench: Bench) -> Row:
    """Memory of this process, which is all that a bot has of its engine, and its threads."""
    await _end(bench, bench.spec("echo once"))
    memory, threads = _memory(), threading.active_count()
    specs = [bench.spec(TALK) for _ in range(TOGETHER)]
    stories = [bench.engine.run(spec) for spec in specs]
    await asyncio.gather(*(_started(story) for story in stories))
    most = [_memory()]
    until = time.monotonic() + WATCHED
    while time.monotonic() < until:
        most.append(_memory())
        await asyncio.sleep(0.05)
    more = threading.active_count() - threads
    await asyncio.gather(*(bench.engine.stop(spec.key) for spec in specs))
    await asyncio.gather(*(_rest(story) for story in stories))
    await asyncio.gather(*(bench.engine.remove(spec.key) for spec in specs))
    cost = max(most) - memory
    note = f"more memory of the bot's process with {TOGETHER} runs that print; {more} more threads"
    return Row(MEMORY, cost, None, cost, "MB", MEMORY_MB, most=True, note=note)


async def _started(story: AsyncIterator[object]) -> None:
    async for progress in story:
        if isinstance(progress, Started):
            return


async def _rest(story: AsyncIterator[object]) -> None:
    async for _ in story:
        pass


async def _attend(bench: Bench, spec: RunSpec) -> None:
    async for progress in bench.engine.run(spec):
        if isinstance(progress, Outcome):
            assert progress.exit_code == 0, progress


async def _end(bench: Bench, spec: RunSpec) -> None:
    await _attend(bench, spec)
    await bench.engine.remove(spec.key)


def _memory() -> float:
    """Megabytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the system does not tell")
