"""Builds by the process engine, from local repositories."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.process import trees as trees_module
from executor.spec import BuildSpec, Result, RunSpec, Source
from executor.supervisor import lock, record
from tests.contract.cases import ended, processes, seen, text


class Repository:
    """A repository with as many commits as are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "octocat",
            "GIT_AUTHOR_EMAIL": "octocat@example.com",
            "GIT_COMMITTER_NAME": "octocat",
            "GIT_COMMITTER_EMAIL": "octocat@example.com",
        }
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        for name, content in files.items():
            (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def build(self, key: str, commit: str, setup: str | None = None, timeout: float = 60.0) -> BuildSpec:
        source = Source("acme/shop", str(self.path), commit)
        return BuildSpec(key, "shop", source, setup, timeout=timeout)


@pytest.fixture
def shop(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


async def test_runs_work_in_the_commit_that_was_built(
    engine: ProcessEngine, logs: LogStore, shop: Repository
) -> None:
    old, new = shop.commit(version="1\n"), shop.commit(version="2\n")
    for commit, version in ((old, "1"), (new, "2")):
        image = (await ended(engine.build(shop.build(f"build-{version}", commit)))).image
        assert image is not None
        assert image.startswith(f"tree:acme/shop@{commit}")
        await ended(
            engine.run(RunSpec(f"run-{version}", ("sh", "-c", "cat version; git log -1 --format=%H"), image))
        )
        assert await text(logs, f"run-{version}") == f"{version}\n{commit}\n"


async def test_setup_runs_once_per_commit_and_with_the_image_s_home(
    engine: ProcessEngine, logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    commit = shop.commit(file="x")
    setup = f"echo once >> {tmp_path}/count; echo kept > ~/made; echo here > made"
    builds = [shop.build(f"build-{number}", commit, setup) for number in range(4)]
    outcomes = await asyncio.gather(*(ended(engine.build(build)) for build in builds))
    assert {outcome.result for outcome in outcomes} == {Result.SUCCEEDED}
    assert len({outcome.image for outcome in outcomes}) == 1
    assert (tmp_path / "count").read_text() == "once\n"
    await ended(engine.run(RunSpec("run-1", ("sh", "-c", "cat made ~/made"), outcomes[0].image)))
    assert await text(logs, "run-1") == "here\nkept\n"


async def test_images_with_different_setups_share_no_tree(engine: ProcessEngine, shop: Repository) -> None:
    commit = shop.commit(file="x")
    one, two = [await ended(engine.build(shop.build(f"build-{n}", commit, f"echo {n}"))) for n in (1, 2)]
    assert one.image != two.image


async def test_only_what_is_absent_is_fetched(
    engine: ProcessEngine, logs: LogStore, shop: Repository
) -> None:
    first, second = shop.commit(file="1"), shop.commit(file="2")
    await ended(engine.build(shop.build("build-1", first)))
    assert "Fetching" in await text(logs, "build-1")
    shop.path.rename(shop.path.with_name("moved"))
    assert (await ended(engine.build(shop.build("build-2", second)))).result is Result.SUCCEEDED
    assert "Fetching" not in await text(logs, "build-2")
    shop.path.with_name("moved").rename(shop.path)
    third = shop.commit(file="3")
    assert (await ended(engine.build(shop.build("build-3", third)))).result is Result.SUCCEEDED


async def test_commit_on_no_branch_is_found(engine: ProcessEngine, shop: Repository) -> None:
    shop.commit(file="1")
    shop.git("checkout", "--quiet", "--detach")
    commit = shop.commit(file="2")
    shop.git("update-ref", "refs/pull/7/head", commit)
    shop.git("checkout", "--quiet", "main")
    assert (await ended(engine.build(shop.build("build-1", commit)))).result is Result.SUCCEEDED


async def test_branch_that_was_rewritten_is_followed(engine: ProcessEngine, shop: Repository) -> None:
    await ended(engine.build(shop.build("build-1", shop.commit(file="1"))))
    shop.git("checkout", "--quiet", "--orphan", "other")
    shop.git("branch", "--quiet", "--delete", "--force", "main")
    commit = shop.commit(file="2")
    shop.git("branch", "main/below")  # which needs main to be gone
    assert (await ended(engine.build(shop.build("build-2", commit)))).result is Result.SUCCEEDED


async def test_failing_setup_is_a_failed_build(
    engine: ProcessEngine, logs: LogStore, shop: Repository
) -> None:
    commit = shop.commit(file="x")
    build = shop.build("build-1", commit, "echo first\nsh -c 'exit 9'\necho never")
    outcome = await ended(engine.build(build))
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.FAILED, "SetupFailed", 9)
    assert outcome.message == "The setup ended with exit code 9."
    assert "first\n" in await text(logs, "build-1")
    assert "never" not in await text(logs, "build-1")
    assert await ended(engine.build(build)) == outcome
    again = shop.build("build-2", commit, build.setup)
    assert (await ended(engine.build(again))).reason == "SetupFailed"


async def test_setup_gets_no_environment_of_errand(
    engine: ProcessEngine, logs: LogStore, shop: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERRAND_OWN", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    await ended(engine.build(shop.build("build-1", shop.commit(file="x"), "env | sort")))
    listed = (await text(logs, "build-1")).partition("Setup:\n")[2]
    names = {line.partition("=")[0] for line in listed.splitlines()}
    assert names <= {"PATH", "HOME", "LANG", "PWD", "SHLVL", "_"}


@pytest.mark.parametrize(
    "source",
    [
        Source("acme/shop", "{url}", "0" * 40),
        Source("acme/shop", "/no/such/repository", "1" * 40),
        Source("acme/shop", "http://127.0.0.1:1/acme/shop.git", "1" * 40),
    ],
)
async def test_failing_fetch_is_an_error_with_git_s_words(
    engine: ProcessEngine, shop: Repository, source: Source
) -> None:
    shop.commit(file="x")
    url = source.url.format(url=shop.path)
    spec = BuildSpec("build-1", "shop", Source(source.repository, url, source.commit))
    outcome = await ended(engine.build(spec))
    assert (outcome.result, outcome.reason, outcome.exit_code) == (Result.ERROR, "FetchFailed", None)
    assert (outcome.message or "").startswith("git: fatal: ")


@pytest.mark.parametrize(
    ("repository", "url", "commit"),
    [
        ("../shop", "/x", "1" * 40),
        ("acme/..", "/x", "1" * 40),
        ("acme", "/x", "1" * 40),
        ("acme/shop/more", "/x", "1" * 40),
        ("-acme/shop", "/x", "1" * 40),
        ("acme/shop\n", "/x", "1" * 40),
        ("acme/shop", "ext::sh -c id", "1" * 40),
        ("acme/shop", "--upload-pack=id", "1" * 40),
        ("acme/shop", "relative", "1" * 40),
        ("acme/shop", "/x", "main"),
        ("acme/shop", "/x", "1" * 39),
        ("acme/shop", "/x", "A" * 40),
        ("acme/shop", "/x", "--help"),
    ],
)
async def test_names_that_could_do_harm_are_refused(
    engine: ProcessEngine, tmp_path: Path, repository: str, url: str, commit: str
) -> None:
    outcome = await ended(engine.build(BuildSpec("build-1", "shop", Source(repository, url, commit))))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "SpecInvalid")
    assert not (tmp_path / "work" / "trees").exists()


async def test_stopped_build_leaves_no_tree(engine: ProcessEngine, logs: LogStore, shop: Repository) -> None:
    commit = shop.commit(file="x")
    # Between fork and exec a shell's child swallows a signal, so what it has become says that it is there.
    setup = "trap 'exit 5' TERM; sh -c 'echo ready; exec sleep 1123.58' & wait"
    running = asyncio.create_task(ended(engine.build(shop.build("build-1", commit, setup))))
    await seen(logs, "build-1", b"ready")
    await engine.stop("build-1")
    outcome = await running
    assert (outcome.result, outcome.exit_code, outcome.image) == (Result.CANCELLED, 5, None)
    assert processes("1123.58") == []


async def test_build_is_timed_out(engine: ProcessEngine, logs: LogStore, shop: Repository) -> None:
    spec = shop.build("build-1", shop.commit(file="x"), "sleep 60", timeout=1.0)
    outcome = await ended(engine.build(spec))
    assert (outcome.result, outcome.reason) == (Result.TIMED_OUT, "DeadlineExceeded")


async def test_setup_that_ends_well_when_stopped_makes_no_image(
    engine: ProcessEngine, logs: LogStore, shop: Repository, tmp_path: Path
) -> None:
    commit = shop.commit(file="x")
    setup = "trap 'exit 0' TERM; sh -c 'echo ready; exec sleep 60' & wait"
    running = asyncio.create_task(ended(engine.build(shop.build("build-1", commit, setup))))
    await seen(logs, "build-1", b"ready")
    await engine.stop("build-1")
    assert (await running).result is Result.CANCELLED
    assert list((tmp_path / "work" / "trees").rglob("ready")) == []


async def test_tree_that_was_left_half_made_is_made_again(
    engine: ProcessEngine,
    logs: LogStore,
    shop: Repository,
    tmp_path: Path,
    gone: Callable[[int], "asyncio.Future[None]"],
) -> None:
    commit = shop.commit(file="x")
    setup = f"test -e {tmp_path}/second || {{ echo half > half; echo ready; sleep 1123.59; }}"
    running = asyncio.create_task(ended(engine.build(shop.build("build-1", commit, setup))))
    await seen(logs, "build-1", b"ready")
    supervisor = record.lock_holder(str(tmp_path / "work" / "runs" / "build-1"))
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    assert (await running).reason == "SupervisorLost"
    (tmp_path / "second").touch()
    outcome = await ended(engine.build(shop.build("build-2", commit, setup)))
    assert outcome.result is Result.SUCCEEDED
    await ended(engine.run(RunSpec("run-1", ("ls",), outcome.image)))
    assert await text(logs, "run-1") == "file\n"


async def test_hooks_and_filters_of_the_repository_never_run(
    engine: ProcessEngine, shop: Repository, tmp_path: Path
) -> None:
    touch = f"touch {tmp_path}/ran; cat"
    shop.git("config", "filter.bad.smudge", touch)
    hook = shop.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{touch}\n")
    hook.chmod(0o755)
    commit = shop.commit(**{".gitattributes": "* filter=bad\n", "file": "x"})
    shop.path.joinpath(".gitmodules").write_text("")
    assert (await ended(engine.build(shop.build("build-1", commit)))).result is Result.SUCCEEDED
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("workdir", ["..", "sub/../..", "out", "/../..", "missing", "file"])
async def test_working_directory_outside_of_the_image_is_refused(
    engine: ProcessEngine, shop: Repository, workdir: str
) -> None:
    (shop.path / "out").symlink_to("/")
    (shop.path / "sub").mkdir()
    commit = shop.commit(**{"file": "x", "sub/file": "y"})
    image = (await ended(engine.build(shop.build("build-1", commit)))).image
    outcome = await ended(engine.run(RunSpec("run-1", ("pwd",), image, workdir=workdir)))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "WorkdirInvalid")


@pytest.mark.parametrize("workdir", ["sub", "/sub", "sub/.", "./sub/../sub"])
async def test_working_directory_is_relative_to_the_image(
    engine: ProcessEngine, logs: LogStore, shop: Repository, workdir: str
) -> None:
    (shop.path / "sub").mkdir()
    commit = shop.commit(**{"sub/file": "y"})
    image = (await ended(engine.build(shop.build("build-1", commit)))).image
    await ended(engine.run(RunSpec("run-1", ("ls",), image, workdir=workdir)))
    assert await text(logs, "run-1") == "file\n"


async def test_old_trees_go_but_never_one_in_use(
    engine: ProcessEngine, logs: LogStore, shop: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees_module, "_KEPT", 2)
    images = []
    for number in range(5):
        commit = shop.commit(file=str(number))
        images.append((await ended(engine.build(shop.build(f"build-{number}", commit)))).image)
        if number == 0:
            running = asyncio.create_task(
                ended(engine.run(RunSpec("run", ("sh", "-c", "echo ready; sleep 60"), images[0])))
            )
            await seen(logs, "run", b"ready")
    await engine.close()  # which waits for the pruning
    kept = {path.parent.name[:40] for path in (tmp_path / "work" / "trees").rglob("ready")}
    assert kept == {(image or "").partition("@")[2][:40] for image in (images[0], images[3], images[4])}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await engine.stop("run")
    assert (await ended(engine.run(RunSpec("late", ("true",), images[1])))).reason == "ImageMissing"


def test_lock_of_a_deleted_file_is_not_taken_for_its_successor_s(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert lock.shared(path) is None
    held = lock.alone(path, wait=False)
    assert held is not None
    assert lock.shared(path) is None
    assert lock.alone(path, wait=False) is None
    os.unlink(path)
    other = lock.alone(path, wait=True)
    assert other is not None
    os.close(other)
    first, second = lock.shared(path), lock.shared(path)
    assert first is not None
    assert second is not None
    for file in (held, first, second):
        os.close(file)
