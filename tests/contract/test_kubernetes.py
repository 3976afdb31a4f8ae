"""What only the Kubernetes engine promises: why runs do not start, and what others do to their objects."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from demo.watched import PATIENCE
from executor.kubernetes.client import Client
from executor.kubernetes.controller import creating
from executor.kubernetes.controller.orders import RunOrder
from executor.kubernetes.controller.stopping import Stop
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.resources import FINALIZER, INSTALLATION
from executor.spec import Outcome, Pending, Reference, Result, RunSpec, Secret, Started
from tests.contract.cases import KubernetesCase, ended, open_kubernetes_case, seen, sh, started, text
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.images import NO_SHELL

pytestmark = pytest.mark.kubernetes

NOWHERE = "registry.invalid/acme/shop@sha256:" + "0" * 64


@asynccontextmanager
async def opened(case: KubernetesCase, **changes: Any) -> AsyncIterator[KubernetesCase]:
    """Another bot of the same installation, with other settings and a log directory of its own."""
    settings = replace(case.settings, **changes)
    other = await open_kubernetes_case(case.directory / "other", settings, case.base)
    yield other
    await other.engine.close()


def patience(cluster: Cluster) -> float:
    """Seconds in which a node has said why a container does not start; a real one takes its time."""
    return 2.0 if cluster.server else 20.0


async def said_by(case: KubernetesCase, spec: RunSpec) -> tuple[list[str], Outcome]:
    """Run it to its end; gives what it waited for, and the end."""
    waited: list[str] = []
    async for progress in case.engine.run(spec):
        if isinstance(progress, Pending):
            waited.append(progress.reason)
        elif isinstance(progress, Outcome):
            return waited, progress
    raise AssertionError("it never ended")


async def pods_of(cluster: Cluster, key: str) -> list[dict[str, Any]]:
    said = await asyncio.to_thread(cluster.get, f"pods?labelSelector=job-name%3D{key}")
    found: list[dict[str, Any]] = said["items"]
    return found


async def ask(cluster: Cluster, method: str, path: str, body: Any = None) -> None:
    answer = await asyncio.to_thread(cluster.ask, method, path, body)
    assert answer.is_success, answer.text


@asynccontextmanager
async def running(
    case: KubernetesCase, key: str, script: str = "sleep 60", **more: Any
) -> AsyncIterator["asyncio.Task[Outcome]"]:
    """A run of which `ready` has been seen."""
    spec = sh(key, f"echo ready; {script}", image=case.base, **more)
    task = asyncio.create_task(ended(case.engine.run(spec)))
    await seen(case.logs, key, b"ready\n")
    yield task
    await task


async def test_image_that_cannot_be_pulled_ends_with_the_words_of_the_registry(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    async with opened(kubernetes_case, pending_timeout=patience(cluster)) as case:
        _, outcome = await said_by(case, sh(key, "true", image=NOWHERE))
        assert outcome.result is Result.ERROR
        assert outcome.reason in ("ErrImagePull", "ImagePullBackOff")
        assert "registry.invalid" in str(outcome.message)
        assert str(outcome.message) in await text(case.logs, key)


async def test_run_that_fits_on_no_node_says_what_the_scheduler_says(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    async with opened(
        kubernetes_case, pending_timeout=patience(cluster), pod={"nodeSelector": {"disk": "gold"}}
    ) as case:
        waited, outcome = await said_by(case, sh(key, "true", image=case.base))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "Unschedulable")
    assert "nodes are available" in str(outcome.message)
    assert any("nodes are available" in words for words in waited)


@pytest.mark.parametrize("kind", ["secret", "configmap"])
async def test_run_that_refers_to_what_is_not_there_says_that(
    kubernetes_case: KubernetesCase, cluster: Cluster, kind: Any, key: str
) -> None:
    spec = sh(key, "true", image=kubernetes_case.base, references={"A": Reference(kind, "none", "a")})
    async with opened(kubernetes_case, pending_timeout=patience(cluster)) as case:
        _, outcome = await said_by(case, spec)
    assert (outcome.result, outcome.reason) == (Result.ERROR, "CreateContainerConfigError")
    assert f'{kind} "none" not found' in str(outcome.message)


async def test_value_that_only_the_cluster_has_reaches_the_job_and_is_masked(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    case = kubernetes_case
    await ask(
        cluster, "POST", "secrets", {"metadata": {"name": "shop-db"}, "stringData": {"url": "hunter22"}}
    )
    spec = sh(
        key,
        'test "$URL" = hunter22 && echo "it is $URL"',
        image=case.base,
        references={"URL": Reference("secret", "shop-db", "url")},
    )
    outcome = await ended(case.engine.run(spec))
    await ask(cluster, "DELETE", "secrets/shop-db")
    assert outcome.result is Result.SUCCEEDED
    assert await text(case.logs, key) == "it is ***\n"


async def test_quota_lets_a_run_wait_and_says_so(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"requests.cpu": "0"}}}
    await ask(cluster, "POST", "resourcequotas", quota)
    await asyncio.to_thread(
        cluster.wait_for, "resourcequotas/none", lambda item: cluster.server or item["status"].get("hard")
    )
    waiting = kubernetes_case.engine.run(sh(key, "true", image=kubernetes_case.base, cpu=0.1))
    async for progress in waiting:
        assert isinstance(progress, Pending)
        if "exceeded quota: none" in progress.reason:
            break
    else:
        raise AssertionError("it did not wait")
    await ask(cluster, "DELETE", "resourcequotas/none")
    await kubernetes_case.engine.stop(key)
    assert (await ended(waiting)).result is Result.CANCELLED


async def test_pod_that_somebody_else_kills_is_lost(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    async with running(kubernetes_case, key) as run:
        (pod,) = await pods_of(cluster, key)
        await ask(cluster, "DELETE", f"pods/{pod['metadata']['name']}?gracePeriodSeconds=1")
        outcome = await run
    assert (outcome.result, outcome.reason) == (Result.ERROR, "ContainerLost")
    assert "deleted by somebody else" in str(outcome.message)


async def test_job_that_somebody_else_deletes_is_lost(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    async with running(kubernetes_case, key) as run:
        await ask(cluster, "DELETE", f"jobs/{key}?propagationPolicy=Background")
        outcome = await run
    assert (outcome.result, outcome.reason) == (Result.ERROR, "ContainerLost")
    again = await ended(kubernetes_case.engine.run(sh(key, "true", image=kubernetes_case.base)))
    assert (again.result, again.reason) == (Result.ERROR, "ContainerLost")


async def test_job_of_the_same_name_that_is_not_ours_is_left_alone(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    container = {"name": "job", "image": cluster.image, "command": ["sleep", "60"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    await ask(cluster, "POST", "jobs", {"metadata": {"name": key}, "spec": {"template": template}})
    outcome = await ended(kubernetes_case.engine.run(sh(key, "true", image=kubernetes_case.base)))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "NameTaken")
    await kubernetes_case.engine.stop(key)
    await kubernetes_case.engine.remove(key)
    job = await asyncio.to_thread(cluster.get, f"jobs/{key}")
    assert "deletionTimestamp" not in job["metadata"]
    assert not job["spec"].get("suspend")


async def test_job_of_a_run_passes_pod_security_restricted_and_has_no_secret_in_it(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    case, secret = kubernetes_case, Secret("hunter22-for-real")
    spec = sh(
        key,
        'cat /etc/plain.ini /etc/key.pem; echo "$TOKEN" | wc -c',
        image=case.base,
        env={"TOKEN": secret.reveal(), "PLAIN": "seen"},
        files={"etc/plain.ini": "plain\n", "etc/key.pem": f"key {secret.reveal()}\n"},
        secrets=(secret,),
    )
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
    assert await text(case.logs, key) == "plain\nkey ***\n18\n"
    job = await asyncio.to_thread(cluster.get, f"jobs/{key}")
    assert secret.reveal() not in json.dumps([job, await pods_of(cluster, key)])
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert job["spec"]["template"]["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert job["spec"]["backoffLimit"] == 0
    owned = await asyncio.to_thread(
        cluster.wait_for, f"secrets/{key}", lambda item: item["metadata"].get("ownerReferences")
    )
    assert owned["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]


async def test_remove_takes_all_that_was_made_for_a_run(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    case, secret = kubernetes_case, Secret("hunter22-for-real")
    spec = sh(key, "true", image=case.base, env={"A": secret.reveal()}, secrets=(secret,), files={"a": "b"})
    await ended(case.engine.run(spec))
    for kind in ("secrets", "configmaps"):
        await asyncio.to_thread(
            cluster.wait_for, f"{kind}/{key}", lambda item: item["metadata"].get("ownerReferences")
        )
    (pod,) = await pods_of(cluster, key)
    assert FINALIZER in pod["metadata"]["finalizers"]
    await case.engine.remove(key)
    for path in (f"jobs/{key}", f"pods/{pod['metadata']['name']}", f"secrets/{key}", f"configmaps/{key}"):
        await asyncio.to_thread(cluster.wait_until_gone, path)


async def test_pod_whose_job_is_gone_is_pruned(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    case = kubernetes_case
    await ended(case.engine.run(sh(key, "true", image=case.base)))
    (pod,) = await pods_of(cluster, key)
    assert pod["metadata"]["labels"][INSTALLATION] == case.settings.installation
    await ask(cluster, "DELETE", f"jobs/{key}?propagationPolicy=Background")
    await asyncio.to_thread(cluster.wait_until_gone, f"jobs/{key}")
    assert await pods_of(cluster, key)
    async with asyncio.timeout(PATIENCE):
        while await pods_of(cluster, key):
            await case.engine.prune(before=10**11)


async def test_outcome_is_read_again_by_another_bot(kubernetes_case: KubernetesCase, key: str) -> None:
    spec = sh(key, "echo said; exit 9", image=kubernetes_case.base)
    outcome = await ended(kubernetes_case.engine.run(spec))
    assert outcome.exit_code == 9
    async with opened(kubernetes_case) as other:
        assert await ended(other.engine.run(spec)) == outcome
        assert await text(other.logs, key) == "said\n"


async def test_exit_code_of_a_stopped_job_is_seen_by_who_asks_later(
    kubernetes_case: KubernetesCase, key: str
) -> None:
    async with running(
        kubernetes_case, key, "trap 'exit 7' TERM; while :; do sleep 0.05; done", grace=10.0
    ) as run:
        async with opened(kubernetes_case) as other:
            await other.engine.stop(key)
        outcome = await run
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 7)


async def test_run_that_had_ended_before_its_pod_was_drained_ended_by_itself(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    spec = sh(key, "exit 7", image=kubernetes_case.base)
    async with opened(kubernetes_case) as other:
        await started(other.engine.run(spec))
    pods = f"pods?labelSelector=job-name%3D{key}"
    ends = await asyncio.to_thread(
        cluster.wait_for,
        pods,
        lambda found: [one for one in found["items"] if one["status"]["phase"] == "Failed"],
    )
    await asyncio.sleep(1.0)  # times of objects are whole seconds
    name = ends["items"][0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    await ask(cluster, "POST", f"pods/{name}/eviction", eviction)
    outcome = await ended(kubernetes_case.engine.run(spec))
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.FAILED, 7, None)


async def test_image_without_a_shell_is_stopped_and_the_log_says_who_was_told(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    if cluster.server is None:
        pytest.skip("ERRAND_TEST_IMAGE has a shell")
    spec = RunSpec(key, ("sleep", "60"), image=NO_SHELL, grace=5.0)
    progress = kubernetes_case.engine.run(spec)
    async for item in progress:
        if isinstance(item, Started):
            await kubernetes_case.engine.stop(key)
            break
    outcome = await ended(progress)
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 143)
    assert "first process only" in await text(kubernetes_case.logs, key)


async def test_job_that_was_made_though_nothing_said_so_is_stopped(
    kubernetes_case: KubernetesCase, key: str
) -> None:
    case, key = kubernetes_case, key
    order = RunOrder(key, case.settings.namespace, not_made, (), 60.0, 1.0, 10.0)
    progress = case.engine.run(sh(key, "sleep 60", image=case.base))
    await started(progress)
    client = await Client.open(case.settings)
    try:
        await creating.discard(client, replace(order, key=f"{key}-9"), Stop(Result.CANCELLED))
        await creating.discard(client, order, Stop(Result.ERROR, "CreateDeferred", "too busy"))
    finally:
        await client.close()
    outcome = await ended(progress)
    assert (outcome.result, outcome.reason) == (Result.ERROR, "CreateDeferred")


async def not_made() -> Manifests:
    raise AssertionError("it is there")


async def test_deadline_of_the_cluster_ends_what_no_bot_attends(
    kubernetes_case: KubernetesCase, cluster: Cluster, key: str
) -> None:
    spec = sh(key, "echo ready; exec sleep 60", image=kubernetes_case.base)
    async with opened(kubernetes_case) as other:
        async for item in other.engine.run(spec):
            if isinstance(item, Started):
                break
    change = {"spec": {"activeDeadlineSeconds": 1}}
    answer = await asyncio.to_thread(
        cluster.ask, "PATCH", f"jobs/{key}", change, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.is_success, answer.text
    outcome = await ended(kubernetes_case.engine.run(spec))
    assert (outcome.result, outcome.reason) == (Result.TIMED_OUT, "DeadlineExceeded")
