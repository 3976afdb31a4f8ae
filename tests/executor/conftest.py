"""A process engine, and what its tests ask again and again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from coverage import Coverage

from executor.container import making
from executor.logs.store import LogStore
from executor.process import ProcessEngine, requests, spawner


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path / "logs", 1024 * 1024)


@pytest.fixture
async def engine(tmp_path: Path, logs: LogStore) -> AsyncIterator[ProcessEngine]:
    opened = ProcessEngine(tmp_path / "work", logs)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def gone() -> Callable[[int], "asyncio.Future[None]"]:
    """Wait until a process that is no child of this one has ended."""

    async def wait(pid: int) -> None:
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0.005)

    return lambda pid: asyncio.ensure_future(asyncio.wait_for(wait(pid), 10))


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the executor's own processes measured too, where the tests are."""
    if Coverage.current() is None:
        return
    here = Path(__file__)
    for module, name in ((spawner, "_SERVER"), (requests, "_BUILDER"), (making, "_BUILDER")):
        script = getattr(module, name)[-1]
        command = [sys.executable, str(here.with_name("measured.py")), str(here.parents[2]), script]
        monkeypatch.setattr(module, name, command)
