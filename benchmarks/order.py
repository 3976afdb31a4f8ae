"""Whether another job has succeeded for a commit or an image, among a million runs, in SQLite on disk."""

import shutil
import statistics
import time
from functools import partial

from sqlalchemy import text

from benchmarks import history
from benchmarks.harness import WORK, Row
from bot.catalog.chains import After
from bot.store import Session, Store, predecessors
from bot.store.predecessors import Version

JOBS, TURNS = 50, 200
MOST_MS = 1.0
_COMMITS = """
UPDATE runs SET "commit" = substr('0000000000000000000000000000000000000000' || (number / :jobs), -40),
                digest = 'tree:' || (number / :jobs)
"""


async def rows() -> list[Row]:
    """The median of two hundred questions, half of them about what never succeeded."""
    home = WORK / "order"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with await Store.open(f"sqlite:///{home}/errand.db", owner="bench") as store:
        await history.fill(store, JOBS)
        await store.write(lambda session: session.execute(text(_COMMITS), {"jobs": JOBS}) and None)
        found = [await _row(store, of) for of in ("commit", "image")]
    shutil.rmtree(home, ignore_errors=True)
    return found


async def _row(store: Store, of: str) -> Row:
    took = []
    for turn in range(TURNS):
        number = (turn * 97) % (history.RUNS // JOBS) if turn % 2 else history.RUNS
        version = Version(f"{number:040d}", f"tree:{number}")
        after = After.model_validate({"job": f"job-{turn % JOBS}", "of": of})
        took.append(await store.read(partial(_timed, after=after, version=version)))
    median, worst = statistics.median(took) * 1000, max(took) * 1000
    note = f"slowest of {TURNS}: {worst:.2f} ms; the ratio is to {MOST_MS:g} ms"
    name = f"whether a job comes after another one of its {of}, among a million runs"
    return Row(name, median, MOST_MS, median / MOST_MS, "ms", 1.0, True, note)


def _timed(session: Session, after: After, version: Version) -> float:
    begun = time.perf_counter()
    predecessors.missing(session, after, version, now=time.time())
    return time.perf_counter() - begun
