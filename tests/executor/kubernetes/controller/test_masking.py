"""What no log of a run may show, asked of an API server that gives objects."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.client import Client
from executor.kubernetes.controller.masking import hidden
from executor.kubernetes.settings import Settings
from executor.kubernetes.watching import states
from executor.outcomes import RunEnded
from tests.executor.kubernetes.places import Cluster, kubeconfig, served

SECRETS = "/api/v1/namespaces/jobs/secrets"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def client(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Client]:
    with served(cluster.answer) as host:
        opened = await Client.open(Settings("jobs", "here", kubeconfig=kubeconfig(tmp_path, host)))
        yield opened
        await opened.close()


def job(*volumes: dict[str, Any], annotations: dict[str, str] | None = None) -> states.Job:
    named = [{"name": f"volume-{number}", **volume} for number, volume in enumerate(volumes)]
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in named]
    env = [{"name": "API_TOKEN", "value": "pa$$word"}, {"name": "MODE", "value": "production"}]
    spec = {"containers": [{"name": "job", "volumeMounts": mounts, "env": env}], "volumes": named}
    metadata = {"name": "run-1", "namespace": "jobs", "annotations": annotations or {}}
    return states.job({"metadata": metadata, "spec": {"template": {"spec": spec}}})


def secret(**values: bytes) -> dict[str, Any]:
    return {"data": {key: base64.b64encode(value).decode() for key, value in values.items()}}


def volume(name: str, *keys: str) -> dict[str, Any]:
    items = [{"key": key, "path": key} for key in keys]
    return {"secret": {"secretName": name, **({"items": items} if items else {})}}


async def test_files_of_secrets_are_hidden(client: Client, cluster: Cluster) -> None:
    cluster.objects |= {
        f"{SECRETS}/tls": secret(key=b"k\n1", crt=b"c", empty=b""),
        f"{SECRETS}/db": secret(url=b"u", other=b"o"),
    }
    assert sorted(await hidden(client, job(volume("tls"), volume("db", "url")))) == [b"c", b"k\n1", b"u"]


async def test_a_secret_that_may_not_be_read_ends_the_run(client: Client, cluster: Cluster) -> None:
    cluster.forbidden.add(f"{SECRETS}/tls")
    with pytest.raises(RunEnded) as ended:
        await hidden(client, job(volume("tls")))
    assert ended.value.outcome.reason == "SecretUnreadable"


async def test_one_that_is_not_there_is_the_pod_s_to_wait_for(client: Client) -> None:
    assert await hidden(client, job(volume("none"))) == []


@pytest.mark.parametrize("size", [(65_537,), (65_000, 65_000, 65_000, 65_000, 3_000)])
async def test_what_is_too_large_to_be_searched_for_ends_the_run(
    client: Client, cluster: Cluster, size: tuple[int, ...]
) -> None:
    cluster.objects |= {f"{SECRETS}/{n}": secret(jks=b"x" * many) for n, many in enumerate(size)}
    with pytest.raises(RunEnded) as ended:
        await hidden(client, job(*(volume(str(n)) for n in range(len(size)))))
    assert ended.value.outcome.reason == "SecretTooLarge"


@pytest.mark.parametrize(
    ("marks", "values"),
    [('["API_TOKEN"]', [b"pa$word"]), ("[", []), ("3", []), ('["GONE"]', [])],
)
async def test_variables_that_the_job_names_are_hidden(
    client: Client, marks: str, values: list[bytes]
) -> None:
    assert await hidden(client, job(annotations={"errand/masked": marks})) == values
