"""Runs as they would be after a while, for pages that tell of many."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from bot.store import Store
from bot.store.columns import table_of
from bot.tables import Run

NOW = 1_700_000_000.0

_REST: dict[str, Any] = {
    "definition": {}, "parameters": {}, "arguments": [], "tail": [], "public": False, "admitted": True,
    "cause": "chat", "actor": "terminal:ada", "concurrency": "allow", "attempt": 1, "attempts": 0,
    "due_at": 0.0, "lease_until": 0.0,
}  # fmt: skip


async def add_ended(store: Store, job: str, results: Sequence[str]) -> None:
    """Runs of a job that ended so, oldest first; the first took a second, the next two, and so on."""
    rows = [
        _REST
        | {"key": f"{job}:{n}:{result}", "name": f"{job}-{n}-{result}", "job": job, "state": "finished"}
        | {"result": result, "created_at": NOW, "started_at": NOW, "finished_at": NOW + n}
        for n, result in enumerate(results, start=1)
    ]
    await store.write(lambda session: session.execute(insert(table_of(Run)), rows) and None)


async def add_open(store: Store, job: str, *states: str) -> None:
    """Runs of a job that are not over."""
    rows = [
        _REST
        | {"key": f"{job}:{n}:{state}", "name": f"{job}-{n}-{state}", "job": job, "state": state}
        | {"created_at": NOW}
        for n, state in enumerate(states, start=1)
    ]
    await store.write(lambda session: session.execute(insert(table_of(Run)), rows) and None)
