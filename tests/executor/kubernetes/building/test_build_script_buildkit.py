"""The script of a build with a real git; BuildKit, which no package has, is stood in for."""

import json
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.building import buildjobs
from executor.kubernetes.settings import Builder, Settings
from executor.spec import BuildSpec, Recipe, Secret, Source
from tests.executor.checkout.test_builder import Repository, shop
from tests.executor.kubernetes import buildkit
from tests.executor.kubernetes.builderpods import Ended, Pod, need, path_with, shells

__all__ = ["shop"]

PUSH = "registry.example.com/acme/shop"

Build = Callable[..., Awaitable[Ended]]


class BuildKit:
    """The programs of BuildKit on a PATH."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        program = directory / "standin"
        program.write_text(f"#!{sys.executable} -IS\n" + Path(buildkit.__file__).read_text())
        program.chmod(0o755)
        for name in ("buildctl", "buildkitd", "rootlesskit"):
            (directory / name).symlink_to(program)
        self.answer("0")

    def answer(self, code: str, said: str = "") -> None:
        (self.directory / "answer").write_text(f"{code}\n{said}")

    def told(self) -> list[Any]:
        return [json.loads(line) for line in (self.directory / "told").read_text().splitlines()]


@pytest.fixture
def kit(tmp_path: Path) -> BuildKit:
    return BuildKit(tmp_path / "buildkit")


@pytest.fixture
def build(tmp_path: Path, kit: BuildKit, shop: Repository) -> Build:
    async def build(commit: str, shell: str = "/bin/sh", user: int = 1000, **recipe: Any) -> Ended:
        need("git", "busybox")
        source = Source("acme/shop", str(shop.path), commit)
        spec = BuildSpec("build-1", "shop", source, recipe=Recipe(push=PUSH, **recipe))
        directory = tmp_path / "pod"
        directory.mkdir()
        identity = directory / "id"
        identity.write_text(f"#!/bin/sh\necho {user}\n")
        identity.chmod(0o755)
        path = path_with(directory / "bin", sh=shell, id=str(identity))
        env = {"PATH": f"{kit.directory}:{path}", "HOME": str(directory)}
        return await Pod(
            buildjobs.made(spec, Settings("jobs", "errand", builder=Builder())), directory, env
        ).run()

    return build


@pytest.mark.parametrize("shell", shells())
async def test_buildkit_is_told_what_the_recipe_says(
    build: Build, shop: Repository, kit: BuildKit, tmp_path: Path, shell: str
) -> None:
    (shop.path / "sub").mkdir()
    commit = shop.commit(**{"sub/Containerfile": "FROM scratch\n"})
    word = "a, b $HOME; $(id) 'x\" \\ \n$$(id)"
    ended = await build(
        commit,
        shell,
        context="sub",
        dockerfile="sub/Containerfile",
        target="wanted",
        arguments={"WORD": word},
        secrets={"NPM_TOKEN": Secret("npm_0123456789SECRET")},
    )
    assert (ended.code, ended.message) == (0, f"Built\n{buildkit.DIGEST}\n"), ended.log
    *_, told = kit.told()
    work = f"{tmp_path}/pod/errand/work"
    assert told == {
        "progress": "plain",
        "frontend": "dockerfile.v0",
        "metadata_file": f"{work}/metadata",
        "output": f"type=image,name={PUSH}:{commit},push=true",
        "import_cache": f"type=registry,ref={PUSH}:buildcache",
        "export_cache": f"type=registry,ref={PUSH}:buildcache,mode=max,ignore-error=true",
        "opt": [
            "label:errand.image=shop",
            "target=wanted",
            f"build-arg:WORD={word}",
            "filename=Containerfile",
        ],
        "local": [f"context={work}/tree/sub", f"dockerfile={work}/tree/sub"],
        "secret": [f"id=NPM_TOKEN,src={tmp_path}/pod/errand/given/secret-0"],
        "read": ["npm_0123456789SECRET"],
    }


@pytest.mark.parametrize(("user", "rootless"), [(1000, True), (0, False)])
async def test_user_namespace_is_made_unless_the_builder_is_root_of_one(
    build: Build, shop: Repository, kit: BuildKit, user: int, rootless: bool
) -> None:
    ended = await build(shop.commit(Dockerfile="FROM scratch\n"), user=user)
    assert ended.code == 0
    assert ("rootless" in kit.told()) == rootless


async def test_failing_step_is_told_with_its_exit_code(build: Build, shop: Repository, kit: BuildKit) -> None:
    kit.answer(
        "1",
        "#6 0.040 first\n#6 0.041 error: failed to solve: failed to push me\n"
        'error: failed to solve: process "/bin/sh -c echo first; exit 9" '
        "did not complete successfully: exit code: 9\n",
    )
    ended = await build(shop.commit(Dockerfile="FROM scratch\n"))
    assert (ended.code, ended.message) == (9, "ImageFailed\nThe build ended with exit code 9.\n")


async def test_push_that_the_registry_refuses_is_told_with_its_words(
    build: Build, shop: Repository, kit: BuildKit
) -> None:
    words = f"failed to push {PUSH}:1: unexpected status from HEAD request: 401 Unauthorized"
    kit.answer("1", f"#7 pushing layers\nerror: failed to solve: {words}\n")
    ended = await build(shop.commit(Dockerfile="FROM scratch\n"))
    assert ended.message == f"PushFailed\nfailed to solve: {words}\n"


async def test_daemon_that_does_not_start_is_told_with_its_words(
    build: Build, shop: Repository, kit: BuildKit
) -> None:
    (kit.directory / "broken").touch()
    ended = await build(shop.commit(Dockerfile="FROM scratch\n"))
    assert ended.message.startswith("BuilderUnfit\nBuildKit does not start: [rootlesskit:parent] error: ")


async def test_image_without_git_says_so(shop: Repository, tmp_path: Path) -> None:
    need("busybox")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "head", "mkdir"):
        (programs / name).symlink_to(shutil.which("busybox") or "")
    source = Source("acme/shop", str(shop.path), shop.commit())
    spec = BuildSpec("build-1", "shop", source, recipe=Recipe(push=PUSH))
    (tmp_path / "pod").mkdir()
    pod = Pod(buildjobs.made(spec, Settings("jobs", "errand")), tmp_path / "pod", {"PATH": str(programs)})
    assert (await pod.run()).message == "BuilderUnfit\nThe image of the builder has no git.\n"
