"""Builds through the engine, on the cluster that tests have; git and Buildah are stood in for.

The only image there is has busybox, so the two programs come to it by a ConfigMap. What they really do is
seen in `test_build_script`; here it is the Job, its Secret, its log and its end.
"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from executor.kubernetes.engine import KubernetesEngine
from executor.kubernetes.settings import Builder, Settings
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Recipe, Result, Secret, Source
from tests.contract.cases import ended, text
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes

TOKEN, NPM_TOKEN, PASSWORD = "ghs_0123456789SECRET", "npm_0123456789SECRET", "correct-horse-9"
DIGEST = f"sha256:{'5' * 64}"
GIT = """#!/bin/sh
case "$*" in
    *read-tree*) echo FROM scratch >"$ERRAND_WORK/tree/Dockerfile" ;;
    *fetch*) echo "git has $(cat /errand/given/token)" ;;
esac
"""
BUILDAH = f"""#!/bin/sh
for word; do
    case $word in
        --secret=*) cat "${{word#*src=}}"; echo ;;
        --digestfile=*) echo {DIGEST} >"${{word#*=}}" ;;
        info) exit 0 ;;
    esac
done
echo as user $(id -u), with {PASSWORD}
"""


def pod(name: str) -> dict[str, object]:
    """Put the programs of the ConfigMap on the PATH."""
    env = {"name": "PATH", "value": "/programs:/bin:/usr/bin"}
    mount = {"name": "programs", "mountPath": "/programs"}
    volume = {"name": "programs", "configMap": {"name": name, "defaultMode": 0o555}}
    return {"volumes": [volume], "containers": [{"name": "job", "env": [env], "volumeMounts": [mount]}]}


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    name = f"builder-{uuid4().hex[:8]}"
    basic = base64.b64encode(f"errand:{PASSWORD}".encode()).decode()
    login = base64.b64encode(
        json.dumps({"auths": {"registry.example.com": {"auth": basic}}}).encode()
    ).decode()
    secret = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": login}}
    programs = {"data": {"git": GIT, "buildah": BUILDAH}}
    for plural, body in (("secrets", secret), ("configmaps", programs)):
        cluster.ask("POST", plural, {"metadata": {"name": name}, **body}).raise_for_status()
    return Settings(
        cluster.namespace,
        f"test-{name}",
        kubeconfig=str(cluster.kubeconfig),
        context="admin" if cluster.server else None,  # the Role of the tests names no Secret
        builder=Builder("buildah", cluster.image, name, pod(name)),
    )


@pytest.fixture
async def engine(settings: Settings, tmp_path: Path) -> AsyncIterator[KubernetesEngine]:
    opened = KubernetesEngine(settings, LogStore(tmp_path / "logs", 1024 * 1024))
    await opened.open()
    yield opened
    await opened.close()


def spec_of(**recipe: Any) -> BuildSpec:
    source = Source("acme/shop", "https://github.com/acme/shop.git", "a" * 40, Secret(TOKEN))
    made = replace(Recipe(push="registry.example.com/acme/shop"), **recipe)
    return BuildSpec(f"build-{uuid4().hex}", "shop", source, recipe=made, timeout=60.0)


async def test_outcome_names_what_was_pushed_and_the_log_no_secret(
    engine: KubernetesEngine, cluster: Cluster, tmp_path: Path
) -> None:
    spec = spec_of(secrets={"NPM_TOKEN": Secret(NPM_TOKEN)})
    outcome = await ended(engine.build(spec))
    log = await text(LogStore(tmp_path / "logs", 1024 * 1024), spec.key)
    assert (outcome.result, outcome.image) == (
        Result.SUCCEEDED,
        f"registry.example.com/acme/shop@{DIGEST}",
    ), log
    assert "git has ***\n" in log
    assert "as user 1000, with ***\n" in log
    assert not [value for value in (TOKEN, NPM_TOKEN, PASSWORD) if value in log]
    assert await ended(engine.build(spec)) == outcome
    await engine.remove(spec.key)
    for plural in ("jobs", "secrets"):
        cluster.wait_until_gone(f"{plural}/{spec.key}")


async def test_image_without_git_is_told_as_such(settings: Settings, tmp_path: Path) -> None:
    bare = replace(settings, builder=Builder("buildah", settings.builder.image))
    engine = KubernetesEngine(bare, LogStore(tmp_path / "logs", 1024 * 1024))
    await engine.open()
    outcome = await ended(engine.build(spec_of()))
    await engine.close()
    assert (outcome.result, outcome.reason) == (Result.ERROR, "BuilderUnfit")
    assert outcome.message == "The image of the builder has no git."


async def test_recipe_that_no_cluster_can_build_ends_without_a_job(
    engine: KubernetesEngine, cluster: Cluster
) -> None:
    spec = spec_of(push=None)
    outcome = await ended(engine.build(spec))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "SpecInvalid")
    assert cluster.ask("GET", f"jobs/{spec.key}").status_code == 404
