"""What a workload runs now, of an API server that gives objects."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.client import Client
from executor.kubernetes.images.live import workload
from executor.kubernetes.objects.secretrefs import SecretRef
from executor.kubernetes.objects.workloads import Workload
from executor.kubernetes.settings import Settings
from executor.outcomes import RunEnded
from executor.spec import Live
from tests.executor.kubernetes.places import Cluster, kubeconfig, served

DIGEST = "sha256:" + "a1" * 32
IMAGE = "ghcr.io/acme/shop:1"
PODS = "/api/v1/namespaces/jobs/pods"
SHOP = "/apis/apps/v1/namespaces/jobs/deployments/shop"
NIGHTLY = "/apis/batch/v1/namespaces/jobs/cronjobs/nightly"
TOKEN = {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
READY = [{"type": "Ready", "status": "True"}]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path) -> Iterator[Settings]:
    with served(cluster.answer) as host:
        yield Settings("jobs", "here", kubeconfig=kubeconfig(tmp_path, host))


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    opened = await Client.open(settings)
    yield opened
    await opened.close()


def owner(kind: str, name: str, uid: str = "1") -> list[dict[str, Any]]:
    return [{"kind": kind, "name": name, "uid": uid, "controller": True}]


def pod(name: str, **changes: Any) -> dict[str, Any]:
    """A ready pod of the deployment `shop`, whose web server is its second container."""
    metadata = {
        "name": name,
        "namespace": "jobs",
        "labels": {"app": "shop", "pod-template-hash": "77"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "ownerReferences": owner("ReplicaSet", "shop-77", "2"),
    }
    web = {"name": "web", "image": IMAGE, "volumeMounts": [TOKEN]} | changes.get("web", {})
    spec = {"containers": [web, {"name": "side", "image": "x"}], "serviceAccountName": "shop"}
    status = {
        "phase": "Running",
        "conditions": READY,
        "containerStatuses": [{"name": "web", "imageID": f"ghcr.io/acme/shop@{DIGEST}"}],
    }
    return {
        "metadata": metadata | changes.get("metadata", {}),
        "spec": spec | changes.get("spec", {}),
        "status": status | changes.get("status", {}),
    }


def deployment(**changes: Any) -> dict[str, Any]:
    template = {
        "metadata": {},
        "spec": {"containers": [{"name": "web", "image": IMAGE}]} | changes.pop("template", {}),
    }
    spec = {"selector": {"matchLabels": {"app": "shop"}}, "replicas": 1, "template": template}
    return {
        "metadata": {"name": "shop", "namespace": "jobs", "uid": "1"},
        "spec": spec | changes,
        "status": {},
    }


def cronjob(image: str = IMAGE) -> dict[str, Any]:
    template = {
        "spec": {"containers": [{"name": "web", "image": image, "env": [{"name": "A", "value": "1"}]}]}
    }
    spec = {"jobTemplate": {"spec": {"template": template}}}
    return {"metadata": {"name": "nightly", "namespace": "jobs", "uid": "1"}, "spec": spec}


async def refused(client: Client, settings: Settings, live: Live) -> tuple[str | None, str]:
    with pytest.raises(RunEnded) as ended:
        await workload(client, live, settings)
    return ended.value.outcome.reason, str(ended.value.outcome.message)


async def test_what_runs_is_shared(client: Client, settings: Settings, cluster: Cluster) -> None:
    mounts = [TOKEN, {"name": "data", "mountPath": "/data", "mountPropagation": "Bidirectional"}]
    resource = {"containerName": "web", "resource": "limits.cpu"}
    web: dict[str, Any] = {
        "env": [
            {"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url", "optional": True}}},
            {"name": "API_TOKEN", "value": "hunter22"},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": resource}},
        ],
        "envFrom": [{"secretRef": {"name": "all"}}, {"configMapRef": {"name": "conf"}}],
        "volumeMounts": mounts,
        "securityContext": {"runAsUser": 1000, "privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
        "ports": [{"containerPort": 80}],
    }
    spec = {
        "volumes": [{"name": "token"}, {"name": "data", "emptyDir": {}}, {"name": "other", "emptyDir": {}}],
        "imagePullSecrets": [{"name": "hub"}],
        "securityContext": {"fsGroup": 5, "sysctls": [{"name": "x", "value": "1"}]},
        "nodeSelector": {"of": "the pod"},
    }
    template = {"nodeSelector": {"disk": "fast"}, "tolerations": [{"operator": "Exists"}]}
    cluster.objects |= {SHOP: deployment(template=template), PODS: [pod("a", web=web, spec=spec)]}
    assert await workload(client, Live("deployment/shop"), settings) == Workload(
        namespace="jobs",
        image=f"ghcr.io/acme/shop@{DIGEST}",
        env=(*web["env"][:2], {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}),
        env_from=tuple(web["envFrom"]),
        volumes=({"name": "data", "emptyDir": {}},),
        mounts=({"name": "data", "mountPath": "/data"},),
        service_account="shop",
        has_token=True,
        pull_secrets=("hub",),
        placement=template,
        pod_security={"fsGroup": 5},
        container_security={"runAsUser": 1000},
        secrets=(SecretRef("db", "url", True), SecretRef("all", None, False)),
    )


async def test_the_newest_ready_pod_of_the_workload_counts(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    def at(day: int, digest: str, **changes: Any) -> dict[str, Any]:
        metadata = {"creationTimestamp": f"2026-01-0{day}T00:00:00Z"} | changes.pop("metadata", {})
        status = {
            "containerStatuses": [{"name": "web", "imageID": f"ghcr.io/acme/shop@sha256:{digest * 64}"}]
        }
        return pod(f"shop-{day}", metadata=metadata, status=status | changes)

    cluster.objects |= {
        SHOP: deployment(),
        PODS: [
            at(1, "1"),
            at(3, "3"),
            at(2, "2"),
            at(4, "4", conditions=[]),
            at(5, "5", metadata={"deletionTimestamp": "2026-01-05T00:00:00Z"}),
            at(6, "6", metadata={"ownerReferences": owner("ReplicaSet", "shop-web-77")}),
            at(7, "7", metadata={"ownerReferences": []}),
        ],
    }
    found = await workload(client, Live("deployment/shop"), settings)
    assert found.image == "ghcr.io/acme/shop@sha256:" + "3" * 64


@pytest.mark.parametrize(
    ("identity", "image"),
    [
        (f"docker-pullable://ghcr.io/acme/shop@{DIGEST}", f"ghcr.io/acme/shop@{DIGEST}"),
        (f"docker.io/library/busybox@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
        (DIGEST, IMAGE),
        (f"docker://{DIGEST}", IMAGE),
        (f"localhost/shop@{DIGEST}", IMAGE),
        ("nonsense here", IMAGE),
    ],
)
async def test_an_image_that_no_registry_has_is_named_as_written(
    client: Client, settings: Settings, cluster: Cluster, identity: str, image: str
) -> None:
    status = {"containerStatuses": [{"name": "web", "imageID": identity}]}
    cluster.objects |= {SHOP: deployment(), PODS: [pod("a", status=status)]}
    found = await workload(client, Live("deployment/shop"), settings)
    assert (found.image, found.is_pinned) == (image, True)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (
            {
                "containerStatuses": [
                    {"name": "web", "state": {"waiting": {"reason": "ErrImagePull", "message": "no\nway"}}}
                ]
            },
            "a: ErrImagePull: no way.",
        ),
        (
            {"initContainerStatuses": [{"name": "i", "state": {"terminated": {"reason": "Error"}}}]},
            "a: Error.",
        ),
        (
            {
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/3 nodes.",
                    }
                ]
            },
            "a: Unschedulable: 0/3 nodes.",
        ),
        ({"reason": "Evicted", "message": "disk"}, "a: Evicted: disk."),
        ({}, "a: it is Pending."),
    ],
)
async def test_a_workload_without_a_ready_pod_tells_what_its_pods_wait_for(
    client: Client, settings: Settings, cluster: Cluster, status: dict[str, Any], says: str
) -> None:
    not_ready = {"phase": "Pending", "conditions": [], "containerStatuses": []} | status
    cluster.objects |= {SHOP: deployment(), PODS: [pod("a", status=not_ready)]}
    reason, message = await refused(client, settings, Live("deployment/shop"))
    assert reason == "WorkloadNotReady"
    assert message == f"deployment/shop in namespace jobs has no ready pod: {says}"


async def test_a_workload_without_pods_tells_why(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    live, failed = (
        Live("deployment/shop"),
        {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"},
    )
    for found, says in (
        (deployment(replicas=0), "it is scaled to 0."),
        (deployment() | {"status": {"conditions": [failed]}}, "exceeded quota."),
        (deployment(), "it has no pod."),
    ):
        cluster.objects |= {SHOP: found, PODS: []}
        reason, message = await refused(client, settings, live)
        assert (reason, message.rpartition(": ")[2]) == ("WorkloadNotReady", says)


@pytest.mark.parametrize(
    ("live", "says"),
    [
        (Live("deployment/none"), "There is no deployment/none in namespace jobs."),
        (Live("container/shop"), "container/shop is not KIND/NAME"),
        (Live("deployment/../../x"), "is not KIND/NAME"),
        (Live("deployment/"), "is not KIND/NAME"),
        (Live("deployment/shop", namespace="a/b"), "is no namespace"),
        (Live("deployment/shop", container="none"), "has no container 'none'"),
    ],
)
async def test_what_is_not_there_is_missing(
    client: Client, settings: Settings, cluster: Cluster, live: Live, says: str
) -> None:
    cluster.objects |= {SHOP: deployment(), PODS: [pod("a")]}
    reason, message = await refused(client, settings, live)
    assert reason == "WorkloadMissing"
    assert says in message


@pytest.mark.parametrize("path", [SHOP, PODS])
async def test_a_missing_permission_is_told(
    client: Client, settings: Settings, cluster: Cluster, path: str
) -> None:
    cluster.objects |= {SHOP: deployment(), PODS: [pod("a")]}
    cluster.forbidden.add(path)
    reason, message = await refused(client, settings, Live("deployment/shop"))
    assert reason == "WorkloadMissing"
    assert "is forbidden" in message


async def test_the_container_is_the_one_that_is_named_or_the_default(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    annotated = {"annotations": {"kubectl.kubernetes.io/default-container": "side"}}
    cluster.objects |= {SHOP: deployment(), PODS: [pod("a", metadata=annotated)]}
    assert (await workload(client, Live("deployment/shop"), settings)).image == "x"
    assert (await workload(client, Live("deployment/shop", container="web"), settings)).image.endswith(DIGEST)
    gone = {"annotations": {"kubectl.kubernetes.io/default-container": "gone"}}
    cluster.objects[PODS] = [pod("a", metadata=gone)]
    assert (await workload(client, Live("deployment/shop"), settings)).image.endswith(DIGEST)


async def test_pods_of_other_kinds_are_found_by_their_owner(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    own = pod("a", metadata={"ownerReferences": owner("StatefulSet", "shop")})
    for plural, kind in (("statefulsets", "statefulset"), ("daemonsets", "daemonset")):
        cluster.objects |= {f"/apis/apps/v1/namespaces/jobs/{plural}/shop": deployment(), PODS: [own]}
        assert (await workload(client, Live(f"{kind}/shop"), settings)).image.endswith(DIGEST)
    cluster.objects[PODS] = [pod("a", metadata={"ownerReferences": owner("StatefulSet", "shop", "other")})]
    assert (await refused(client, settings, Live("daemonset/shop")))[0] == "WorkloadNotReady"


async def test_a_pod_has_to_be_ready_itself(client: Client, settings: Settings, cluster: Cluster) -> None:
    cluster.objects[f"{PODS}/a"] = pod("a", spec={"nodeSelector": {"disk": "fast"}})
    found = await workload(client, Live("pod/a"), settings)
    assert found.placement == {"nodeSelector": {"disk": "fast"}}
    cluster.objects[f"{PODS}/a"] = pod("a", status={"conditions": [], "phase": "Succeeded"})
    assert (await refused(client, settings, Live("pod/a")))[1].endswith("a: it is Succeeded.")


async def test_a_cronjob_is_what_is_written_with_the_image_that_last_ran(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    def ran(job: str, day: int, image: str = IMAGE) -> dict[str, Any]:
        metadata = {
            "labels": {"batch.kubernetes.io/job-name": job},
            "creationTimestamp": f"2026-01-0{day}T00:00:00Z",
        }
        status = {
            "containerStatuses": [{"name": "web", "imageID": f"ghcr.io/acme/shop@sha256:{str(day) * 64}"}]
        }
        return pod(f"{job}-{day}", metadata=metadata, status=status, web={"image": image})

    cluster.objects |= {
        NIGHTLY: cronjob(),
        PODS: [
            ran("nightly-29", 1),
            ran("nightly-30", 2),
            ran("nightly-31", 3, "ghcr.io/acme/shop:old"),
            ran("nightly-report-32", 4),
        ],
    }
    found = await workload(client, Live("cronjob/nightly"), settings)
    assert (found.image, found.is_pinned) == ("ghcr.io/acme/shop@sha256:" + "2" * 64, True)
    assert found.env == ({"name": "A", "value": "1"},)
    assert found.has_token
    cluster.objects[PODS] = []
    found = await workload(client, Live("cronjob/nightly"), settings)
    assert (found.image, found.is_pinned) == (IMAGE, False)


async def test_all_forms_of_a_selector_are_asked_for(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    expressions = [{"key": "app", "operator": "Exists"}]
    cluster.objects |= {
        SHOP: deployment(selector={"matchLabels": {"app": "shop"}, "matchExpressions": expressions}),
        PODS: [pod("a"), pod("b", metadata={"labels": {"app": "other"}})],
    }
    assert (await workload(client, Live("deployment/shop"), settings)).image.endswith(DIGEST)


async def test_a_run_lives_where_its_workload_does(
    client: Client, settings: Settings, cluster: Cluster
) -> None:
    there = deployment() | {"metadata": {"name": "shop", "namespace": "prod", "uid": "1"}}
    cluster.objects |= {SHOP.replace("jobs", "prod"): there, PODS.replace("jobs", "prod"): [pod("a")]}
    assert (await workload(client, Live("deployment/shop", namespace="prod"), settings)).namespace == "prod"
