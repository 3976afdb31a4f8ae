"""What builds of one repository may not have of another, on a real Podman: the attacks."""

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from executor.container.budget import Budget
from executor.container.builds import Builds
from executor.container.making import Makings, network_of
from executor.container.policy import narrowed
from executor.container.repositories import Repositories
from executor.container.settings import Settings
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Outcome, Recipe, Result, Source
from executor.supervisor import lock
from tests.contract.cases import ended, text
from tests.executor.checkout.test_builder import Repository, shop
from tests.executor.container.conftest import own_arguments
from tests.podman import Podman

__all__ = ["shop"]

pytestmark = pytest.mark.container

FROM = f"FROM {Podman.image}\n"
CACHE = "RUN --mount=type=cache,target=/cache "
SECRET = "echo mine > /secret"

Build = Callable[[str, str, str], Awaitable[Outcome]]


@pytest.fixture
def build(builds: Builds, shop: Repository) -> Build:
    """Builds an image of a repository: its name, a key, and its Dockerfile."""

    async def made(repository: str, key: str, dockerfile: str) -> Outcome:
        source = Source(repository, str(shop.path), shop.commit(Dockerfile=dockerfile))
        return await ended(builds.build(BuildSpec(key, "shop", source, recipe=Recipe(), timeout=120.0)))

    return made


async def test_other_repository_s_image_cannot_be_taken_whatever_it_is_called(
    build: Build, shop: Repository, podman: Podman, built: str, tmp_path: Path
) -> None:
    mine = await build("acme/shop", "build-1", f"{FROM}RUN {SECRET}\n")
    identity = (mine.image or "").removeprefix("sha256:")
    name = f"{built}:{shop.git('rev-parse', 'HEAD').strip()}"
    root, run = podman.arguments[1], podman.arguments[3]
    archive = tmp_path / "shop.tar"
    podman.run("save", "--quiet", "--format", "oci-archive", "--output", str(archive), name)
    own = own_arguments(podman, tmp_path / "work")
    storages = [
        f"containers-storage:[overlay@{root}+{run}]",
        f"containers-storage:[overlay@{own[1]}+{own[3]}]",
    ]
    ways = [
        name,
        identity,
        f"sha256:{identity}",
        *(f"{storage}{named}" for storage in storages for named in (name, f"@{identity}")),
        f"oci-archive:{archive}",
    ]
    others = [f"FROM {way}\nRUN cat /secret\n" for way in ways]
    others += [f"{FROM}COPY --from={storages[0]}{name} /secret /s\n"]
    others += [f"{FROM}RUN --mount=type=bind,from={storages[0]}{name},target=/m cat /m/secret\n"]
    for number, dockerfile in enumerate(others):
        outcome = await build("evil/other", f"evil-{number}", dockerfile)
        assert outcome.result is Result.FAILED, dockerfile
    assert (
        podman.run(*own_arguments(podman, tmp_path / "work", "evil/other"), "images", "--quiet")
        == (podman.run("image", "inspect", "--format", "{{.Id}}", podman.image)[:12])
    )


async def test_other_repository_s_layers_and_cache_are_not_taken_and_its_own_are(
    build: Build, logs: LogStore, built: str
) -> None:
    steps = (
        f"{FROM}RUN {SECRET}; head -c 16 /dev/urandom | sha1sum > /random\n{CACHE}echo mine > /cache/secret\n"
    )
    images = [
        (await build(repository, f"build-{number}", steps)).image
        for number, repository in enumerate(("acme/shop", "evil/other", "acme/shop"))
    ]
    assert images[0] == images[2] != images[1]
    assert "Using cache" not in await text(logs, "build-1")
    assert (
        await build("evil/third", "evil", f"{FROM}{CACHE}test ! -e /cache/secret\n")
    ).result is Result.SUCCEEDED
    await build("acme/shop", "build-3", f"{FROM}{CACHE}cat /cache/secret\n")
    assert "\nmine\n" in await text(logs, "build-3")
    for key in ("build-0", "build-2", "build-3"):  # nobody reads in a log what it is called
        assert built.split("/")[2] not in await text(logs, key)


