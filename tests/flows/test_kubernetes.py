"""The whole service with a cluster: from a comment to a Job, and from there to the card and the log."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from demo.installation import Installation, Where, installation
from demo.watched import PATIENCE
from tests.flows.test_commands import card
from tests.flows.test_jobs import finished, log, token
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes

HERE = Path(__file__).parent
SECRET = "postgres://shop:hunter22@db/shop"


@pytest.fixture
async def errand(tmp_path: Path, cluster: Cluster) -> AsyncIterator[Installation]:
    """A running service; the namespace has a Secret and a ConfigMap, and nothing runs in it."""
    cluster.clear()
    secret = {"url": base64.b64encode(SECRET.encode()).decode()}
    make(cluster, "secrets", {"metadata": {"name": "shop-db"}, "data": secret})
    make(cluster, "configmaps", {"metadata": {"name": "shop-settings"}, "data": {"mode": "careful"}})
    environ = {
        "CLUSTER": str(cluster.kubeconfig),
        "CLUSTER_NAMESPACE": cluster.namespace,
        "CLUSTER_IMAGE": cluster.image,
    }
    where = Where(config=HERE / "kubernetes.yaml", sample=HERE / "repository", environ=environ)
    async with installation(tmp_path, **where) as made:
        made.on_event = print  # shown when a test fails
        yield made


def make(cluster: Cluster, plural: str, body: dict[str, Any]) -> None:
    """Create an object, in place of one that another test left."""
    path = f"{plural}/{body['metadata']['name']}"
    cluster.ask("DELETE", path)
    cluster.wait_until_gone(path)
    cluster.ask("POST", plural, body).raise_for_status()


async def said(errand: Installation, number: int, word: str) -> None:
    """Wait until the log of a run has this line."""
    async with asyncio.timeout(PATIENCE):
        async for line in errand.log_lines(number, await token(errand)):
            if line == word:
                return
    raise AssertionError(f"it never said {word}")


def jobs(cluster: Cluster) -> list[dict[str, Any]]:
    """The Jobs that there are."""
    found: list[dict[str, Any]] = cluster.get("jobs")["items"]
    return found


def nothing_is_left(cluster: Cluster) -> None:
    """Wait until the cluster has no Job and no pod of a run any more, nor what was made for one."""
    for plural in ("jobs", "pods", "secrets", "configmaps"):
        query = f"{plural}?labelSelector=app.kubernetes.io%2Fmanaged-by%3Derrand"
        cluster.wait_for(query, lambda found: not found["items"])


async def test_comment_runs_a_job_and_its_end_is_told(errand: Installation, cluster: Cluster) -> None:
    await errand.comment("/job run report")
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("failed", 3)
    assert await log(errand) == "workers = 2\ncareful with ***\n"
    found = await card(errand, "report", "exit code 3", "careful with")
    assert SECRET not in "".join(found.history)
    assert SECRET.encode() not in (errand.home / "errand.db").read_bytes()
    nothing_is_left(cluster)


async def test_cancel_lets_the_trap_have_its_say(errand: Installation, cluster: Cluster) -> None:
    await errand.comment("/job run trap")
    await said(errand, 1, "ready")
    (job,) = jobs(cluster)
    assert job["metadata"]["labels"]["errand/job"] == "trap"
    await errand.comment("/job cancel #1")
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("cancelled", 42)
    assert {"ready", "stopping"} <= set((await log(errand)).split("\n"))
    await card(errand, "trap", "was cancelled")
    nothing_is_left(cluster)


async def test_live_image_takes_image_and_environment_of_what_runs(
    errand: Installation, cluster: Cluster
) -> None:
    reference = {"secretKeyRef": {"name": "shop-db", "key": "url"}}
    env = [{"name": "ROLE", "value": "web"}, {"name": "LEVEL", "value": "theirs"},
           {"name": "TOKEN", "valueFrom": reference}]  # fmt: skip
    container = {"name": "app", "image": cluster.image, "command": ["sleep", "600"], "env": env}
    make(cluster, "pods", {"metadata": {"name": "web"}, "spec": {"containers": [container]}})
    cluster.wait_for("pods/web", lambda pod: _is_ready(pod))
    await errand.comment("/job run look")
    assert (await finished(errand))["result"] == "succeeded"
    assert await log(errand) == "role is web, level is ours, with ***\n"
    told = await execute(errand, "pod/web", "sh", "-c", 'echo "$ROLE, $LEVEL, $TOKEN"; exit 7')
    assert (told["job"], told["result"], told["exit_code"]) == ("exec", "failed", 7)
    assert await log(errand, told["number"]) == "web, theirs, ***\n"
    cluster.ask("DELETE", "pods/web?gracePeriodSeconds=0")
    cluster.wait_until_gone("pods/web")
    await errand.comment("/job run look")
    run = await finished(errand, 3)
    assert (run["result"], run["reason"]) == ("error", "WorkloadMissing")
    run = await execute(errand, "pod/web", "true")
    assert (run["result"], run["reason"]) == ("error", "WorkloadMissing")


async def execute(errand: Installation, image: str, *command: str) -> dict[str, Any]:
    """Run one command over the API; gives the run that ended."""
    text = await errand.token(f"t{uuid4().hex}", "exec")
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {text}"}, trust_env=False) as client:
        answer = await client.post(f"{errand.url}/api/exec", json={"image": image, "command": command})
    assert answer.status_code == 201, answer.text
    return await finished(errand, answer.json()["number"])


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


async def test_service_killed_in_the_middle_goes_on_with_the_log(
    errand: Installation, cluster: Cluster
) -> None:
    await errand.comment("/job run count")
    await said(errand, 1, "line 3")
    await errand.kill()
    await errand.start()
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("succeeded", 0)
    assert await log(errand) == "".join(f"line {each}\n" for each in range(30))
    await card(errand, "count", "succeeded")
    assert sum(each.get("event") == "run.finished" for each in errand.events) == 1
    nothing_is_left(cluster)
