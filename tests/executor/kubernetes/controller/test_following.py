"""A log that its node has no more is asked for no longer than it may come back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from demo.watched import PATIENCE
from executor.kubernetes.client import Client
from executor.kubernetes.controller import following
from executor.kubernetes.controller.following import Follower
from executor.kubernetes.controller.run_directory import RunDirectory
from executor.kubernetes.settings import Settings
from executor.kubernetes.watching import states
from executor.logs.collector import LogCollector
from executor.logs.logfile import LogWriter
from tests.executor.kubernetes.places import Answer, kubeconfig, served

GONE = "unable to retrieve container logs for containerd://d90f7318"


def deleted_pod() -> states.Pod:
    """As a drain leaves it where the finalizer alone keeps it: ended, and its containers are away."""
    ended = {"exitCode": 7, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:09Z"}
    said: dict[str, Any] = {
        "metadata": {"name": "a-x", "namespace": "jobs", "deletionTimestamp": "2026-01-01T00:00:09Z"},
        "spec": {"nodeName": "n", "containers": [{"name": "job"}]},
        "status": {
            "phase": "Failed",
            "containerStatuses": [{"name": "job", "state": {"terminated": ended}}],
        },
    }
    return states.pod(said)


async def test_log_that_went_with_its_pod_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(method: str, target: str, headers: dict[str, str]) -> Answer:
        return 200, {"Content-Type": "text/plain"}, GONE.encode()

    monkeypatch.setattr(following, "_FORGOTTEN", 0.0)
    with served(answer) as host:
        client = await Client.open(Settings("jobs", "here", kubeconfig=kubeconfig(tmp_path, host)))
        follower = Follower(client, deleted_pod)
        follower.end()
        directory = str(tmp_path / "log")
        turn = await RunDirectory(directory).take()
        assert turn is not None
        keeping = LogCollector(LogWriter(directory, 4096), [], 0, 0)
        async with asyncio.timeout(PATIENCE):
            (note,) = await follower.follow(keeping, turn, None, lambda: None)
        keeping.close()
        turn.close()
        await client.close()
    assert GONE in note
