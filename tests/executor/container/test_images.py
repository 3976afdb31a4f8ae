"""Images of a registry and of running containers, with a real Podman and Debian's docker-registry."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from executor.container import images as images_module
from executor.container.builds import Builds
from executor.container.images import Images
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Live, Outcome, Pending, Progress, Recipe, Result, Source
from tests.contract.cases import ended, text
from tests.executor.checkout.test_builder import Repository, shop
from tests.executor.container.conftest import Connection
from tests.podman import Podman
from tests.registry import PASSWORD, USER, Registry, closed_registry, registry

__all__ = ["closed_registry", "registry", "shop"]

pytestmark = pytest.mark.container


def image_of(podman: Podman, directory: Path, content: str, name: str) -> str:
    """Build an image with a file of its own; gives its id."""
    (directory / "Dockerfile").write_text(f"FROM {podman.image}\nRUN echo {content} > /content\n")
    return "sha256:" + podman.run("build", "-q", "-t", name, str(directory)).splitlines()[-1]


def push(podman: Podman, directory: Path, content: str, name: str) -> str:
    """Push an image that is on this machine no more afterwards; gives its digest."""
    made = image_of(podman, directory, content, f"localhost/{uuid4().hex}")
    digest = directory / "digest"
    podman.run("push", "-q", f"--digestfile={digest}", made.removeprefix("sha256:"), name)
    podman.run("rmi", "--force", made.removeprefix("sha256:"))
    return digest.read_text()


def spec_of(shop: Repository, commit: str, push: str | None, key: str = "build-1") -> BuildSpec:
    return BuildSpec(key, "shop", Source("acme/shop", str(shop.path), commit), recipe=Recipe(push=push))


async def said(progress: AsyncIterator[Progress]) -> list[Progress]:
    return [item async for item in progress]


async def test_reference_is_pulled_and_pinned_by_digest(
    images: Images, registry: Registry, podman: Podman, tmp_path: Path
) -> None:
    name = f"{registry.host}/acme/tools"
    digest = push(podman, tmp_path, "one", f"{name}:1.4")
    pinned = f"{name}@{digest}"
    outcome = Outcome(Result.SUCCEEDED, image=pinned)
    assert await said(images.pin(f"{name}:1.4")) == [Pending(f"Its image {name}:1.4 is pulled."), outcome]
    assert podman.run("run", "--rm", pinned, "cat", "/content") == "one"
    registry.stop()
    assert await said(images.pin(pinned)) == [outcome]
    assert await images.has_image(pinned)


async def test_moved_tag_is_pinned_anew(
    images: Images, registry: Registry, podman: Podman, tmp_path: Path
) -> None:
    name = f"{registry.host}/acme/tools:latest"
    first = push(podman, tmp_path, "first", name)
    assert (await ended(images.pin(name.removesuffix(":latest")))).image == f"{name[:-7]}@{first}"
    second = push(podman, tmp_path, "second", name)
    assert (await ended(images.pin(name))).image == f"{name[:-7]}@{second}"
    assert second != first


async def test_image_that_was_pushed_from_here_is_pinned_as_the_registry_has_it(
    images: Images, registry: Registry, podman: Podman, tmp_path: Path
) -> None:
    name = f"{registry.host}/acme/tools"
    made = image_of(podman, tmp_path, "here", "localhost/here")
    podman.run("push", "-q", f"--digestfile={tmp_path / 'digest'}", made.removeprefix("sha256:"), f"{name}:1")
    digest = (tmp_path / "digest").read_text()
    assert (await ended(images.pin(f"{name}:1"))).image == f"{name}@{digest}"


async def test_image_that_the_registry_has_not_is_missing(images: Images, registry: Registry) -> None:
    outcome = await ended(images.pin(f"{registry.host}/acme/nothing:1"))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "ImageMissing")
    assert "manifest unknown" in (outcome.message or "")
    assert not await images.has_image(f"{registry.host}/acme/nothing@sha256:{'0' * 64}")


async def test_registry_that_does_not_answer_has_refused(images: Images, registry: Registry) -> None:
    registry.stop()
    outcome = await ended(images.pin(f"{registry.host}/acme/tools:1"))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "PullRefused")
    assert "connection refused" in (outcome.message or "")
    assert await images.has_image(f"{registry.host}/acme/tools@sha256:{'0' * 64}")


async def test_credentials_are_those_of_the_engine_s_own_store(
    images: Images, closed_registry: Registry, podman: Podman, tmp_path: Path
) -> None:
    host, name = closed_registry.host, f"{closed_registry.host}/acme/tools:1"
    refused = await ended(images.pin(name))
    assert (refused.result, refused.reason) == (Result.ERROR, "PullRefused")
    assert "authentication required" in (refused.message or "")
    podman.run("login", "-u", USER, "-p", PASSWORD, host)
    digest = push(podman, tmp_path, "closed", name)
    assert (await ended(images.pin(name))).image == f"{host}/acme/tools@{digest}"
    closed_registry.auth.write_text(closed_registry.auth.read_text().replace('"auth": "', '"auth": "AAAA'))
    refused = await ended(images.pin(name))
    assert (refused.result, refused.reason) == (Result.ERROR, "PullRefused")
    assert PASSWORD not in (refused.message or "")


async def test_build_is_pushed_and_pinned_as_the_registry_has_it(
    images: Images, builds: Builds, shop: Repository, registry: Registry, podman: Podman, built: str
) -> None:
    commit = shop.commit(Dockerfile=f"FROM {podman.image}\nRUN echo pushed > /content\n")
    repository = f"{registry.host}/acme/shop"
    outcome = await ended(builds.build(spec_of(shop, commit, repository)))
    assert outcome.result is Result.SUCCEEDED
    assert (outcome.image or "").startswith(f"{repository}@sha256:")
    assert (await ended(images.pin(f"{repository}:{commit}"))).image == outcome.image
    podman.run("rmi", "--force", f"{built}:{commit}")
    podman.run("rmi", "--force", f"{repository}:{commit}")
    assert await images.has_image(outcome.image or "")
    assert podman.run("run", "--rm", outcome.image or "", "cat", "/content") == "pushed"


async def test_registry_s_words_tell_why_a_push_was_refused(
    builds: Builds, logs: LogStore, shop: Repository, closed_registry: Registry, podman: Podman
) -> None:
    commit = shop.commit(Dockerfile=f"FROM {podman.image}\n")
    outcome = await ended(builds.build(spec_of(shop, commit, f"{closed_registry.host}/acme/shop")))
    assert (outcome.result, outcome.reason, outcome.image) == (Result.ERROR, "PushFailed", None)
    assert "authentication required" in (outcome.message or "")
    assert "authentication required" in await text(logs, "build-1")


async def test_image_of_this_machine_only_is_pinned_by_its_id(
    images: Images, podman: Podman, tmp_path: Path
) -> None:
    made = image_of(podman, tmp_path, "own", "localhost/own:1")
    for name in ("localhost/own:1", made):
        assert await said(images.pin(name)) == [Outcome(Result.SUCCEEDED, image=made)]
        assert await images.has_image(name)
    podman.run("rmi", "localhost/own:1")
    for name in ("localhost/own:1", made):
        assert (await ended(images.pin(name))).reason == "ImageMissing"
        assert not await images.has_image(name)


async def test_short_name_is_refused_where_no_registry_is_searched(
    images: Images, registry: Registry
) -> None:
    outcome = await ended(images.pin(f"tools-{uuid4().hex}:1"))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "PullRefused")
    assert "no unqualified-search registries" in (outcome.message or "")


@pytest.mark.parametrize(
    "name", ["", "--all", "-a", "a b", "A/B", "host/../x", "x?force=1", "x#y", "x\n", "x@sha256:1", "a" * 300]
)
async def test_what_is_no_reference_reaches_no_engine(images: Images, name: str) -> None:
    outcome = await ended(images.pin(name))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "ImageMissing")
    assert "Not a reference" in (outcome.message or "")


async def test_live_image_is_that_of_a_running_container(
    images: Images, podman: Podman, tmp_path: Path
) -> None:
    made = image_of(podman, tmp_path, "live", "localhost/live")
    name = f"live-{uuid4().hex[:8]}"
    podman.run("run", "--detach", "--network=none", "--name", name, "localhost/live", "sleep", "600")
    assert (await ended(images.pin(Live(f"container/{name}")))).image == made
    podman.run("stop", "--time=0", name)
    outcome = await ended(images.pin(Live(f"container/{name}")))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "WorkloadMissing")
    assert outcome.message == f"The container {name} does not run: it is exited."
    podman.run("rm", "--force", name)
    outcome = await ended(images.pin(Live(f"container/{name}")))
    assert outcome.message == f"There is no container {name} on this machine."


@pytest.mark.parametrize(
    "live",
    [
        Live("deployment/web"),
        Live("container/"),
        Live("container/../images/json"),
        Live("container/a?x=1"),
        Live("web"),
        Live("container/web", namespace="prod"),
        Live("container/web", container="app"),
    ],
)
async def test_workload_that_is_no_container_is_missing(images: Images, live: Live) -> None:
    outcome = await ended(images.pin(live))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "WorkloadMissing")


async def test_old_builds_go_but_not_the_newest_nor_what_is_used_or_named_by_others(
    images: Images, builds: Builds, shop: Repository, podman: Podman
) -> None:
    made = []
    for number in range(4):
        commit = shop.commit(Dockerfile=f"FROM {podman.image}\nRUN echo {number}-{uuid4().hex} > /content\n")
        outcome = await ended(builds.build(spec_of(shop, commit, None, f"build-{number}")))
        made.append(outcome.image or "")
    podman.run("create", "--name=user", made[1], "true")
    podman.run("tag", made[2], "localhost/somebody/else:1")
    await images.prune(before=0.0)
    assert [await images.has_image(image) for image in made] == [True, True, True, True]
    await images.prune(before=(outcome.finished_at or 0) + 10)
    assert [await images.has_image(image) for image in made] == [False, True, True, True]
    podman.run("rm", "user")


async def test_image_keeps_the_tags_of_its_last_commits_only(
    images: Images,
    builds: Builds,
    shop: Repository,
    podman: Podman,
    monkeypatch: pytest.MonkeyPatch,
    built: str,
) -> None:
    monkeypatch.setattr(images_module, "_TAGS", 2)
    commits = [shop.commit(Dockerfile=f"FROM {podman.image}\n") for _ in range(4)]
    for number, commit in enumerate(commits):
        outcome = await ended(builds.build(spec_of(shop, commit, None, f"build-{number}")))
    await images.prune(before=0.0)
    tags = podman.run("image", "inspect", "--format", "{{json .RepoTags}}", outcome.image or "")
    kept = {f"{built}:{tag}" for tag in commits[2:]}
    assert set(json.loads(tags)) & {f"{built}:{tag}" for tag in commits} == kept


async def test_engine_that_does_not_answer_is_unavailable(
    images: Images, connection: Connection, podman: Podman
) -> None:
    await images.has_image(podman.image)
    connection.service.terminate()
    await connection.service.wait()
    with pytest.raises(EngineUnavailable):
        await ended(images.pin(podman.image))
