"""Which sidecars' logs are kept, and for how long nothing waits for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.client import Client
from executor.kubernetes.controller import log_collector
from executor.kubernetes.controller.log_collector import MOST, LogResources, PodLogs
from executor.kubernetes.settings import Settings
from executor.kubernetes.watching import states
from executor.logs.store import LogStore
from executor.logs.watcher import FileWatcher
from tests.executor.kubernetes.places import Answer, kubeconfig, served

LINE = b"2026-01-01T12:00:01.000000001Z hello of the mesh, hush\n"


def pod(count: int, *, phase: str = "Running") -> states.Pod:
    names = [f"mesh-{number}" for number in range(count)]
    running: dict[str, Any] = {"running": {"startedAt": "2026-01-01T12:00:00Z"}}
    return states.pod(
        {
            "metadata": {"name": "run-1-abcde", "namespace": "jobs"},
            "spec": {
                "initContainers": [{"name": name, "restartPolicy": "Always"} for name in names],
                "containers": [{"name": "job"}],
            },
            "status": {
                "phase": phase,
                "initContainerStatuses": [{"name": name, "state": running} for name in names],
            },
        }
    )


@asynccontextmanager
async def desk(directory: Path, answer: Answer) -> AsyncIterator[LogResources]:
    with served(lambda method, target, headers: answer) as host:
        client = await Client.open(Settings("jobs", "here", kubeconfig=kubeconfig(directory, host)))
        watcher = FileWatcher()
        watcher.open()
        yield LogResources(client, watcher, LogStore(directory / "logs", 1 << 20))
        await watcher.close()
        await client.close()


async def test_as_many_are_kept_as_there_is_a_bound_for(tmp_path: Path) -> None:
    async with desk(tmp_path, (200, {}, LINE)) as tools:
        kept = PodLogs("run-1", tools, lambda: pod(MOST + 3), [b"hush"])
        kept.look()
        await kept.end([])
        await kept.close()
        logs = tools.logs.beside("run-1")
        assert await logs.names() == [f"mesh-{number}" for number in range(MOST)]
        assert await logs.tail("mesh-0") == ["hello of the mesh, ***"]


async def test_nothing_waits_long_for_what_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_collector, "_LONGEST", 0.2)
    async with desk(tmp_path, (500, {}, b"")) as tools, asyncio.timeout(5):
        kept = PodLogs("run-1", tools, lambda: pod(1), [])
        kept.look()
        await kept.end([])
        await kept.close()
