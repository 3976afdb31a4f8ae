"""Builds of images from local repositories, by a real Podman."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from executor.container.builds import Builds
from executor.container.settings import Settings
from executor.logs import LogStore
from executor.spec import BuildSpec, Recipe, Result, Source
from tests.contract.cases import ended, text
from tests.executor.checkout.test_builder import Repository, shop
from tests.podman import Podman

__all__ = ["shop"]

pytestmark = pytest.mark.container

FROM = f"FROM {Podman.image}\n"


def spec_of(shop: Repository, commit: str, key: str = "build-1", **recipe: Any) -> BuildSpec:
    source = Source("acme/shop", str(shop.path), commit)
    return BuildSpec(key, "shop", source, recipe=Recipe(**recipe), timeout=recipe.pop("timeout", 120.0))


@pytest.fixture
def settings(podman: Podman) -> Settings:
    return Settings(arguments=podman.arguments)


@pytest.fixture
async def builds(tmp_path: Path, logs: LogStore, settings: Settings) -> AsyncIterator[Builds]:
    opened = Builds(tmp_path / "work", logs, settings)
    await opened.open()
    yield opened
    await opened.close()


async def test_commit_becomes_an_image_that_is_tagged_with_it(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman
) -> None:
    commit = shop.commit(Dockerfile=FROM + "COPY . /app\n", version="1\n")
    outcome = await ended(builds.build(spec_of(shop, commit)))
    assert (outcome.result, outcome.message) == (Result.SUCCEEDED, None)
    assert outcome.image is not None
    assert podman.run("run", "--rm", outcome.image, "cat", "/app/version") == "1"
    named = podman.run("image", "inspect", "--format", "{{.Id}}", f"localhost/errand/shop:{commit}")
    assert outcome.image == f"sha256:{named}"
    assert "COPY . /app" in await text(logs, "build-1")
