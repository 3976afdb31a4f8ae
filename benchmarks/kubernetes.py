"""Runs on Kubernetes: from request to Job, from the container's end to the answer, a thousand at once.

The server is that of the tests, whose containers are plain processes here: what is measured is Errand's part.
The peer of the first row is a bare create call with the same client, in alternation. The others are measured
on `errand serve` as a process of its own between the stand-ins, with SQLite.
"""

import asyncio
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from benchmarks.harness import ROOT, Row, prepared
from demo.installation import Event, Installation, installation
from executor.kubernetes.client import Client, Object
from executor.kubernetes.engine import KubernetesEngine
from executor.kubernetes.objects import manifests
from executor.kubernetes.resources import JOBS
from executor.kubernetes.settings import Settings
from executor.logs.store import LogStore
from executor.spec import RunSpec

ROUNDS, ANSWERS, TOGETHER, PER_COMMENT = 30, 30, 1000, 10
WATCHED = 20.0
"""Seconds for which the thousand are looked at once all run."""
BEYOND_MS, ANSWER_MS, MEMORY_MB, CORE, REQUESTS = 20.0, 250.0, 100.0, 0.3, 3.0
IMAGE = "localhost/busybox:1.35"
NAMESPACE = "default"

CONFIG = """
limits: {runs: 1000}
engine: {kind: kubernetes, kubernetes: {kubeconfig: "${KUBECONFIG}", namespace: default}}
images: {tools: {reference: "localhost/busybox:1.35"}}
jobs:
  mark:
    image: tools
    command: 'date +%s.%N > "$MARK"'
    parameters: {MARK: {required: true}}
  talk:
    image: tools
    command: 'while [ ! -e "$GO" ]; do echo a line; sleep 5; done'
    parameters: {GO: {required: true}}
"""


@dataclass(frozen=True)
class Cluster:
    """The server: its file of configuration, and where it tells what it was asked."""

    kubeconfig: Path
    url: str

    async def requests(self) -> dict[str, int]:
        """Give the number of requests by verb and resource."""
        # Not what is measured: a server that ends a thousand pods may take its time to answer.
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            counted: dict[str, int] = (await client.get(f"{self.url}/-/faults")).json()["requests"]
            return counted


@asynccontextmanager
async def _cluster(directory: Path) -> AsyncIterator[Cluster]:
    directory.mkdir()
    words = ("-m", "tests.kubernetes", str(directory), "--cheap")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        ready = (await process.stdout.readline()).decode().split()
        yield Cluster(directory / "kubeconfig", ready[1])
    finally:
        process.terminate()
        await process.communicate()


async def rows() -> list[Row]:
    """Milliseconds, megabytes, cores, requests."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with prepared(CONFIG) as place:
        async with _cluster(place / "cluster") as cluster:
            made = [await _created(cluster, place)]
            async with installation(
                place / "errand",
                config=place / "app.yaml",
                sample=place / "sample",
                environ={"KUBECONFIG": str(cluster.kubeconfig)},
            ) as errand:
                made.append(await _answer(errand, place))
                return made + await _together(errand, cluster, place)


async def _created(cluster: Cluster, place: Path) -> Row:
    """Milliseconds until a watch tells of the Job: of a run that was asked for, and of a bare create call."""
    settings = Settings(NAMESPACE, "bench", kubeconfig=str(cluster.kubeconfig))
    engine = KubernetesEngine(settings, LogStore(place / "logs", 64 << 20))
    await engine.open()
    client = await Client.open(settings)
    ours, bare = [], []
    try:
        query: dict[str, str | int] = {"watch": 1, "resourceVersion": "0"}
        async with client.stream(JOBS, NAMESPACE, query=query) as pieces:
            watch = _Watch(pieces)
            for number in range(-3, ROUNDS):
                spec = RunSpec(f"run-{number + 3}", ("true",), image=IMAGE)
                began = time.perf_counter()
                running = asyncio.create_task(_end(engine, spec))
                our = 1000 * (await watch.of(spec.key) - began)
                await running
                spec = RunSpec(f"bare-{number + 3}", ("true",), image=IMAGE)
                job = manifests.of_run(spec, {}, settings).job
                began = time.perf_counter()
                await client.create(JOBS, NAMESPACE, job)
                peer = 1000 * (await watch.of(job["metadata"]["name"]) - began)
                if number >= 0:
                    ours.append(our)
                    bare.append(peer)
    finally:
        await client.close()
        await engine.close()
    beyond = statistics.median(our - peer for our, peer in zip(ours, bare, strict=True))
    note = f"{beyond:.1f} ms beyond; median of {ROUNDS} turns each, slowest of ours {max(ours):.0f} ms"
    name = f"kubernetes: request to Job, beyond a bare create, of {BEYOND_MS:.0f} ms"
    return Row(
        name, statistics.median(ours), statistics.median(bare), beyond / BEYOND_MS, "ms", 1.0, True, note
    )


class _Watch:
    """What a watch tells, by the names of the objects."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    async def of(self, name: str) -> float:
        """Give when it first told of the object called `name`."""
        while True:
            *lines, self._left = (self._left + await anext(self._pieces)).split(b"\n")
            now = time.perf_counter()
            for line in lines:
                event: Object = json.loads(line)
                if event["object"]["metadata"].get("name") == name:
                    return now


