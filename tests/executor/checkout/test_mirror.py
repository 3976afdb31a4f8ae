"""What may become of a mirror between two builds, and that the next build goes on all the same."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from executor.process import ProcessEngine
from executor.spec import Result, RunSpec
from tests.contract.cases import ended
from tests.executor.checkout.test_builder import Repository, shop

__all__ = ["shop"]


async def build_twice_and(ruin: str, engine: ProcessEngine, shop: Repository, mirror: Path) -> str:
    """Build a commit, ruin the mirror by a shell command in it, give the result of the next build."""
    await ended(engine.build(shop.build("build-1", shop.commit(file="1"))))
    commit = shop.commit(file="2")
    ruining = ["sh", "-e", "-c", ruin, "sh", commit[:2], commit[2:]]
    await asyncio.to_thread(subprocess.run, ruining, cwd=mirror, check=True)
    return (await ended(engine.build(shop.build("build-2", commit)))).result


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "work" / "mirrors" / "acme" / "shop.git"


@pytest.mark.parametrize("file", ["refs/heads/main.lock", "packed-refs.lock", "config.lock", "HEAD.lock"])
async def test_lock_that_a_killed_git_left_is_removed(
    engine: ProcessEngine, shop: Repository, mirror: Path, file: str
) -> None:
    assert await build_twice_and(f"touch {file}", engine, shop, mirror) is Result.SUCCEEDED


@pytest.mark.parametrize(
    "ruin",
    [
        ": > HEAD",
        ": > refs/heads/main",
        'mkdir -p "objects/$1"; : > "objects/$1/$2"',
        "rm -rf objects/[0-9a-f][0-9a-f] objects/pack/*",
    ],
)
async def test_mirror_that_a_power_cut_broke_is_fetched_anew(
    engine: ProcessEngine, shop: Repository, mirror: Path, ruin: str
) -> None:
    assert await build_twice_and(ruin, engine, shop, mirror) is Result.SUCCEEDED


async def test_broken_mirror_never_leads_to_a_repository_around_it(
    engine: ProcessEngine, tmp_path: Path, shop: Repository, mirror: Path
) -> None:
    around = ["git", "init", "--quiet", "--bare", str(tmp_path / "around.git")]
    await asyncio.to_thread(subprocess.run, around, check=True)
    (tmp_path / ".git").write_text(f"gitdir: {tmp_path}/around.git\n")
    await build_twice_and(": > HEAD", engine, shop, mirror)
    assert not list((tmp_path / "around.git" / "refs" / "heads").iterdir())


async def test_job_that_checks_out_a_branch_keeps_no_build_from_fetching(
    engine: ProcessEngine, shop: Repository
) -> None:
    built = await ended(engine.build(shop.build("build-1", shop.commit(file="1"))))
    run = RunSpec("run-1", ("git", "checkout", "--quiet", "main"), built.image)
    assert (await ended(engine.run(run))).result is Result.SUCCEEDED
    built = await ended(engine.build(shop.build("build-2", shop.commit(file="2"))))
    assert built.result is Result.SUCCEEDED
