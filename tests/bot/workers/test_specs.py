"""What the engine is asked to do says whom it is for, and leaves to the cluster what only that knows."""

from pathlib import Path

import pytest

from bot.config import Config, Wrong, job_of, load
from bot.tables import Build, Run
from bot.workers import run_context, specs
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
    assert {"MODE": "fast", "SINCE": "today"}.items() <= spec.env.items()
    assert spec.env.keys() == {"MODE", "SINCE", *run_context.variables(a_run(config), config.url)}
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


def test_run_is_told_its_context_whatever_its_own_variables_say(config: Config) -> None:
    run = a_run(config)
    run.parameters = {"ERRAND_ACTOR": "github:somebody", "CI": "false"}  # of a definition from before
    run.repository, run.ref, run.commit = "acme/shop", "main", "a" * 40
    run.pull_request, run.environment, run.tick_at, run.attempt = 7, "production", 1769868000.0, 2
    env = specs.of_run(run, "run-142", config).env
    assert {name: env[name] for name in env if name.startswith("ERRAND_") or name == "CI"} == {
        "ERRAND_RUN": "142",
        "ERRAND_URL": "https://errand.example.com/runs/142",
        "ERRAND_JOB": "look",
        "ERRAND_ATTEMPT": "2",
        "ERRAND_CAUSE": "comment",
        "ERRAND_ACTOR": "github:octocat",
        "ERRAND_COMMIT": "a" * 40,
        "ERRAND_REF": "main",
        "ERRAND_REPOSITORY": "acme/shop",
        "ERRAND_PULL_REQUEST": "7",
        "ERRAND_ENVIRONMENT": "production",
        "ERRAND_PAYLOAD": "",
        "ERRAND_SCHEDULE": "",
        "ERRAND_SCHEDULED_AT": "2026-01-31T14:00:00Z",
        "CI": "true",
    }


def test_what_a_run_has_not_is_empty_and_not_taken_from_elsewhere(config: Config) -> None:
    env = specs.of_run(a_run(config), "run-142", config).env
    names = ("COMMIT", "REF", "REPOSITORY", "PULL_REQUEST", "ENVIRONMENT", "SCHEDULED_AT")
    assert [env[f"ERRAND_{name}"] for name in names] == [""] * 6