async def test_logins_are_each_repository_s_own(
    build: Build, logs: LogStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = tmp_path / "work" / "builds" / "logins"
    (logins / "acme").mkdir()
    (logins / "acme" / "shop.json").write_text(json.dumps({"auths": {"localhost:1": {"auth": "bm86bm8="}}}))
    operator = tmp_path / "auth.json"
    operator.write_text(json.dumps({"auths": {"localhost:1": {"auth": "no base64"}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(operator))
    for number, repository in enumerate(("acme/shop", "evil/other")):
        await build(repository, f"build-{number}", "FROM localhost:1/private/base:1\n")
        log = await text(logs, f"build-{number}")
        assert "connection refused" in log  # and not that the operator's file is no good
        assert "base64" not in log
    repositories = Repositories(tmp_path / "work" / "builds")
    assert repositories.logins("acme/shop") == logins / "acme" / "shop.json"
    assert json.loads(repositories.logins("evil/other").read_text()) == {}


async def test_shared_storage_is_the_engine_s_and_takes_nothing_else_of_this_machine(
    logs: LogStore, settings: Settings, shop: Repository, podman: Podman, tmp_path: Path
) -> None:
    podman.run(
        "save", "--quiet", "--format", "oci-archive", "--output", str(tmp_path / "a.tar"), podman.image
    )
    dockerfiles = {"good": f"{FROM}RUN echo hi\n", "bad": f"FROM oci-archive:{tmp_path}/a.tar\n"}
    found = {}
    builds = Builds(tmp_path / "work", logs, replace(settings, is_shared=True))
    await builds.open()
    try:
        for key, dockerfile in dockerfiles.items():
            source = Source("acme/shop", str(shop.path), shop.commit(Dockerfile=dockerfile))
            outcome = await ended(builds.build(BuildSpec(key, "shop", source, recipe=Recipe())))
            found[key] = (outcome.result, outcome.reason, outcome.message)
    finally:
        await builds.close()
    assert found == {
        "good": (Result.SUCCEEDED, None, None),
        "bad": (Result.FAILED, "BuildFailed", outcome.message),
    }
    assert not (tmp_path / "work" / "builds" / "images").exists()


async def test_what_builds_keep_is_bounded_and_the_oldest_goes_first(
    build: Build, settings: Settings, podman: Podman, tmp_path: Path
) -> None:
    zeros = "dd if=/dev/zero bs=1M count=20"
    steps = f"{FROM}{CACHE}{zeros} of=/cache/big\nRUN {zeros} of=/b\n"
    made = [await build(name, name.replace("/", "-"), steps) for name in ("acme/shop", "acme/site")]
    repositories = Repositories(tmp_path / "work" / "builds")

    async def left(limit: int) -> list[str]:
        smaller = replace(settings, cache=limit << 20)
        await Budget(smaller, repositories, Makings(smaller, repositories)).prune()
        return sorted(path.name for path in repositories.cache("acme/shop").parent.iterdir())

    assert await left(20_000) == ["shop", "site"]
    building = lock.alone(str(repositories.lock("acme/shop")), wait=False)
    assert building is not None
    assert await left(60) == ["shop"]  # the older one, which is building
    os.close(building)
    assert await left(60) == ["shop"]  # which is little enough
    assert await left(1) == []
    for repository in ("acme/shop", "acme/site"):
        own = own_arguments(podman, tmp_path / "work", repository)
        assert podman.run(*own, "images", "--quiet") == ""
    assert podman.run("run", "--rm", made[0].image or "", "ls", "/b") == "/b"  # what runs use is elsewhere
    assert (await build("acme/shop", "again", steps)).result is Result.SUCCEEDED


def test_policy_keeps_what_the_machine_says_of_registries() -> None:
    signed = [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/key"}]
    machine = {
        "default": signed,
        "transports": {"docker": {"ghcr.io": [{"type": "reject"}]}, "dir": {"": signed}},
    }
    assert narrowed(machine, "[overlay@/x]") == {
        "default": [{"type": "reject"}],
        "transports": {
            "docker": {"ghcr.io": [{"type": "reject"}], "": signed},
            "containers-storage": {"[overlay@/x]": [{"type": "insecureAcceptAnything"}]},
        },
    }


async def test_step_of_a_build_reaches_no_job_and_its_network_goes(
    build: Build, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    podman.run("network", "create", "--opt=isolate=true", "errand-test-job")
    try:
        listening = ["sh", "-c", "while :; do echo open | nc -l -p 8080; done"]
        words = ["run", "--detach", "--name=errand-test-job", "--network=errand-test-job", podman.image]
        podman.run(*words, *listening)
        where = '{{(index .NetworkSettings.Networks "errand-test-job").IPAddress}}'
        address = podman.run("inspect", "--format", where, "errand-test-job")
        step = f"RUN nc -w 2 {address} 8080 </dev/null || echo clo''sed; ip -4 -o addr show eth0\n"
        assert (await build("acme/shop", "build-1", FROM + step)).result is Result.SUCCEEDED
        log = await text(logs, "build-1")
        assert "closed" in log
        assert "eth0" in log.partition("closed")[2]
        assert "errand-build-" not in log
        network = network_of("build-1", Repositories(tmp_path / "work" / "builds").word("acme/shop"))
        assert network not in podman.run("network", "ls", "--format", "{{.Name}}")
    finally:
        podman.run("rm", "--force", "--time=0", "errand-test-job", check=False)
        podman.run("network", "rm", "errand-test-job", check=False)
