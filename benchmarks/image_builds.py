"""A push that changes nothing: how long to the end of its build, all cached, against `podman build`.

Podman has a storage of its own here. Ours goes from the order to the outcome: supervisor, fetch of the new
commit, checkout, build, pinned image. The peer is the bare command on a directory that is there already.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from benchmarks.harness import WORK, Row, median_ratio
from executor.container.builds import Builds
from executor.container.settings import Settings
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Outcome, Result, Source
from tests.podman import Podman
from tests.podman import _configuration as configuration

NAME = "no-change push to a finished image"
ROUNDS = 15
AIM = 1.2
STEPS = 12
"""Layers of the image besides those of its base."""
FILES = 200
"""Files in the repository, a kilobyte each."""


async def rows() -> list[Row]:
    """The median of the ratios of neighbouring builds."""
    if shutil.which("podman") is None or not Path("/bin/busybox").exists():
        return [Row(NAME, None, None, None, "s", AIM, True, "needs podman and busybox-static")]
    home = WORK / "image_builds"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "containers.conf").write_text(configuration())
    before = os.environ.get("CONTAINERS_CONF")
    os.environ["CONTAINERS_CONF"] = str(home / "containers.conf")
    podman = Podman(home)
    try:
        podman.make_base()
        return [await _compared(home, podman)]
    finally:
        podman.close()
        os.environ.pop("CONTAINERS_CONF")
        if before is not None:
            os.environ["CONTAINERS_CONF"] = before
        shutil.rmtree(home, ignore_errors=True)


async def _compared(home: Path, podman: Podman) -> Row:
    shop = home / "shop"
    _make_repository(shop, podman.image)
    builds = Builds(home / "work", LogStore(home / "logs", 1024 * 1024), Settings(arguments=podman.arguments))
    await builds.open()
    ours, peers = [], []
    for turn in range(-2, ROUNDS):  # the first fill the caches
        commit = _commit(shop)
        our, peer = await _our(builds, shop, commit, f"build-{turn + 2}"), await _peer(podman, shop)
        if turn >= 0:
            ours.append(our)
            peers.append(peer)
    await builds.close()
    note = f"median of {ROUNDS}, {STEPS} steps, {FILES} files; slowest of ours {max(ours):.2f} s"
    ratio = median_ratio(ours, peers)
    return Row(NAME, statistics.median(ours), statistics.median(peers), ratio, "s", AIM, True, note)


async def _our(builds: Builds, shop: Path, commit: str, key: str) -> float:
    begun = time.perf_counter()
    spec = BuildSpec(key, "shop", Source("acme/shop", str(shop), commit))
    steps = [progress async for progress in builds.build(spec)]
    took = time.perf_counter() - begun
    if not isinstance(steps[-1], Outcome) or steps[-1].result is not Result.SUCCEEDED:
        raise RuntimeError(f"the build ended so: {steps[-1]}")
    return took


async def _peer(podman: Podman, shop: Path) -> float:
    begun = time.perf_counter()
    command = [podman.command, *podman.arguments, "build", "--tag", "localhost/bare", str(shop)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    took = time.perf_counter() - begun
    if process.returncode:
        raise RuntimeError(out.decode(errors="replace"))
    return took


def _make_repository(shop: Path, base: str) -> None:
    (shop / "src").mkdir(parents=True)
    for number in range(FILES):
        (shop / "src" / f"module_{number}.py").write_text(f"# {number}\n" * 100)
    steps = "".join(f"RUN echo {number} > /step-{number}\n" for number in range(STEPS - 1))
    (shop / "Dockerfile").write_text(f"FROM {base}\n{steps}COPY src /app\n")
    _git(shop, "init", "--quiet", "--initial-branch=main")
    _git(shop, "add", "--all")


def _commit(shop: Path) -> str:
    _git(shop, "commit", "--quiet", "--allow-empty", "--message", "change")
    return _git(shop, "rev-parse", "HEAD")


def _git(shop: Path, *words: str) -> str:
    names = {
        f"GIT_{who}_{what}": "octocat@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    command = ["git", *words]
    env = {**os.environ, **names}
    return subprocess.run(
        command, cwd=shop, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()
