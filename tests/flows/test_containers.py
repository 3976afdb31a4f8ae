"""The whole service with the container engine, on a real Podman: from a push to the answer and back."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from demo.installation import Installation, Where, installation
from demo.watched import PATIENCE
from tests.flows.test_commands import card
from tests.flows.test_jobs import finished, log, token, told
from tests.podman import Podman

pytestmark = pytest.mark.container

HERE = Path(__file__).parent
SECRET = "s3cr3t-value"
BUILD_SECRET = "npm-t0ken-value"


@pytest.fixture
def contained(podman: Podman) -> Iterator[Where]:
    """An installation that uses the Podman of the tests, whose containers it leaves behind for nobody."""
    environ = {
        "PODMAN_ROOT": podman.arguments[1],
        "PODMAN_RUNROOT": podman.arguments[3],
        "CONTAINERS_CONF": os.environ["CONTAINERS_CONF"],
        "API_KEY": SECRET,
        "BUILD_TOKEN": BUILD_SECRET,
    }
    yield Where(config=HERE / "containers.yaml", sample=HERE / "contained", environ=environ)
    podman.run("rm", "--all", "--force", "--time", "0")


@pytest.fixture
async def errand(tmp_path: Path, contained: Where) -> AsyncIterator[Installation]:
    """It, running."""
    async with installation(tmp_path, **contained) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def said(errand: Installation, number: int, word: str, of: str = "runs") -> None:
    """Wait until the log of a run, or `of` one of the `builds`, has this line."""
    async with asyncio.timeout(PATIENCE):
        async for line in errand.log_lines(number, await token(errand), of):
            if line == word:
                return
    raise AssertionError(f"it never said {word}")


async def build_log(errand: Installation, number: int) -> str:
    """The whole log of a build."""
    return (await errand.get(f"/api/builds/{number}/logs", token=await token(errand))).text


def of_run(podman: Podman) -> str:
    """The one container there is of a run."""
    (name,) = podman.run("ps", "--quiet", "--filter", "label=errand.key").split()
    return name


def open_gate(podman: Podman) -> None:
    """Let the job end. Detached: with its end the container goes, under whoever still waits in it."""
    podman.run("exec", "--detach", of_run(podman), "touch", "/dev/shm/gate")


async def test_push_builds_by_the_dockerfile_and_runs_what_it_starts(errand: Installation) -> None:
    commit = await errand.commit({"words/more": "x"})
    await errand.push(commit)
    run = await finished(errand)
    assert (run["result"], run["exit_code"], run["commit"], run["image"]) == ("failed", 3, commit, "shop")
    assert run["digest"].startswith("sha256:")
    assert await log(errand) == "greeting: good morning\nworkers = 2\nhi you, from /words with ***\n"
    built = await build_log(errand, 1)
    assert "words are fine" in built
    assert "with ***" in built
    assert BUILD_SECRET not in built
    checks = errand.beside.github.checks
    await errand.beside.github.wait_for(
        lambda: sorted(str(each.conclusion) for each in checks) == ["failure", "success"], PATIENCE
    )


async def test_command_builds_first_and_answers_with_exit_code_and_last_lines(errand: Installation) -> None:
    await errand.comment("/job run hello WHO=everybody --ref main")
    found = await card(errand, "exit code 3", "hi everybody")
    assert SECRET not in found.body
    rows = (errand.home / "errand.db").read_bytes()
    assert SECRET.encode() not in rows
    assert BUILD_SECRET.encode() not in rows


async def test_reference_is_pinned_and_a_rerun_takes_the_same(errand: Installation, podman: Podman) -> None:
    await errand.comment("/job run set-up")
    run = await finished(errand)
    assert (run["result"], run["commit"]) == ("succeeded", None)
    assert await log(errand) == "prepared by bash\n"
    identity = podman.run("image", "inspect", "--format", "{{.Id}}", podman.image)
    assert run["digest"].endswith(identity)
    await errand.comment("/job rerun #1")
    again = await finished(errand, 2)
    assert (again["result"], again["digest"]) == ("succeeded", run["digest"])


async def test_cancel_lets_the_trap_have_its_say(errand: Installation, podman: Podman) -> None:
    await errand.comment("/job run wait")
    await said(errand, 1, "started")
    await errand.comment("/job cancel #1")
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("cancelled", 42)
    assert {"started", "stopping"} <= set(
        (await log(errand)).split("\n")
    )  # its shell also tells of its sleep
    assert podman.run("ps", "--all", "--quiet", "--filter", "label=errand.key") == ""


async def test_limits_and_the_closed_root_hold(errand: Installation) -> None:
    await errand.comment("/job run closed\n/job run small")
    closed, small = await finished(errand, 1), await finished(errand, 2)
    assert (closed["result"], "Read-only file system" in await log(errand, 1)) == ("failed", True)
    assert (await log(errand, 1)).startswith("written\n")
    assert (small["result"], small["exit_code"], small["reason"]) == ("failed", 137, "OOMKilled")


async def test_live_image_takes_image_and_environment_of_what_runs(
    errand: Installation, podman: Podman
) -> None:
    podman.run("run", "--detach", "--name", "errand-test-web", "--network", "none", "--env", "ROLE=web",
               "--env", "LEVEL=theirs", podman.image, "sleep", "600")  # fmt: skip
    await errand.comment("/job run look")
    assert (await finished(errand))["result"] == "succeeded"
    assert await log(errand) == "role is web, level is ours\n"
    assert podman.run("ps", "--format", "{{.Names}}") == "errand-test-web"
    podman.run("rm", "--force", "--time", "0", "errand-test-web")
    await errand.comment("/job run look")
    run = await finished(errand, 2)
    assert (run["result"], run["reason"]) == ("error", "WorkloadMissing")


async def test_image_that_is_nowhere_is_an_error_and_no_failure(errand: Installation) -> None:
    await errand.comment("/job run gone\n/job build tools")
    run = await finished(errand)
    assert (run["result"], run["reason"], run["exit_code"]) == ("error", "ImageMissing", None)
    await card(errand, "`tools` is not built here")


async def test_failed_build_is_told_on_the_commit_with_its_last_lines(errand: Installation) -> None:
    await errand.push(await errand.commit({"words/check": "echo 'the reason is this'; exit 7\n"}))
    github = errand.beside.github
    await github.wait_for(
        lambda: any(
            each.conclusion == "failure" and "the reason is this" in str(each.output)
            for each in github.checks
        ),
        PATIENCE,
    )
    run = await told(errand, 1)
    assert (run["result"], run["reason"]) == ("error", "BuildFailed")


async def test_newer_push_stops_the_build_under_way(errand: Installation) -> None:
    await errand.push(await errand.commit({"words/check": "echo waiting; while :; do sleep 0.1; done\n"}))
    await errand.wait_for(lambda: errand.has_logged("build.building", 1))
    await said(errand, 1, "waiting", of="builds")
    await errand.push(await errand.commit({"words/check": "true\n"}))
    newest, superseded = await finished(errand, 2), await told(errand, 1)
    assert (superseded["result"], superseded["reason"]) == ("cancelled", "Superseded")
    assert (newest["result"], newest["exit_code"]) == ("failed", 3)
    here = [line for line in _processes().values() if " build " in line and str(errand.home) in line]
    assert here == []


def _processes() -> dict[int, str]:
    """The command lines of this machine's processes, by their ids."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    )
    parts = (line.strip().partition(" ") for line in listed.stdout.splitlines())
    return {int(pid): line for pid, _, line in parts}


async def test_engine_that_dies_is_started_again_and_the_run_goes_on(
    errand: Installation, podman: Podman
) -> None:
    await errand.comment("/job run wait")
    await said(errand, 1, "started")
    for pid, line in _processes().items():
        if "system service" in line and podman.arguments[1] in line:
            os.kill(pid, signal.SIGKILL)
    open_gate(podman)
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("succeeded", 0)
    assert await log(errand) == "started\ndone\n"
    await errand.comment("/job run set-up")
    assert (await finished(errand, 2))["result"] == "succeeded"


async def test_check_tells_the_engine_and_where_images_come_from(errand: Installation) -> None:
    told = await errand.command("check")
    assert "container, podman, var/work" in told
    assert "container/errand-test-web" in told
    assert BUILD_SECRET not in told


async def test_service_killed_in_the_middle_finds_the_run_again(errand: Installation, podman: Podman) -> None:
    await errand.comment("/job run wait")
    await said(errand, 1, "started")
    await errand.kill()
    open_gate(podman)
    await errand.start()
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("succeeded", 0)
    assert await log(errand) == "started\ndone\n"
    assert sum(each.get("event") == "run.finished" for each in errand.events) == 1
    await card(errand, "wait", "succeeded")
