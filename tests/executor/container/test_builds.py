"""Builds of images from local repositories, by a real Podman."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from executor.container.builds import Builds
from executor.container.settings import Settings
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Outcome, Recipe, Result, Secret, Source
from executor.supervisor import record
from tests.contract.cases import ended, files_with, processes, seen, text, vanish
from tests.executor.checkout.test_builder import Repository, shop
from tests.executor.container.conftest import own_arguments
from tests.podman import Podman

__all__ = ["shop"]

pytestmark = pytest.mark.container

FROM = f"FROM {Podman.image}\n"


def spec_of(
    shop: Repository, commit: str, key: str = "build-1", timeout: float = 120.0, **recipe: Any
) -> BuildSpec:
    source = Source("acme/shop", str(shop.path), commit)
    return BuildSpec(key, "shop", source, recipe=Recipe(**recipe), timeout=timeout)


def working_containers(podman: Podman, directory: Path) -> set[str]:
    """Those of builds of acme/shop by the engine of `directory`."""
    own = own_arguments(podman, directory / "work")
    return set(podman.run(*own, "ps", "--all", "--external", "--quiet").split())


async def test_commit_becomes_an_image_that_is_tagged_with_it(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman, built: str
) -> None:
    commit = shop.commit(Dockerfile=FROM + "COPY . /app\n", version="1\n")
    outcome = await ended(builds.build(spec_of(shop, commit)))
    assert (outcome.result, outcome.message) == (Result.SUCCEEDED, None)
    assert outcome.image is not None
    assert podman.run("run", "--rm", outcome.image, "cat", "/app/version") == "1"
    named = podman.run("image", "inspect", "--format", "{{.Id}}", f"{built}:{commit}")
    assert outcome.image == f"sha256:{named}"
    assert "COPY . /app" in await text(logs, "build-1")


async def test_recipe_says_what_is_built(builds: Builds, shop: Repository, podman: Podman) -> None:
    (shop.path / "sub").mkdir()
    dockerfile = (
        f"{FROM.strip()} AS wanted\nARG WORD\nCOPY file /file\nRUN echo $WORD >> /file\nFROM scratch\n"
    )
    commit = shop.commit(**{"sub/file": "one\n", "Containerfile": dockerfile})
    recipe: dict[str, Any] = {"context": "sub", "dockerfile": "Containerfile", "target": "wanted"}
    spec = spec_of(shop, commit, **recipe, arguments={"WORD": "two $HOME; id"})
    outcome = await ended(builds.build(spec))
    assert podman.run("run", "--rm", outcome.image or "", "cat", "/file") == "one\ntwo $HOME; id"


SAME = "Nothing that the image is made of has changed"


async def test_commit_that_changes_nothing_takes_the_image_that_is_there(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman, built: str
) -> None:
    shop.git("checkout", "--quiet", "-b", "feature/with;odd")
    first = shop.commit(Dockerfile=FROM + "COPY . /app\nRUN echo built-$((1 + 1))\n", version="1\n")
    second = shop.commit()
    images = [
        (await ended(builds.build(spec_of(shop, commit, f"build-{n}")))).image
        for n, commit in enumerate((first, second))
    ]
    assert images[0] == images[1]
    assert "built-2" in await text(logs, "build-0")
    assert SAME in await text(logs, "build-1")
    tags = podman.run("image", "inspect", "--format", "{{json .RepoTags}}", images[0] or "")
    assert {f"{built}:{tag}" for tag in (first, second)} == set(json.loads(tags))


async def test_image_is_built_where_anything_that_it_is_made_of_is_another(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman
) -> None:
    podman.run("tag", Podman.image, "localhost/errand-test:moves")
    dockerfile = "FROM localhost/errand-test:moves\nARG WORD\nRUN echo $WORD > /word\n"
    first, again = shop.commit(Dockerfile=dockerfile, version="1\n"), shop.commit()
    changed, back = shop.commit(version="2\n"), shop.commit(version="1\n")
    fetched = shop.commit(Dockerfile=dockerfile + "ADD version /\n"), shop.commit()

    async def was_same(key: str, commit: str, word: str = "one") -> bool:
        outcome = await ended(builds.build(spec_of(shop, commit, key, arguments={"WORD": word})))
        assert podman.run("run", "--rm", outcome.image or "", "cat", "/word") == word
        return SAME in await text(logs, key)

    assert [await was_same("b1", first), await was_same("b2", again)] == [False, True]
    assert [await was_same("b3", changed), await was_same("b4", back)] == [False, True]
    assert not await was_same("b5", again, "two")
    assert [await was_same(f"add-{number}", commit) for number, commit in enumerate(fetched)] == [
        False,
        False,
    ]

    podman.run("tag", (await built_of(builds, shop, changed)), "localhost/errand-test:moves")
    assert not await was_same("b6", again)  # upon another base
    podman.run("rmi", "--force", await built_of(builds, shop, changed, arguments={"WORD": "three"}))
    assert not await was_same("b7", changed, "three")  # it is gone


async def built_of(builds: Builds, shop: Repository, commit: str, **recipe: Any) -> str:
    outcome = await ended(builds.build(spec_of(shop, commit, f"of-{commit[:8]}-{len(recipe)}", **recipe)))
    assert outcome.image is not None
    return outcome.image


async def test_nothing_of_this_machine_s_git_is_in_the_image(
    builds: Builds, shop: Repository, podman: Podman
) -> None:
    commit = shop.commit(Dockerfile=FROM + "COPY . /app\n")
    outcome = await ended(builds.build(spec_of(shop, commit)))
    assert podman.run("run", "--rm", outcome.image or "", "ls", "-A", "/app") == "Dockerfile"


async def test_secret_is_seen_by_the_step_that_mounts_it_and_by_nobody_else(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman, tmp_path: Path
) -> None:
    value = "npm_0123456789SECRET"
    step = "RUN --mount=type=secret,id=NPM_TOKEN cat /run/secrets/NPM_TOKEN; sha1sum /run/secrets/NPM_TOKEN"
    commit = shop.commit(Dockerfile=f"{FROM}{step} > /sum; echo ready; sleep 1123.61 & sleep 2\n")
    building = asyncio.create_task(
        ended(builds.build(spec_of(shop, commit, secrets={"NPM_TOKEN": Secret(value)})))
    )
    await seen(logs, "build-1", b"ready")
    assert processes(str(tmp_path))
    assert not [line for line in processes(str(tmp_path)) if value in line]
    outcome = await building
    assert outcome.result is Result.SUCCEEDED
    log = await text(logs, "build-1")
    assert "***" in log
    assert value not in log
    for told in ("history --no-trunc --format json", "image inspect"):
        assert value not in podman.run(*told.split(), outcome.image or "")
    assert podman.run("run", "--rm", outcome.image or "", "cut", "-c1-8", "/sum") == "31160a5b"
    assert files_with(tmp_path, value) == []


async def test_failing_step_is_a_failed_build(builds: Builds, logs: LogStore, shop: Repository) -> None:
    commit = shop.commit(Dockerfile=FROM + "RUN echo first; exit 9\n")
    outcome = await ended(builds.build(spec_of(shop, commit)))
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.FAILED, "BuildFailed", 9)
    assert outcome.message == "The build ended with exit code 9."
    assert "first\n" in await text(logs, "build-1")
    assert await ended(builds.build(spec_of(shop, commit))) == outcome


async def test_base_image_that_cannot_be_had_is_a_failed_build(
    builds: Builds, logs: LogStore, shop: Repository
) -> None:
    commit = shop.commit(Dockerfile="FROM localhost:1/no/such:1\n")
    outcome = await ended(builds.build(spec_of(shop, commit)))
    assert (outcome.result, outcome.reason) == (Result.FAILED, "BuildFailed")
    assert "connection refused" in await text(logs, "build-1")


async def test_commit_that_cannot_be_fetched_is_an_error(builds: Builds, shop: Repository) -> None:
    shop.commit(Dockerfile=FROM)
    outcome = await ended(builds.build(spec_of(shop, "1" * 40)))
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.ERROR, "FetchFailed", None)
    assert (outcome.message or "").startswith("git: fatal: ")


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"dockerfile": "/etc/passwd"}, "outside"),
        ({"dockerfile": "../../../../etc/passwd"}, "outside"),
        ({"dockerfile": "leads-out"}, "outside"),
        ({"dockerfile": "out/passwd"}, "outside"),
        ({"dockerfile": "missing"}, "not in this commit"),
        ({"dockerfile": "sub"}, "no file"),
        ({"dockerfile": "Dockerfile.in"}, "must not end in .in"),
        ({"dockerfile": "looks-good"}, "must not end in .in"),
        ({"context": "/"}, "outside"),
        ({"context": ".."}, "outside"),
        ({"context": "out"}, "outside"),
        ({"context": "missing"}, "not in this commit"),
        ({"context": "file"}, "no directory"),
        ({"arguments": {"A=B": "x"}}, "Not a name"),
        ({"arguments": {"--volume": "x"}}, "Not a name"),
        ({"arguments": {"A": "x\0y"}}, "NUL"),
        ({"secrets": {"A,src=/etc/passwd": Secret("x")}}, "Not a name"),
        ({"push": "shop"}, "Not a repository"),
        ({"push": "registry.example.com/shop:latest"}, "Not a repository"),
        ({"push": "--tls-verify=false"}, "Not a reference"),
    ],
)
async def test_recipe_that_could_do_harm_is_refused(
    builds: Builds, shop: Repository, podman: Podman, recipe: dict[str, Any], said: str, built: str
) -> None:
    (shop.path / "sub").mkdir()
    (shop.path / "out").symlink_to("/etc")
    (shop.path / "leads-out").symlink_to("/etc/passwd")
    (shop.path / "looks-good").symlink_to("Dockerfile.in")
    files = {"Dockerfile": FROM, "Dockerfile.in": '#include "/etc/passwd"\n', "sub/x": "", "file": ""}
    commit = shop.commit(**files)
    outcome = await ended(builds.build(spec_of(shop, commit, **recipe)))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "SpecInvalid")
    assert said in (outcome.message or "")
    assert podman.run("images", "--quiet", f"{built}:{commit}") == ""


async def test_link_that_stays_inside_is_followed(builds: Builds, shop: Repository, podman: Podman) -> None:
    (shop.path / "sub").mkdir()
    (shop.path / "here").symlink_to("sub")
    commit = shop.commit(**{"sub/Dockerfile": FROM + "COPY . /app\n"})
    spec = spec_of(shop, commit, context="here", dockerfile="here/Dockerfile", target="")
    outcome = await ended(builds.build(spec))
    assert podman.run("run", "--rm", outcome.image or "", "ls", "/app") == "Dockerfile"


@pytest.mark.parametrize(
    "step",
    [
        "echo ready; sleep 1123.62",
        "trap '' TERM; echo ready; sleep 1123.66",
        "trap '' TERM; (setsid sleep 1123.67 &); echo ready; sleep 1123.67",
    ],
)
async def test_stopped_build_leaves_nothing_behind(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman, step: str, tmp_path: Path
) -> None:
    commit = shop.commit(Dockerfile=f"{FROM}RUN {step}\n")
    building = asyncio.create_task(ended(builds.build(spec_of(shop, commit))))
    await seen(logs, "build-1", b"\nready")
    await builds.stop("build-1")
    outcome = await building
    assert (outcome.result, outcome.image) == (Result.CANCELLED, None)
    assert processes(step[-7:]) == []
    assert not working_containers(podman, tmp_path)


async def test_build_is_timed_out(builds: Builds, shop: Repository, podman: Podman, tmp_path: Path) -> None:
    commit = shop.commit(Dockerfile=FROM + "RUN sleep 1123.63\n")
    outcome = await ended(builds.build(spec_of(shop, commit, timeout=2.0)))
    assert (outcome.result, outcome.reason) == (Result.TIMED_OUT, "DeadlineExceeded")
    assert processes("1123.63") == []
    assert not working_containers(podman, tmp_path)


async def test_what_a_killed_supervisor_leaves_is_swept_and_nothing_of_other_builds(
    builds: Builds, logs: LogStore, shop: Repository, podman: Podman, tmp_path: Path
) -> None:
    first, second = [shop.commit(Dockerfile=f"{FROM}RUN echo ready; sleep 1123.6{n}\n") for n in (4, 5)]
    building = [
        asyncio.create_task(ended(builds.build(spec_of(shop, commit, key))))
        for commit, key in ((first, "build-1"), (second, "build-11"))
    ]
    for key in ("build-1", "build-11"):
        await seen(logs, key, b"\nready")
    supervisor = record.lock_holder(str(tmp_path / "work" / "builds" / "runs" / "build-1"))
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert (await building[0]).reason == "SupervisorLost"
    await vanish("1123.64")
    assert processes("1123.65")
    assert len(working_containers(podman, tmp_path)) == 1
    await builds.stop("build-11")
    assert (await building[1]).result is Result.CANCELLED
    assert not working_containers(podman, tmp_path)


async def test_restarted_bot_attaches_to_the_build(
    builds: Builds, logs: LogStore, shop: Repository, settings: Settings, tmp_path: Path
) -> None:
    commit = shop.commit(Dockerfile=FROM + "RUN echo ready; sleep 3; echo done-$((1 + 1))\n")
    spec = spec_of(shop, commit)
    before = asyncio.create_task(ended(builds.build(spec)))
    await seen(logs, "build-1", b"\nready")
    before.cancel()
    await asyncio.gather(before, return_exceptions=True)
    await builds.close()
    later = Builds(tmp_path / "work", logs, settings)
    await later.open()
    outcome = await ended(later.build(spec))
    assert outcome.result is Result.SUCCEEDED
    log = await text(logs, "build-1")
    assert (log.count("\nready\n"), log.count("done-2\n")) == (1, 1)
    assert await ended(later.build(spec)) == outcome
    await later.remove("build-1")
    assert not (tmp_path / "work" / "builds" / "runs" / "build-1").exists()
    await later.close()


async def test_images_of_one_commit_are_built_side_by_side(builds: Builds, shop: Repository) -> None:
    commit = shop.commit(Dockerfile=FROM + "COPY . /app\n")
    specs = [spec_of(shop, commit, f"build-{number}", arguments={"N": str(number)}) for number in range(3)]
    outcomes = await asyncio.gather(*(ended(builds.build(spec)) for spec in specs))
    assert {outcome.result for outcome in outcomes} == {Result.SUCCEEDED}


async def test_records_of_old_builds_go(builds: Builds, shop: Repository, tmp_path: Path) -> None:
    outcome = await ended(builds.build(spec_of(shop, shop.commit(Dockerfile=FROM))))
    run = tmp_path / "work" / "builds" / "runs" / "build-1"
    await builds.prune(before=(outcome.finished_at or 0) - 1)
    assert run.exists()
    await builds.prune(before=(outcome.finished_at or 0) + 1)
    assert not run.exists()


async def test_machine_without_the_command_is_unavailable(
    logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    builds = Builds(tmp_path / "work", logs, Settings(command="no-such-podman"))
    await builds.open()
    with pytest.raises(EngineUnavailable, match="no program no-such-podman"):
        await ended(builds.build(spec_of(shop, "1" * 40)))
    await builds.close()


async def test_build_whose_image_has_a_name_that_no_engine_takes_is_tagged_all_the_same(
    builds: Builds, shop: Repository
) -> None:
    spec = spec_of(shop, shop.commit(Dockerfile=FROM))
    spec = BuildSpec("build-1", "Shop's own_", spec.source, recipe=spec.recipe)
    outcome: Outcome = await ended(builds.build(spec))
    assert outcome.result is Result.SUCCEEDED


async def test_checkout_is_as_git_makes_it(builds: Builds, shop: Repository, podman: Podman) -> None:
    (shop.path / "link").symlink_to("crlf")
    shop.commit(script="#!/bin/sh\necho ran\n", crlf="one\n", Dockerfile=FROM + "COPY . /app\n")
    (shop.path / "script").chmod(0o755)
    commit = shop.commit(**{".gitattributes": "crlf text eol=crlf\n* filter=unknown\n"})
    outcome = await ended(builds.build(spec_of(shop, commit)))
    look = "/app/script; readlink /app/link; od -c /app/crlf | head -1"
    found = podman.run("run", "--rm", outcome.image or "", "sh", "-c", look)
    assert found.split() == ["ran", "crlf", "0000000", "o", "n", "e", "\\r", "\\n"]
