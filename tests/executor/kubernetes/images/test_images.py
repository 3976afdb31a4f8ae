"""Which image is meant: real registries, an API server that gives objects."""

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.client import Client
from executor.kubernetes.images import keys
from executor.kubernetes.images.images import Images
from executor.kubernetes.objects.pods import ImageFacts
from executor.kubernetes.settings import Builder, Settings
from executor.spec import Live, Outcome, Pending, Progress, Result
from tests.executor.kubernetes.places import Cluster, basic, kubeconfig, push, served
from tests.registry import PASSWORD, USER, Registry, closed_registry, registry

__all__ = ["closed_registry", "registry"]

DIGEST = "sha256:" + "a1" * 32
ACCOUNT = "/api/v1/namespaces/jobs/serviceaccounts/default"
AUTH = "/api/v1/namespaces/jobs/secrets/registry-auth"
HUB = "/api/v1/namespaces/jobs/secrets/hub"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path) -> Iterator[Settings]:
    with served(cluster.answer) as host:
        builder = Builder(registry_secret="registry-auth")
        yield Settings("jobs", "here", kubeconfig=kubeconfig(tmp_path, host), builder=builder)


@pytest.fixture
async def images(settings: Settings) -> AsyncIterator[Images]:
    client = await Client.open(settings)
    yield Images(client, settings, patience=0.2)
    await client.close()


def secret(host: str) -> dict[str, Any]:
    auths = {"auths": {host: {"username": USER, "password": PASSWORD}}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps(auths).encode()).decode()}
    return {"type": "kubernetes.io/dockerconfigjson", "data": data}


async def all_of(progress: AsyncIterator[Progress]) -> list[Progress]:
    return [one async for one in progress]


async def end_of(progress: AsyncIterator[Progress]) -> Outcome:
    end = (await all_of(progress))[-1]
    assert isinstance(end, Outcome)
    return end


async def test_a_tag_is_pinned_to_the_digest_of_its_registry(images: Images, registry: Registry) -> None:
    digest = push(registry.host, "acme/tools", "1.4")
    end = await end_of(images.pin(f"{registry.host}/acme/tools:1.4"))
    assert end == Outcome(Result.SUCCEEDED, image=f"{registry.host}/acme/tools@{digest}")
    assert await images.has_image(f"{registry.host}/acme/tools@{digest}")


@pytest.mark.parametrize("image", [f"registry.example.com/acme/tools@{DIGEST}", "localhost/busybox:1.35"])
async def test_a_digest_and_what_only_nodes_have_need_no_registry(images: Images, image: str) -> None:
    assert await end_of(images.pin(image)) == Outcome(Result.SUCCEEDED, image=image)


async def test_an_image_that_is_not_there(images: Images, registry: Registry) -> None:
    end = await end_of(images.pin(f"{registry.host}/acme/none:1"))
    assert (end.result, end.reason) == (Result.ERROR, "ImageMissing")
    assert "manifest unknown" in str(end.message)
    assert not await images.has_image(f"{registry.host}/acme/none@{DIGEST}")


async def test_what_is_no_reference_is_missing(images: Images) -> None:
    assert (await end_of(images.pin("No Image"))).reason == "ImageMissing"
    assert not await images.has_image(DIGEST)
    assert await images.has_image("localhost/shop:1")


async def test_a_closed_registry_opens_to_the_secret_of_builds(
    images: Images, cluster: Cluster, closed_registry: Registry
) -> None:
    cluster.objects[AUTH] = secret(closed_registry.host)
    digest = push(closed_registry.host, "acme/tools", "1", user="1000", login=basic(USER, PASSWORD))
    image = (await end_of(images.pin(f"{closed_registry.host}/acme/tools:1"))).image
    assert image == f"{closed_registry.host}/acme/tools@{digest}"
    assert await images.facts(image) == ImageFacts(is_non_root=True, pull_secrets=("registry-auth",))


async def test_a_closed_registry_opens_to_the_secrets_of_the_service_account(
    images: Images, cluster: Cluster, closed_registry: Registry
) -> None:
    cluster.objects |= {ACCOUNT: {"imagePullSecrets": [{"name": "hub"}]}, HUB: secret(closed_registry.host)}
    digest = push(closed_registry.host, "acme/tools", "1", login=basic(USER, PASSWORD))
    image = (await end_of(images.pin(f"{closed_registry.host}/acme/tools:1"))).image
    assert image == f"{closed_registry.host}/acme/tools@{digest}"
    assert await images.facts(image) == ImageFacts()  # the server itself gives a pod those of its account


async def test_a_pod_that_needs_the_secret_of_builds_keeps_those_of_its_account(
    images: Images, cluster: Cluster
) -> None:
    cluster.objects |= {ACCOUNT: {"imagePullSecrets": [{"name": "hub"}]}, AUTH: secret("127.0.0.1:1")}
    assert (await images.facts(f"127.0.0.1:1/acme/tools@{DIGEST}")).pull_secrets == ("hub", "registry-auth")


async def test_a_registry_whose_secret_is_out_of_reach_refuses(
    images: Images, cluster: Cluster, closed_registry: Registry
) -> None:
    cluster.forbidden |= {AUTH, ACCOUNT}
    end = await end_of(images.pin(f"{closed_registry.host}/acme/tools:1"))
    assert (end.result, end.reason) == (Result.ERROR, "PullRefused")
    assert await images.has_image(f"{closed_registry.host}/acme/tools@{DIGEST}")


