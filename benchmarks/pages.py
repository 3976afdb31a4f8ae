"""What the server takes for pages among 10,000 jobs and a million runs, in SQLite on this disk.

Each page is asked for with a token, compressed, without a network in between. What is measured is processor
time, of the database as well, which runs in the same process: other work on the machine does not count.
"""

import shutil
import statistics
import time

import httpx
from starlette.applications import Starlette

from benchmarks import history
from benchmarks.harness import WORK, Row
from bot.access import links
from bot.catalog.catalog import Job
from bot.store import Store, tokens
from executor.logs.store import LogStore
from executor.spec import Secret
from tests.webhooks import sites
from webhooks.access import new_token, token_hash

JOBS = 10_000
TURNS = 30
MOST_MS = 50.0
PAGES = {
    "/": "what goes on",
    "/jobs": "the list of jobs",
    "/jobs?page=150&by=image": "a late page of it, in groups",
    "/jobs?q=number+99": "a search in it",
    "/jobs?result=failed": "those that failed last",
    "/jobs/job-77?last=200": "a job with its chart",
}


async def rows() -> list[Row]:
    """The median of thirty times each."""
    home = WORK / "pages"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with await Store.open(f"sqlite:///{home}/errand.db", owner="bench") as store:
        await history.fill(store, JOBS)
        text, address = new_token(), "http://errand.test"
        await store.write(lambda s: tokens.add(s, name="bench", hash=token_hash(text), now=time.time()))
        keys, logs = links.derive([Secret("s3cret")]), LogStore(home / "logs", 2**20)
        site = sites.site(store, logs, keys, address, time.time, _jobs())
        headers = {"authorization": f"Bearer {text}", "accept-encoding": "gzip"}
        transport = httpx.ASGITransport(Starlette(routes=site.routes()))
        async with httpx.AsyncClient(transport=transport, base_url=address, headers=headers) as client:
            found = [await _row(client, store, path, name) for path, name in PAGES.items()]
        site.streams.close()
    shutil.rmtree(home, ignore_errors=True)
    return found


def _jobs() -> dict[str, Job]:
    timetable = {"cron": "30 2 * * *", "timezone": "Europe/Helsinki"}
    return {
        f"job-{number}": Job.model_validate(
            {
                "name": f"job-{number}",
                "command": "true",
                "description": f"The job with the number {number}",
                "schedule": timetable if number % 2 else None,
            }
        )
        for number in range(JOBS)
    }


async def _row(client: httpx.AsyncClient, store: Store, path: str, name: str) -> Row:
    took, size = [], 0
    await client.get(path)
    for _ in range(TURNS):
        store.changes.ring_all()  # so that nothing which was read before is shown again
        begun = time.process_time()
        answer = await client.get(path)
        took.append((time.process_time() - begun) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answers {answer.status_code}")
        size = int(answer.headers["content-length"])
    median = statistics.median(took)
    note = f"slowest of {TURNS}: {max(took):.1f} ms; {size / 1024:.1f} KiB; the ratio is to {MOST_MS:g} ms"
    return Row(f"page: {name}", median, MOST_MS, median / MOST_MS, "ms", 1.0, True, note)
