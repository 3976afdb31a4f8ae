"""Schedules: what ten thousand cost while none is due, and how long a thousand due at once take to be stored.

A service of its own with SQLite and without GitHub; the thousand are compared with as many stored one by
one. Every number is of this process alone: nothing runs what is enqueued.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.harness import WORK, Row
from bot.access import links
from bot.composition import Composition
from bot.config import load
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Order, Target
from bot.parts import Parts
from bot.registry import Registry
from bot.repositories import Repositories
from bot.slack import Slack
from bot.states import Cause
from bot.store import Store
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import Secret

MANY, DUE = 10_000, 1000
ROUNDS = 5
SECONDS = 20.0
"""How long nothing is due."""
NOON = 1_800_014_400.0


async def rows() -> list[Row]:
    """The share of one core, and seconds."""
    WORK.mkdir(parents=True, exist_ok=True)
    return [await _idle(), await _at_once()]


async def _idle() -> Row:
    """CPU time of all that turns, with schedules that are due at minutes of another half of the day."""
    other = (time.gmtime().tm_hour + 6) % 24
    lines = [f"{n % 60} {(other + n // 60 % 12) % 24} * * *" for n in range(MANY)]
    async with _tools(lines, time.time) as made:
        turning = asyncio.create_task(made.workers.run())
        await asyncio.sleep(10.0)  # read and planned
        before, began = time.process_time(), time.monotonic()
        await asyncio.sleep(SECONDS)
        share = (time.process_time() - before) / (time.monotonic() - began)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
    note = f"of one core over {SECONDS:.0f} s, the other pools included"
    return Row(
        f"{MANY:,} schedules, none due", 100 * share, None, 100 * share, "%", 1.0, most=True, note=note
    )


async def _at_once() -> Row:
    clock = [NOON - 1]
    async with _tools(["*/10 * * * *"] * DUE, lambda: clock[0]) as made:
        ticks = made.ticks
        await ticks.turn()
        took, single = [], []
        for number in range(ROUNDS):
            clock[0] = NOON + 600 * number
            began = time.monotonic()
            await ticks.turn()
            took.append(time.monotonic() - began)
            began = time.monotonic()
            await _one_by_one(made, number)
            single.append(time.monotonic() - began)
    ours, peer = statistics.median(took), statistics.median(single)
    note = f"seconds for {DUE} runs and their posts, slowest {max(took):.2f} s; peer: one by one"
    return Row(f"{DUE} jobs due at once", ours, peer, ours, "s", 1.0, most=True, note=note)


async def _one_by_one(made: Composition, number: int) -> None:
    """The same runs, each in its own transaction; those that wait together share a commit."""
    jobs = list(made.parts.registry.catalog.jobs.values())
    orders = [
        Order(
            RequestContext(f"one:{number}:{job.name}", Cause.SCHEDULE, "schedule", None),
            0,
            job,
            Target(None, False),
            {},
        )
        for job in jobs
    ]
    await asyncio.gather(
        *(made.parts.store.write(lambda s, order=order: made.enqueuer.enqueue(s, order)) for order in orders)  # type: ignore[misc]
    )


@asynccontextmanager
async def _tools(crons: Sequence[str], clock: Callable[[], float]) -> AsyncIterator[Composition]:
    with tempfile.TemporaryDirectory(dir=WORK) as directory:
        home = Path(directory)
        jobs = "".join(
            f'  job-{n}: {{command: "true", notify: {{slack: "#ops"}}, schedule: {{cron: "{cron}"}}}}\n'
            for n, cron in enumerate(crons)
        )
        file = home / "app.yaml"
        file.write_text(f"slack: {{bot_token: xoxb-x}}\njobs:\n{jobs}")
        config = load(file, {})
        logs = LogStore(home / "logs", 2**20)
        engine = ProcessEngine(home / "work", logs)
        await engine.open()
        async with await Store.open(f"sqlite:///{home}/errand.db", owner="bench") as store:
            numbers = iter(range(10**9))
            registry = await Registry.open(config, store, clock)
            tools = Parts(
                registry=registry,
                store=store,
                engine=engine,
                logs=logs,
                github=None,
                slack=Slack(api_url="http://127.0.0.1:9/", bot_token=Secret("x"), clock=clock),
                clock=clock,
                nonce=lambda: f"{next(numbers):016x}",
                owner="bench",
                keys=links.derive([Secret("bench")]),
                repositories=Repositories(store, registry, clock),
            )
            yield Composition(tools)
        await engine.close()