async def test_an_open_registry_needs_no_secret(images: Images, cluster: Cluster, registry: Registry) -> None:
    push(registry.host, "acme/tools", "1")
    await end_of(images.pin(f"{registry.host}/acme/tools:1"))
    assert cluster.asked == []


async def test_a_registry_that_does_not_answer_is_asked_again_for_a_while(
    images: Images, registry: Registry
) -> None:
    registry.stop()
    said = await all_of(images.pin(f"{registry.host}/acme/tools:1"))
    assert isinstance(said[0], Pending)
    assert "does not answer" in said[0].reason
    assert len(said) == 2
    assert isinstance(said[1], Outcome)
    assert (said[1].result, said[1].reason) == (Result.ERROR, "PullRefused")
    assert await images.has_image(f"{registry.host}/acme/tools@{DIGEST}")


async def test_a_registry_that_comes_back_is_pinned(images: Images, registry: Registry) -> None:
    digest = push(registry.host, "acme/tools", "1")
    registry.stop()
    said = []
    async for one in images.pin(f"{registry.host}/acme/tools:1"):
        said.append(one)
        if isinstance(one, Pending):
            registry.start()
    assert said[-1] == Outcome(Result.SUCCEEDED, image=f"{registry.host}/acme/tools@{digest}")


@pytest.mark.parametrize(
    ("user", "is_non_root"),
    [
        ("1000", True),
        ("1000:0", True),
        ("0", False),
        ("", False),
        ("00:1", False),
        ("www-data", False),
        ("²", False),
    ],
)
async def test_only_a_number_is_known_not_to_be_root(
    images: Images, registry: Registry, user: str, is_non_root: bool
) -> None:
    digest = push(registry.host, "acme/tools", "1", user=user, platforms=True)
    image = f"{registry.host}/acme/tools@{digest}"
    assert (await images.facts(image)).is_non_root is is_non_root
    registry.stop()
    assert (await images.facts(image)).is_non_root is is_non_root


async def test_nothing_is_known_of_an_image_that_nobody_tells_of(images: Images, registry: Registry) -> None:
    registry.stop()
    for image in (f"{registry.host}/acme/tools@{DIGEST}", "localhost/busybox:1.35", "No Image"):
        assert await images.facts(image) == ImageFacts()


async def test_a_workload_that_is_not_there(images: Images) -> None:
    end = await end_of(images.pin(Live("deployment/shop")))
    assert (end.result, end.reason) == (Result.ERROR, "WorkloadMissing")


async def test_a_cronjob_that_never_ran_has_its_image_pinned_by_the_registry(
    images: Images, cluster: Cluster, registry: Registry
) -> None:
    digest = push(registry.host, "acme/tools", "1")
    template = {"spec": {"containers": [{"name": "job", "image": f"{registry.host}/acme/tools:1"}]}}
    cluster.objects |= {
        "/apis/batch/v1/namespaces/jobs/cronjobs/nightly": {
            "metadata": {"name": "nightly", "namespace": "jobs", "uid": "1"},
            "spec": {"jobTemplate": {"spec": {"template": template}}},
        },
        "/api/v1/namespaces/jobs/pods": [],
    }
    end = await end_of(images.pin(Live("cronjob/nightly")))
    assert end.image == f"{registry.host}/acme/tools@{digest}"
    assert end.message == "No pod of it tells which image it runs: as written."


async def test_workload_that_the_server_does_not_show_for_now_is_asked_for_again(
    cluster: Cluster, settings: Settings, images: Images
) -> None:
    cluster.objects["/apis/apps/v1/namespaces/jobs/deployments/web"] = {"spec": {"selector": {}}}
    cluster.objects["/api/v1/namespaces/jobs/pods"] = []
    wanted = Live("deployment/web")
    assert (await end_of(images.pin(wanted))).reason == "WorkloadNotReady"
    cluster.problems = [(403, 'User "errand" cannot get resource "deployments"')]
    waited, end = await all_of(images.pin(wanted))
    assert isinstance(waited, Pending)
    assert "cannot get resource" in waited.reason
    assert isinstance(end, Outcome)
    assert end.reason == "WorkloadNotReady"


async def test_workload_that_the_server_never_shows_again_is_missing_in_the_end(
    cluster: Cluster, settings: Settings
) -> None:
    client = await Client.open(settings)
    cluster.problems = [(500, "Internal error occurred")] * 9
    images = Images(client, replace(settings, pending_timeout=0.1))
    end = await end_of(images.pin(Live("deployment/web")))
    await client.close()
    assert (end.reason, end.message) == ("WorkloadMissing", "Internal error occurred")


async def test_credentials_that_are_not_shown_for_now_are_those_of_before(
    cluster: Cluster, images: Images, closed_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_KEPT", 0.0)
    push(closed_registry.host, "acme/tools", "1", login=basic(USER, PASSWORD))
    cluster.objects |= {ACCOUNT: {}, AUTH: secret(closed_registry.host)}
    wanted = f"{closed_registry.host}/acme/tools:1"
    assert (await end_of(images.pin(wanted))).result is Result.SUCCEEDED
    refusals = [(403, 'User "errand" cannot get resource "serviceaccounts"')] * 2
    cluster.problems = [*refusals]
    assert (await end_of(images.pin(wanted))).result is Result.SUCCEEDED
    monkeypatch.setattr(keys, "_LAPSE", 0.0)
    cluster.problems = [*refusals]
    assert (await end_of(images.pin(wanted))).reason == "PullRefused"
