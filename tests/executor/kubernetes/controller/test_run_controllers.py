"""Runs and what is left of them on a cluster, where somebody or something comes between."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from executor.kubernetes.settings import Settings
from executor.kubernetes.watching import outcomes
from executor.spec import Pending, Result, RunSpec, Secret
from tests.contract.cases import KubernetesCase, ended, open_kubernetes_case, sh, started
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    """Those of an installation of its own."""
    cluster.clear()
    return Settings(
        namespace=cluster.namespace,
        installation=f"test-{uuid4().hex[:8]}",
        kubeconfig=str(cluster.kubeconfig),
        context=cluster.context,
        pending_timeout=60.0,
    )


@pytest.fixture
async def case(settings: Settings, cluster: Cluster, tmp_path: Path) -> AsyncIterator[KubernetesCase]:
    """An engine."""
    opened = await open_kubernetes_case(tmp_path, settings, cluster.image)
    yield opened
    await opened.engine.close()


def new_key() -> str:
    return f"run-{uuid4().hex[:12]}"


async def test_pod_that_is_refused_for_ever_ends_its_run_soon_and_says_why(
    settings: Settings, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "_MENDED", 1.0)  # nobody is going to mend it
    nobody = replace(settings, pod={"serviceAccountName": "nobody"})
    case = await open_kubernetes_case(tmp_path, nobody, cluster.image)
    try:
        outcome = await ended(case.engine.run(sh(new_key(), "true", image=cluster.image)))
    finally:
        await case.engine.close()
    assert (outcome.result, outcome.reason) == (Result.ERROR, "PodRefused")
    assert 'serviceaccount "nobody" not found' in (outcome.message or "")


async def test_name_that_is_no_image_s_ends_the_run_at_once(case: KubernetesCase) -> None:
    outcome = await ended(case.engine.run(sh(new_key(), "true", image="No Such Image")))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "ImageMissing")
    assert outcome.message


async def test_usual_course_of_a_start_is_not_told(case: KubernetesCase, cluster: Cluster) -> None:
    if cluster.server is None:
        pytest.skip("another cluster may take longer than a second over each step")
    said = [one async for one in case.engine.run(sh(new_key(), "true", image=cluster.image))]
    assert not [one for one in said if isinstance(one, Pending)]


def secretive(key: str, cluster: Cluster, script: str = "sleep 60") -> RunSpec:
    """A run that needs a Secret and a ConfigMap of its own."""
    env, files = {"TOKEN": "correct-horse"}, {"/tmp/notes": "plain"}
    secrets = (Secret("correct-horse"),)
    return sh(key, script, image=cluster.image, env=env, files=files, secrets=secrets)


async def allow_no_jobs(cluster: Cluster) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}
    cluster.ask("POST", "resourcequotas", quota).raise_for_status()
    counts = bool(cluster.server)  # ours does at once, and does not say so
    await asyncio.to_thread(
        cluster.wait_for, "resourcequotas/none", lambda one: counts or one.get("status", {}).get("hard")
    )


def owners(said: dict[str, Any]) -> list[Any]:
    return [one["name"] for one in said["metadata"].get("ownerReferences") or []]


async def test_bot_that_attaches_gives_the_job_what_belongs_to_it(
    case: KubernetesCase, settings: Settings, cluster: Cluster, tmp_path: Path
) -> None:
    key = new_key()
    await started(case.engine.run(secretive(key, cluster)))
    places = [f"secrets/{key}", f"configmaps/{key}"]
    for place in places:  # as if the bot had died before it did this
        await asyncio.to_thread(cluster.wait_for, place, owners)
        patch = {"Content-Type": "application/merge-patch+json"}
        none = {"metadata": {"ownerReferences": None}}
        cluster.ask("PATCH", place, none, headers=patch).raise_for_status()
    other = await open_kubernetes_case(tmp_path, settings, cluster.image)
    story = other.engine.run(secretive(key, cluster))
    await anext(story)
    for place in places:
        assert owners(await asyncio.to_thread(cluster.wait_for, place, owners)) == [key]
    await other.engine.stop(key)
    await ended(story)
    await other.engine.remove(key)
    for place in places:
        await asyncio.to_thread(cluster.wait_until_gone, place)
    await other.engine.close()


async def test_what_was_made_for_a_job_that_never_came_goes(case: KubernetesCase, cluster: Cluster) -> None:
    key = new_key()
    await allow_no_jobs(cluster)
    try:
        story = case.engine.run(secretive(key, cluster))
        assert isinstance(await anext(story), Pending)
        assert cluster.ask("GET", f"secrets/{key}").is_success
        await case.engine.stop(key)
        assert (await ended(story)).result is Result.CANCELLED
    finally:
        cluster.ask("DELETE", "resourcequotas/none")
    for place in (f"secrets/{key}", f"configmaps/{key}"):
        await asyncio.to_thread(cluster.wait_until_gone, place)


async def test_name_that_another_job_has_ends_the_run_and_leaves_that_job(
    case: KubernetesCase, cluster: Cluster
) -> None:
    key = new_key()
    pod = {"restartPolicy": "Never", "containers": [{"name": "other", "image": cluster.image}]}
    other = {"metadata": {"name": key}, "spec": {"suspend": True, "template": {"spec": pod}}}
    cluster.ask("POST", "jobs", other).raise_for_status()
    outcome = await ended(case.engine.run(sh(key, "true", image=cluster.image)))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "NameTaken")
    await case.engine.remove(key)
    assert cluster.ask("GET", f"jobs/{key}").is_success
    cluster.ask("DELETE", f"jobs/{key}?propagationPolicy=Background")


async def test_secret_that_somebody_else_has_there_is_waited_for(
    case: KubernetesCase, cluster: Cluster
) -> None:
    key = new_key()
    other = {"metadata": {"name": key}, "immutable": True, "stringData": {"key": "another's"}}
    cluster.ask("POST", "secrets", other).raise_for_status()
    story = case.engine.run(secretive(key, cluster, "true"))
    said = await anext(story)
    assert isinstance(said, Pending)
    assert said.reason == f"The Secret {key} of a Job that was deleted is still there."
    cluster.ask("DELETE", f"secrets/{key}").raise_for_status()
    assert (await ended(story)).result is Result.SUCCEEDED
    await case.engine.remove(key)


async def test_what_a_dead_bot_made_for_the_job_is_used(
    case: KubernetesCase, settings: Settings, cluster: Cluster, tmp_path: Path
) -> None:
    key = new_key()
    await allow_no_jobs(cluster)
    dying = await open_kubernetes_case(tmp_path, settings, cluster.image)
    story = dying.engine.run(secretive(key, cluster, "true"))
    assert isinstance(await anext(story), Pending)
    await dying.engine.close()
    cluster.ask("DELETE", "resourcequotas/none").raise_for_status()
    made = cluster.get(f"secrets/{key}")["metadata"]["uid"]
    assert (await ended(case.engine.run(secretive(key, cluster, "true")))).result is Result.SUCCEEDED
    assert cluster.get(f"secrets/{key}")["metadata"]["uid"] == made
    await case.engine.remove(key)


async def test_pruning_removes_what_ended_long_ago_and_nothing_else(
    case: KubernetesCase, settings: Settings, cluster: Cluster, tmp_path: Path
) -> None:
    ran, goes_on = new_key(), new_key()
    await ended(case.engine.run(sh(ran, "true", image=cluster.image)))
    story = case.engine.run(sh(goes_on, "sleep 60", image=cluster.image))
    await anext(story)
    await case.engine.prune(before=time.time() - 3600)
    assert cluster.ask("GET", f"jobs/{ran}").is_success
    foreign = await open_kubernetes_case(tmp_path, replace(settings, installation="another"), cluster.image)
    await foreign.engine.prune(before=time.time() + 3600)
    assert cluster.ask("GET", f"jobs/{ran}").is_success
    await foreign.engine.close()
    await case.engine.prune(before=time.time() + 3600)
    await asyncio.to_thread(cluster.wait_until_gone, f"jobs/{ran}")
    assert cluster.ask("GET", f"jobs/{goes_on}").is_success
    await case.engine.stop(goes_on)
    assert (await ended(story)).result is Result.CANCELLED
    await case.engine.remove(goes_on)
