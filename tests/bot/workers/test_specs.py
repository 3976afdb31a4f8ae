"""What the engine is asked to do says whom it is for, and leaves to the cluster what only that knows."""

from pathlib import Path

import pytest

from bot.config import Config, Wrong, job_of, load
from bot.tables import Build, Run
from bot.workers import specs
from executor.spec import Live, Reference, Source

FILE = """
url: https://errand.example.com
github: {token: x}
engine: {kind: kubernetes, kubernetes: {builder: {registry_secret: registry-auth}}}
sizes: {gpu: {cpu: 2, memory: 1Gi, gpu: 2}}
images:
  shop: {build: {repository: acme/shop}, push: ghcr.io/acme/shop}
  web: {workload: deployment/web, namespace: prod, container: app}
jobs:
  look:
    image: web
    command: x
    size: gpu
    env: {MODE: fast, URL: {secret: shop-db, key: url}, KIND: {configmap: shop, key: kind}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "app.yaml"
    file.write_text(FILE)
    return load(file, {})


def a_run(config: Config, job: str = "look") -> Run:
    return Run(
        number=142,
        key="k",
        name="run-142",
        job=job,
        definition=config.jobs[job].model_dump(mode="json"),
        image="web",
        image_definition=config.images["web"].frozen,
        digest="registry.example.com/web@sha256:1",
        parameters={"SINCE": "today"},
        cause="comment",
        actor="github:octocat",
        created_at=0.0,
    )


def test_run_tells_where_it_comes_from_and_what_the_cluster_is_to_look_up(config: Config) -> None:
    spec = specs.of_run(a_run(config), "run-142", config)
    assert spec.live == Live("deployment/web", "prod", "app")
    assert specs.image_to_pin(a_run(config)) == spec.live
    assert (spec.gpu, spec.cpu, spec.memory) == (2, 2.0, 1 << 30)
    assert spec.env == {"MODE": "fast", "SINCE": "today"}
    assert spec.references == {
        "URL": Reference("secret", "shop-db", "url"),
        "KIND": Reference("configmap", "shop", "kind"),
    }
    assert spec.about.labels == {"job": "look", "run": "142", "cause": "comment"}
    assert spec.about.annotations == {
        "actor": "github:octocat",
        "url": "https://errand.example.com/runs/142",
    }
    run = a_run(config)
    run.commit = "abc"
    assert specs.of_run(run, "run-142", config).about.annotations["commit"] == "abc"


def test_build_tells_where_it_comes_from(config: Config) -> None:
    build = Build(
        number=7,
        key="k",
        name="build-7",
        image="shop",
        repository="acme/shop",
        commit="abc",
        definition=config.images["shop"].recipe,
        cause="push",
        actor="github:octocat",
        created_at=0.0,
    )
    spec = specs.of_build(build, Source("acme/shop", "https://x", "abc"), config)
    assert spec.about.labels == {"image": "shop", "build": "7", "cause": "push"}
    assert spec.about.annotations == {
        "actor": "github:octocat",
        "commit": "abc",
        "repository": "acme/shop",
        "url": "https://errand.example.com/builds/7",
    }


def test_job_of_the_api_is_not_given_what_pushes_images(config: Config) -> None:
    def job(secret: str) -> bytes:
        env = f'{{"A": {{"secret": "{secret}", "key": ".dockerconfigjson"}}}}'
        return f'{{"image": "web", "command": "x", "env": {env}}}'.encode()

    assert job_of(job("shop-db"), "new", config).env["A"]
    with pytest.raises(Wrong, match="/env/A: that is the installation's own secret"):
        job_of(job("registry-auth"), "new", config)
