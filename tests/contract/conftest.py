"""The engines that the suite is run with."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from executor.container import Settings
from executor.kubernetes import settings as kubernetes
from tests.contract.cases import (
    ContainerCase,
    EngineCase,
    KubernetesCase,
    ProcessCase,
    open_container_case,
    open_kubernetes_case,
    open_process_case,
)
from tests.kubernetes.cluster import Cluster
from tests.podman import Podman

AnyCase = ProcessCase | ContainerCase | KubernetesCase

ENGINES = [
    "process",
    pytest.param("container", marks=pytest.mark.container),
    pytest.param("kubernetes", marks=pytest.mark.kubernetes),
]


@pytest.fixture
def key() -> str:
    """A key that no other test has: what one of them leaves is never another's."""
    return f"run-{uuid4().hex[:8]}"


@pytest.fixture(params=ENGINES)
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EngineCase]:
    """Each engine in turn, with nothing run yet."""
    async with open_case(request, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyCase]:
    """Give the engine that `request.param` names, until the block ends."""
    opened: AnyCase
    if request.param == "process":
        opened = await open_process_case(tmp_path)
    elif request.param == "kubernetes":
        opened = await _open_kubernetes(request.getfixturevalue("cluster"), tmp_path)
    else:
        podman: Podman = request.getfixturevalue("podman")
        settings = Settings(socket=request.getfixturevalue("podman_socket"), arguments=podman.arguments)
        opened = await open_container_case(tmp_path, settings, podman.image)
    yield opened
    if request.param == "container":  # many networks on a machine make the next one slow
        await opened.engine.prune(before=math.inf)
    await opened.engine.close()


@pytest.fixture
async def kubernetes_case(cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesCase]:
    """The Kubernetes engine alone."""
    opened = await _open_kubernetes(cluster, tmp_path)
    yield opened
    await opened.engine.close()


async def _open_kubernetes(cluster: Cluster, directory: Path) -> KubernetesCase:
    """Give the engine with nothing run yet: what other tests ran is removed."""
    cluster.clear()
    settings = kubernetes.Settings(
        namespace=cluster.namespace,
        installation=f"test-{uuid4().hex[:8]}",
        kubeconfig=str(cluster.kubeconfig),
        context=cluster.context,
        pending_timeout=20.0,
    )
    case = await open_kubernetes_case(directory, settings, cluster.image)
    case.may_lack_bash = cluster.server is None
    return case
