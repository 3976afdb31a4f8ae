"""A page of a job's history among one million runs, in SQLite on this disk."""

import shutil
import statistics
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy import text

from benchmarks.harness import WORK, Row
from bot.states import State
from bot.store import Session, Store, runs
from bot.tables import Run

RUNS = 1_000_000
JOBS = 50
PAGE = 31
"""What the page of a job asks for."""

STATES = tuple(State)

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :runs)
INSERT INTO runs (attempts, due_at, lease_until, "key", name, job, definition, parameters, arguments, public,
                  cause, actor, concurrency, admitted, attempt, state, result, tail, created_at, started_at,
                  finished_at)
SELECT 0, 0, 0, 'k' || i, 'job-' || (i % :jobs) || '-' || i, 'job-' || (i % :jobs), '{}', '{}',
       '[]', 0, 'comment', 'github:octocat', 'allow', 1, 1, 'finished',
       CASE WHEN i % 11 THEN 'succeeded' ELSE 'failed' END, '[]', i, i, i + i % 7 FROM n
"""


async def fill(store: Store, jobs: int) -> None:
    """A million runs that are over, of so many jobs in turn; every eleventh failed."""
    await store.write(lambda s: s.execute(text(_FILL), {"runs": RUNS, "jobs": jobs}) and None)


async def rows() -> list[Row]:
    """The median of a hundred pages each, of another job, place or state, through the store's own query."""
    home = WORK / "history"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with await Store.open(f"sqlite:///{home}/errand.db", owner="bench") as store:
        await fill(store, JOBS)

        def page(session: Session, turn: int) -> float:
            before = None if turn % 2 else RUNS - turn * 9_000
            return _timed(
                lambda: runs.page(session, job=f"job-{turn % JOBS}", limit=PAGE, before=before), PAGE
            )

        def by_state(session: Session, turn: int) -> float:
            job, state = f"job-{turn % JOBS}" if turn % 2 else None, STATES[turn % len(STATES)]
            expected = PAGE if state == State.FINISHED else 0
            return _timed(lambda: runs.page(session, job=job, state=state, limit=PAGE), expected)

        pages = [await store.read(partial(page, turn=turn)) for turn in range(100)]
        states = [await store.read(partial(by_state, turn=turn)) for turn in range(100)]
    shutil.rmtree(home, ignore_errors=True)
    return [
        _row("history page among a million runs", pages),
        _row("the same by state, of one job or of all", states),
    ]


def _timed(ask: Callable[[], list[Run]], expected: int) -> float:
    begun = time.perf_counter()
    found = ask()
    ended = time.perf_counter()
    if len(found) != expected:
        raise RuntimeError("not the runs that were to be found")
    return ended - begun


def _row(name: str, took: list[float]) -> Row:
    median, worst = statistics.median(took) * 1000, max(took) * 1000
    note = f"slowest of 100: {worst:.1f} ms; the ratio is to 5 ms"
    return Row(name, median, 5.0, median / 5.0, "ms", 1.0, True, note)
