"""Builds by Docker's command line, for which a script stands in that does as little as it does."""

from dataclasses import replace
from pathlib import Path

import pytest

from executor.container.builds import Builds
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Recipe, Result, Secret, Source
from tests.contract.cases import ended, text
from tests.executor.checkout.test_builder import Repository, shop
from tests.executor.container.test_command import program

__all__ = ["shop"]

ID, DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64

DOCKER = f"""
case $1 in
--version) echo Docker version 20.10.24;;
version) test ! -e {{down}} || {{{{ echo Cannot connect to the Docker daemon >&2; exit 1; }}}};;
build)
    echo "words: $*"; echo "buildkit: $DOCKER_BUILDKIT"
    test ! -e {{breaks}} || {{{{ touch {{down}}; exit 1; }}}}
    for word; do case $word in --iidfile=*) printf {ID} > "${{{{word#*=}}}}";; esac; done;;
push)
    echo "The push refers to repository [$2]"
    test ! -e {{refuses}} || {{{{ echo denied: requested access to the resource is denied; exit 1; }}}}
    echo "tag: digest: {DIGEST} size: 950";;
esac
"""


def docker(directory: Path, logs: LogStore) -> Builds:
    script = DOCKER.format(**{name: directory / name for name in ("down", "breaks", "refuses")})
    return Builds(directory / "work", logs, program(directory, script))


def spec_of(shop: Repository, recipe: Recipe) -> BuildSpec:
    return BuildSpec(
        "build-1", "shop", Source("acme/shop", str(shop.path), shop.commit(Dockerfile="")), None, recipe
    )


async def test_pushed_image_is_named_by_the_digest_that_docker_says(
    logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    builds = docker(tmp_path, logs)
    await builds.open()
    spec = spec_of(shop, Recipe(push="registry.example.com/acme/shop"))
    outcome = await ended(builds.build(spec))
    assert (outcome.result, outcome.image) == (Result.SUCCEEDED, f"registry.example.com/acme/shop@{DIGEST}")
    log = await text(logs, "build-1")
    assert f"--tag=registry.example.com/acme/shop:{spec.source.commit}" in log
    assert "--secret" not in log
    assert "--no-cache" not in log
    assert "buildkit: \n" in log
    await builds.close()


async def test_untrusted_code_uses_no_layer_that_others_built(
    logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    builds = docker(tmp_path, logs)
    await builds.open()
    await ended(builds.build(replace(spec_of(shop, Recipe()), untrusted=True)))
    assert "--no-cache" in await text(logs, "build-1")
    await builds.close()


async def test_secrets_need_buildkit(logs: LogStore, shop: Repository, tmp_path: Path) -> None:
    builds = docker(tmp_path, logs)
    await builds.open()
    outcome = await ended(builds.build(spec_of(shop, Recipe(secrets={"TOKEN": Secret("x1234567")}))))
    assert outcome.image == ID
    log = await text(logs, "build-1")
    assert "--secret=id=TOKEN,env=ERRAND_SECRET_TOKEN" in log
    assert "buildkit: 1\n" in log
    await builds.close()


async def test_refused_push_is_an_error_in_the_registry_s_words(
    logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    (tmp_path / "refuses").touch()
    builds = docker(tmp_path, logs)
    await builds.open()
    outcome = await ended(builds.build(spec_of(shop, Recipe(push="registry.example.com/acme/shop"))))
    assert (outcome.result, outcome.reason, outcome.image) == (Result.ERROR, "PushFailed", None)
    assert outcome.message == "denied: requested access to the resource is denied"
    await builds.close()


async def test_daemon_that_goes_away_is_no_failure_of_the_build(
    logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    (tmp_path / "breaks").touch()
    builds = docker(tmp_path, logs)
    await builds.open()
    spec = spec_of(shop, Recipe())
    outcome = await ended(builds.build(spec))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "EngineUnavailable")
    assert outcome.message == "Cannot connect to the Docker daemon"
    with pytest.raises(EngineUnavailable, match="Cannot connect"):
        await ended(builds.build(spec))
    await builds.close()
