"""Builds on a real cluster whose node is this machine, and which has images of the builders.

`ERRAND_TEST_KUBECONFIG` names the cluster, `ERRAND_TEST_BUILDKIT` and `ERRAND_TEST_BUILDAH` images such as
`moby/buildkit:rootless`. The pods use the network of the node, to reach git and the registry here.
"""

import asyncio
import base64
import json
import os
import secrets
import urllib.request
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.client import Client
from executor.kubernetes.engine import KubernetesEngine
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import JOBS, SECRETS, Resource
from executor.kubernetes.settings import Builder, Settings
from executor.kubernetes.settings import Registry as Access
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Recipe, Result, Secret, Source
from tests.contract.cases import ended, seen, text
from tests.executor.checkout.test_builder import Repository
from tests.executor.checkout.test_git_over_http import TOKEN, Host, host
from tests.executor.kubernetes.building.test_build_script import FROM, shop
from tests.registry import PASSWORD, USER, Registry, closed_registry

__all__ = ["closed_registry", "host", "shop"]

NAMESPACE = "errand-builds"
NAMESPACES = Resource("api/v1", "namespaces", "Namespace")
KUBECONFIG = os.environ.get("ERRAND_TEST_KUBECONFIG")
IMAGES = {kind: os.environ.get(f"ERRAND_TEST_{kind.upper()}") for kind in ("buildkit", "buildah")}

pytestmark = pytest.mark.skipif(KUBECONFIG is None, reason="needs ERRAND_TEST_KUBECONFIG")


class Case:
    """An engine that builds with `kind`; what it made goes with `close`."""

    def __init__(self, settings: Settings, logs: LogStore, repository: str, url: str) -> None:
        self.settings = settings
        self.logs = logs
        self.repository = repository
        self.key = f"build-{secrets.token_hex(8)}"
        self.engine = KubernetesEngine(settings, logs)
        self._url = url

    def spec(self, commit: str, timeout: float = 120.0, **recipe: Any) -> BuildSpec:
        source = Source("acme/shop", f"{self._url}/acme/shop", commit, Secret(TOKEN))
        return BuildSpec(
            self.key, "shop", source, recipe=Recipe(push=self.repository, **recipe), timeout=timeout
        )


async def prepare(client: Client, registry: Registry) -> None:
    """Make what the pods of builds find."""
    with suppress(Refused):
        metadata = {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}
        await client.create(NAMESPACES, None, {"metadata": metadata})
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    login = json.dumps({"auths": {registry.host: {"auth": basic}}})
    data = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": login}}
    await client.delete(SECRETS, NAMESPACE, "login")
    await client.create(SECRETS, NAMESPACE, {"metadata": {"name": "login"}, **data})


@pytest.fixture(params=["buildkit", "buildah"])
async def case(
    request: pytest.FixtureRequest, tmp_path: Path, host: Host, closed_registry: Registry
) -> AsyncIterator[Case]:
    image = IMAGES[request.param]
    if image is None:
        pytest.skip(f"needs ERRAND_TEST_{request.param.upper()}")
    builder = Builder(request.param, image, "login", {"hostNetwork": True})  # the registry is on this machine
    known = {closed_registry.host: Access(http=True)}
    settings = Settings(NAMESPACE, "test", kubeconfig=KUBECONFIG, builder=builder, registries=known)
    client = await Client.open(settings)
    await prepare(client, closed_registry)
    logs = LogStore(tmp_path / "logs", 1024 * 1024)
    made = Case(settings, logs, f"{closed_registry.host}/acme/shop", host.url)
    await made.engine.open()
    yield made
    await made.engine.remove(made.key)
    for resource in (JOBS, SECRETS):
        async with asyncio.timeout(60):
            while await exists(client, resource, made.key):  # noqa: ASYNC110  # the cluster deletes it
                await asyncio.sleep(0.05)
    await made.engine.close()
    await client.close()


async def exists(client: Client, resource: Resource, name: str) -> bool:
    try:
        await client.get(resource, NAMESPACE, name)
    except Refused:
        return False
    return True


def has(registry: Registry, image: str) -> bool:
    """Whether the registry has the image by its digest."""
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(_passwords(registry)))
    accept = (
        "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    )
    url = f"http://{registry.host}/v2/acme/shop/manifests/{image.partition('@')[2]}"
    with opener.open(urllib.request.Request(url, headers={"Accept": accept}), timeout=10) as answer:
        return bool(answer.status == 200)


def _passwords(registry: Registry) -> urllib.request.HTTPPasswordMgrWithDefaultRealm:
    known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    known.add_password(None, f"http://{registry.host}", USER, PASSWORD)
    return known


async def test_commit_is_built_and_pushed_and_its_secrets_are_masked(
    case: Case, shop: Repository, closed_registry: Registry
) -> None:
    step = "RUN --mount=type=secret,id=NPM_TOKEN cat /run/secrets/NPM_TOKEN; echo $WORD\n"
    commit = shop.commit(Dockerfile=f"{FROM}ARG WORD\n{step}")
    recipe: dict[str, Any] = {
        "arguments": {"WORD": f"is-$({PASSWORD})"},
        "secrets": {"NPM_TOKEN": Secret("npm_SECRET")},
    }
    outcome = await ended(case.engine.build(case.spec(commit, **recipe)))
    log = await text(case.logs, case.key)
    assert outcome.result is Result.SUCCEEDED, log
    assert (outcome.image or "").startswith(f"{case.repository}@sha256:")
    assert has(closed_registry, outcome.image or "")
    assert "***" in log
    assert not [value for value in ("npm_SECRET", PASSWORD, TOKEN) if value in log]


async def test_failing_step_is_a_failed_build(case: Case, shop: Repository) -> None:
    outcome = await ended(case.engine.build(case.spec(shop.commit(Dockerfile=FROM + "RUN exit 9\n"))))
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.FAILED, "BuildFailed", 9)


async def test_stopped_build_is_cancelled_at_once(case: Case, shop: Repository) -> None:
    commit = shop.commit(Dockerfile=FROM + "RUN echo ready-$((1 + 1)); sleep 600\n")
    building = asyncio.create_task(ended(case.engine.build(case.spec(commit))))
    await seen(case.logs, case.key, b"ready-2\n")
    async with asyncio.timeout(30):
        await case.engine.stop(case.key)
        outcome = await building
    assert (outcome.result, outcome.image) == (Result.CANCELLED, None)


async def test_build_is_timed_out(case: Case, shop: Repository) -> None:
    commit = shop.commit(Dockerfile=FROM + "RUN sleep 600\n")
    outcome = await ended(case.engine.build(case.spec(commit, timeout=3.0)))
    assert (outcome.result, outcome.reason) == (Result.TIMED_OUT, "DeadlineExceeded")


async def test_another_bot_goes_on_with_the_build(case: Case, shop: Repository) -> None:
    step = "RUN echo ready-$((1 + 1)); sleep 5; echo done-$((1 + 1))\n"
    spec = case.spec(shop.commit(Dockerfile=FROM + step))
    building = asyncio.create_task(ended(case.engine.build(spec)))
    await seen(case.logs, case.key, b"ready-2\n")
    building.cancel()
    await asyncio.gather(building, return_exceptions=True)
    await case.engine.close()
    case.engine = KubernetesEngine(case.settings, case.logs)
    await case.engine.open()
    outcome = await ended(case.engine.build(spec))
    log = await text(case.logs, case.key)
    assert outcome.result is Result.SUCCEEDED, log
    assert (log.count("ready-2\n"), log.count("done-2\n")) == (1, 1)
    assert await ended(case.engine.build(spec)) == outcome
