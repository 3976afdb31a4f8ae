"""What a run shares with a workload counts as given: it is masked, wherever the workload has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from executor.spec import Live, Result
from tests.contract.cases import KubernetesCase, ended, sh, text
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes

KEY = "-----BEGIN KEY-----\nc2VjcmV0LW9mLWEta2V5\nbW9yZS1vZi1pdA==\n-----END KEY-----\n"


@asynccontextmanager
async def given(cluster: Cluster, *objects: tuple[str, dict[str, Any]]) -> AsyncIterator[None]:
    """Objects of the namespace, each with its plural, that go again."""
    for plural, body in objects:
        answer = await asyncio.to_thread(cluster.ask, "POST", plural, body)
        assert answer.is_success, answer.text
    yield
    for plural, body in reversed(objects):
        name = body["metadata"]["name"]
        await asyncio.to_thread(cluster.ask, "DELETE", f"{plural}/{name}?gracePeriodSeconds=0")


def secret(name: str, **texts: str) -> tuple[str, dict[str, Any]]:
    return "secrets", {"metadata": {"name": name}, "stringData": texts}


def cronjob(
    name: str, container: dict[str, Any], volumes: list[dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    spec = {"restartPolicy": "Never", "containers": [{"name": "web", **container}], "volumes": volumes}
    template = {"spec": {"template": {"spec": spec}}}
    schedule = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": template}
    return "cronjobs", {"metadata": {"name": name}, "spec": schedule}


async def test_secrets_that_a_live_workload_mounts_are_masked_line_by_line(
    kubernetes_case: KubernetesCase, cluster: Cluster
) -> None:
    case = kubernetes_case
    container = {
        "image": case.base,
        "env": [{"name": "API_TOKEN", "value": "written-in-clear"}, {"name": "MODE", "value": "production"}],
        "volumeMounts": [
            {"name": "key", "mountPath": "/run/key"},
            {"name": "all", "mountPath": "/run/all/password", "subPath": "password"},
        ],
    }
    volumes: list[dict[str, Any]] = [
        {"name": "key", "secret": {"secretName": "mounted-key"}},
        {"name": "all", "projected": {"sources": [{"secret": {"name": "mounted-password"}}]}},
        {"name": "unused", "secret": {"secretName": "not-there", "optional": True}},
    ]
    script = (
        "cat /run/key/id; echo; sed 's/^/|/' /run/key/id; cat /run/all/password; echo; echo $API_TOKEN $MODE"
    )
    async with given(
        cluster,
        secret("mounted-key", id=KEY),
        secret("mounted-password", password="correct horse"),
        cronjob("live-mounts", container, volumes),
    ):
        spec = sh("live-mounts", script, live=Live("cronjob/live-mounts", cluster.namespace))
        outcome = await ended(case.engine.run(spec))
        log = await text(case.logs, "live-mounts")
    assert outcome.result is Result.SUCCEEDED
    assert log == "***\n|***\n|***\n|***\n|***\n***\n*** production\n"
