"""Runs whose pods have native sidecars, as meshes and storage drivers inject them."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from executor.kubernetes.controller.following import RESTARTED
from executor.spec import Pending, Result, Secret, Started
from tests.contract.cases import KubernetesCase, ended, open_kubernetes_case, sh, text
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes

SECRET = "pass-word-of-the-mesh"
NOWHERE = "registry.invalid/acme/shop@sha256:" + "0" * 64


@pytest.fixture
async def beside(kubernetes_case: KubernetesCase, cluster: Cluster) -> AsyncIterator[KubernetesCase]:
    """The engine with a sidecar in every pod, which ends with 1 twice a second."""
    script = "echo of the sidecar $NUMBER; sleep 0.5; exit 1"
    sidecar = {
        "name": "mesh",
        "image": cluster.image,
        "restartPolicy": "Always",
        "command": ["sh", "-c", script],
        "env": [{"name": "NUMBER", "value": SECRET}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    patience = 3.0 if cluster.server else 20.0
    settings = replace(kubernetes_case.settings, pod={"initContainers": [sidecar]}, pending_timeout=patience)
    case = await open_kubernetes_case(kubernetes_case.directory / "beside", settings, kubernetes_case.base)
    yield case
    await case.engine.close()


async def test_sidecar_that_fails_and_is_restarted_leaves_a_job_and_its_log_alone(
    beside: KubernetesCase, key: str
) -> None:
    script = "echo mine; sleep 2; exit 4"
    spec = sh(key, script, image=beside.base, secrets=(Secret(SECRET),))
    outcome = await ended(beside.engine.run(spec))
    assert (outcome.result, outcome.exit_code) == (Result.FAILED, 4)
    assert await text(beside.logs, key) == "mine\n"
    await beside.engine.remove(key)
    kept = beside.logs.beside(key)
    assert await kept.names() == ["mesh"]
    lines = (await text(kept, "mesh")).splitlines()
    assert lines[:3] == ["of the sidecar ***", RESTARTED, "of the sidecar ***"]
    await beside.logs.remove(key)
    assert await kept.names() == []


async def test_image_that_cannot_be_pulled_never_started_though_a_sidecar_runs(
    beside: KubernetesCase, key: str
) -> None:
    told = [progress async for progress in beside.engine.run(sh(key, "true", image=NOWHERE))]
    assert not [one for one in told if isinstance(one, Started)]
    assert [one for one in told if isinstance(one, Pending)]
    outcome = told[-1]
    assert getattr(outcome, "reason", "") in ("ErrImagePull", "ImagePullBackOff")
    await beside.engine.remove(key)