async def _end(engine: KubernetesEngine, spec: RunSpec) -> None:
    async for _ in engine.run(spec):
        pass
    await engine.remove(spec.key)


async def _answer(errand: Installation, place: Path) -> Row:
    """From the last instruction of a container to the comment that tells its end, as GitHub has got it."""
    took = []
    for number in range(1, ANSWERS + 3):
        mark = place / f"mark-{number}"
        posted = _posted(errand, number)
        await errand.comment(f"/job run mark MARK={mark}")
        took.append(1000 * (await posted - float(mark.read_text())))
    took = took[2:]
    note = f"slowest of {ANSWERS}: {max(took):.0f} ms; from the container's last instruction to the answer's"
    name = f"kubernetes: end of container to answer, of {ANSWER_MS:.0f} ms"
    median = statistics.median(took)
    return Row(name, median, None, median / ANSWER_MS, "ms", 1.0, True, note)


def _posted(errand: Installation, number: int) -> "asyncio.Future[float]":
    """When the first comment was sent after the end of this run, in seconds since the epoch."""
    posted: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def noted(event: Event) -> None:
        sent = event.get("event") == "post.sent" and event.get("kind") == "github_comment"
        if sent and event.get("run") == number and errand.ended([number]) and not posted.done():
            posted.set_result(datetime.fromisoformat(event["timestamp"]).timestamp())

    errand.on_event = noted
    return posted


async def _together(errand: Installation, cluster: Cluster, place: Path) -> list[Row]:
    """Memory and processor time of the service with a thousand runs that print, and what they asked for."""
    before, idle = await cluster.requests(), _memory(errand.pid)
    first = ANSWERS + 3
    numbers = range(first, first + TOGETHER)
    for _ in range(TOGETHER // PER_COMMENT):
        await errand.comment(f"/job run talk GO={place / 'go'}\n" * PER_COMMENT)
    await errand.wait_for(lambda: _running(errand, numbers), 600)
    used, began, most = _processor(errand.pid), time.monotonic(), 0.0
    while time.monotonic() < began + WATCHED:
        most = max(most, _memory(errand.pid))
        await asyncio.sleep(0.2)
    cores = (_processor(errand.pid) - used) / (time.monotonic() - began)
    (place / "go").touch()
    await errand.wait_for(lambda: errand.ended(numbers), 600)
    after = await cluster.requests()
    requests = {what: count - before.get(what, 0) for what, count in after.items()}
    beyond = {
        what: count / TOGETHER
        for what, count in requests.items()
        if count and what not in ("create jobs", "delete jobs", "get pods/log")
    }
    each = ", ".join(f"{what} {count:.2f}" for what, count in sorted(beyond.items()))
    name = f"kubernetes: {TOGETHER:,} runs at once, "
    cost, total = most - idle, sum(beyond.values())
    printed = f"more than the idle service's {idle:.0f} MB; {TOGETHER // 5} lines a second are printed"
    return [
        Row(name + "memory", cost, None, cost, "MB", MEMORY_MB, True, printed),
        Row(name + "processor", cores, None, cores, "cores", CORE, True, f"over {WATCHED:.0f} s"),
        Row(name + "requests", total, None, total, "per run", REQUESTS, True, each),
    ]


def _running(errand: Installation, numbers: range) -> bool:
    begun = {each.get("number") for each in errand.events if each.get("event") == "run.running"}
    return set(numbers) <= begun


def _memory(pid: int) -> float:
    """Megabytes of a process that are in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the system does not tell")


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
