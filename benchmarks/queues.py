"""A run ends and the next is claimed, among 10,000 that wait in 1,000 queues by key, on both databases.

And a person opens a job of which as many wait and none goes on: each queue's next run begins.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import insert, text

from benchmarks.harness import WORK, Row
from bot.states import State
from bot.store import Session, Store, admission, locks, runs
from bot.tables import Lock, Run
from tests.conftest import Server, server_programs

QUEUES, WAITING = 1000, 10
"""Queues of one job, each with one run that goes on and so many that wait."""

T = TypeVar("T")
Spent = tuple[float, float]
"""Seconds that passed, and those of the processor."""

TURNS = 300
AIM = 10.0
"""Milliseconds that a claim may take."""
OPENING = 50.0
"""Milliseconds for which a transaction should hold back all others."""


def _fill(session: Session, job: str, *, going: bool) -> None:
    common: Mapping[str, Any] = {
        "job": job,
        "concurrency": "queue",
        "at_most": 1,
        "over": "queue",
        "cause": "push",
        "actor": "github:a",
        "created_at": 1.0,
    }
    rows: list[Mapping[str, Any]] = []
    for at in range(QUEUES * (WAITING + 1)):
        queue, begun = f"REGION=r{at % QUEUES}", going and at < QUEUES
        run = Run(key=f"{job}:{at}", name=f"{job}-{at}", queue=queue, **common)
        stands = {
            "state": State.RUNNING if begun else State.WAITING,
            "admitted": begun,
            "due_at": 0.0 if begun else admission.CLOSED,
            "lease_owner": "bench" if begun else None,
            "lease_until": 1e12 if begun else 0.0,
            "started_at": 1.0 if begun else None,
        }
        rows.append(run.model_dump(exclude={"number"}) | stands)
    session.execute(insert(Run), rows)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE runs"))


@asynccontextmanager
async def _sqlite() -> AsyncIterator[str]:
    home = WORK / "queues"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    yield f"sqlite:///{home}/errand.db"
    shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def _postgres(binaries: Path) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="errand-bench-", ignore_cleanup_errors=True) as directory:
        server = Server(binaries, Path(directory))
        server.start()
        with psycopg.connect(
            host="127.0.0.1", port=server.port, user="errand", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE bench")
        yield f"postgresql://errand@127.0.0.1:{server.port}/bench"
        server.stop()


async def rows() -> list[Row]:
    """The median of each turn: the oldest ends, and what that lets through is claimed."""
    async with _sqlite() as url:
        found = await _measured("SQLite", url)
    binaries = server_programs()
    if binaries is None:
        note = "PostgreSQL's server programs are not installed"
        name = "claim among 10,000 in 1,000 queues, PostgreSQL"
        return [*found, Row(name, None, None, None, "ms", 1.0, True, note)]
    async with _postgres(binaries) as url:
        return found + await _measured("PostgreSQL", url)


async def _measured(name: str, url: str) -> list[Row]:
    ends: list[Spent] = []
    claims: list[Spent] = []
    async with await Store.open(url, owner="bench") as store:
        await store.write(lambda s: _fill(s, "import", going=True))
        unfinished = await store.read(lambda s: runs.unfinished(s, limit=QUEUES * 20))
        for number in sorted(run.identity for run in unfinished if run.admitted)[:TURNS]:
            _, end = await _timed(
                store.write(
                    lambda s, number=number: runs.move(  # type: ignore[misc]
                        s, number, State.FINISHED, owner="bench", now=2.0, result="succeeded"
                    )
                )
            )
            got, claim = await _timed(
                store.write(lambda s: runs.claim(s, owner="bench", now=2.0, lease=1e9, limit=10))
            )
            if len(got) != 1:
                raise RuntimeError("not the one whose turn it is")
            ends.append(end)
            claims.append(claim)
        opening = await _opened(store)
    return [
        _row(f"claim among 10,000 in 1,000 queues, {name}", claims),
        _row(f"end of one of these, with what it lets through, {name}", ends),
        _row(f"unlock of a job with 1,000 queues, {name}", [opening], OPENING),
    ]


async def _opened(store: Store) -> Spent:
    """What it takes to open a job that a person had closed, of which nothing is under way."""
    await store.write(lambda s: _fill(s, "export", going=False))
    lock = Lock(target="export", actor="github:a", created_at=2.0, person="github:a")
    await store.write(lambda s: locks.add(s, lock, now=2.0))
    _, took = await _timed(store.write(lambda s: locks.remove(s, "export", now=3.0)))
    let_through = await store.write(
        lambda s: runs.claim(s, owner="bench", now=3.0, lease=1e9, limit=2 * QUEUES)
    )
    if len(let_through) != QUEUES:
        raise RuntimeError("not one of each queue")
    return took


async def _timed(work: Awaitable[T]) -> tuple[T, Spent]:
    wall, processor = time.perf_counter(), time.process_time()
    value = await work
    return value, (time.perf_counter() - wall, time.process_time() - processor)


def _row(name: str, took: list[Spent], aim: float = AIM) -> Row:
    wall, processor = ([each[at] * 1000 for each in took] for at in (0, 1))
    median = statistics.median(wall)
    note = (
        f"{statistics.median(processor):.1f} ms of processor; slowest of {len(took)}: {max(wall):.1f} ms;"
        f" the ratio is to {aim:g} ms"
    )
    return Row(name, median, aim, median / aim, "ms", 1.0, True, note)
