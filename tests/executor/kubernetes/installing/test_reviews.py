"""A cluster is asked for every right that is used, and what is missing is said."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client
from executor.kubernetes.installing.access import Uses, rules
from executor.kubernetes.installing.reviews import review, reviewed
from executor.kubernetes.resources import DEPLOYMENTS, SECRETS, Resource
from executor.kubernetes.settings import Settings
from executor.spec import Live
from tests.kubernetes.serving import Server, serving

NAMESPACES = Resource("api/v1", "namespaces", "Namespace")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of its own: nothing runs here, so it needs nothing of this machine."""
    with serving("--cheap", "--namespace", "jobs") as server:
        yield server


@pytest.fixture
def admin(server: Server) -> Settings:
    return Settings("jobs", "one", context="admin", kubeconfig=str(server.kubeconfig))


@pytest.fixture
async def client(admin: Settings) -> AsyncIterator[Client]:
    client = await Client.open(admin)
    yield client
    await client.close()


async def test_who_may_all_misses_nothing(admin: Settings) -> None:
    uses = Uses(secrets={"jobs": frozenset({"shop-db"})})
    told = await reviewed(admin, uses, has_builds=True)
    assert told.is_right
    assert [answer.rule for answer in told.answers] == list(rules(admin, uses))
    assert (told.problems, told.hints) == ((), ())


async def test_what_is_missing_is_said_verb_by_verb(admin: Settings) -> None:
    """The Role of the server is that of Errand, which may not read this kind."""
    settings = replace(admin, context="errand")
    told = await reviewed(settings, Uses((Live("deployment/web"),)), has_builds=False)
    assert [answer.missing for answer in told.answers if answer.rule.target == "jobs"] == [()]
    client = await Client.open(settings)
    try:
        odd = replace(told.answers[0].rule, resource=Resource("apis/apps/v1", "replicasets", "ReplicaSet"))
        (answer,) = (await review(client, [odd], builds_in=None)).answers
        assert answer.missing == odd.verbs
        named = replace(odd, verbs=("get",), names=("a", "b"))
        (answer,) = (await review(client, [named], builds_in=None)).answers
        assert answer.missing == ("a", "b")
    finally:
        await client.close()


async def test_namespace_that_does_not_exist_is_told(admin: Settings) -> None:
    told = await reviewed(replace(admin, namespace="nowhere"), Uses(), has_builds=False)
    assert told.problems == ("There is no namespace nowhere.",)
    assert not told.is_right


async def test_namespace_that_admits_no_builder_is_told_where_images_are_built(
    admin: Settings, client: Client
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await client.create(NAMESPACES, None, {"metadata": {"name": "strict", "labels": labels}})
    settings = replace(admin, namespace="strict")
    told = await reviewed(settings, Uses(), has_builds=True)
    assert told.is_right
    assert ["strict enforces the pod security level restricted" in hint for hint in told.hints] == [True]
    assert not (await reviewed(settings, Uses(), has_builds=False)).hints


async def test_secrets_of_a_live_workload_are_asked_for(admin: Settings, client: Client) -> None:
    container = {
        "name": "web",
        "image": "registry.example.com/web:1",
        "envFrom": [{"secretRef": {"name": "web-env"}}],
        "volumeMounts": [{"name": "tls", "mountPath": "/tls"}],
    }
    volume = {"name": "tls", "secret": {"secretName": "web-tls"}}
    pod = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
    job = {"spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}}
    body = {
        "metadata": {"name": "web"},
        "spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job},
    }
    await client.create(Resource("apis/batch/v1", "cronjobs", "CronJob"), "jobs", body)
    told = await reviewed(admin, Uses((Live("cronjob/web"),)), has_builds=False)
    asked = [answer.rule.names for answer in told.answers if answer.rule.resource == SECRETS]
    assert ("web-env", "web-tls") in asked


async def test_live_workload_that_is_not_there_is_told(admin: Settings) -> None:
    told = await reviewed(admin, Uses((Live("deployment/gone"),)), has_builds=False)
    assert told.hints == ("Live image of deployment/gone: There is no deployment/gone in namespace jobs.",)
    assert any(answer.rule.resource == DEPLOYMENTS for answer in told.answers)


async def test_cluster_that_does_not_know_who_asks_is_told(
    admin: Settings, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(server.kubeconfig.read_text().replace("admin-token", "old-token"))
    with pytest.raises(EngineUnavailable, match="refuses to be asked: Unauthorized"):
        await reviewed(replace(admin, kubeconfig=str(file)), Uses(), has_builds=False)


async def test_cluster_that_does_not_answer_is_told(admin: Settings) -> None:
    with serving("--cheap") as other:
        file = other.kubeconfig.read_text()
    gone = Path(admin.kubeconfig or "").with_name("gone")
    gone.write_text(file)
    with pytest.raises(EngineUnavailable, match="no connection to the API server"):
        await reviewed(replace(admin, kubeconfig=str(gone)), Uses(), has_builds=False)
