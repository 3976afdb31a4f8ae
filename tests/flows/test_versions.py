"""Jobs have versions: the file is read again on SIGHUP, jobs come and go through the API."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from demo.installation import Installation, installation

HERE = Path(__file__).parent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that may be changed."""
    copy = tmp_path / "app.yaml"
    copy.write_text((HERE / "versions.yaml").read_text())
    return copy


@pytest.fixture
async def errand(tmp_path: Path, file: Path) -> AsyncIterator[Installation]:
    """A service with that file, running."""
    async with installation(tmp_path, config=file, sample=HERE / "repository") as made:
        made.on_event = print  # shown when a test fails
        yield made


def text(file: Path) -> str:
    """What stands in the file."""
    return file.read_text()


def write(file: Path, content: str) -> None:
    """Put it into the file."""
    file.write_text(content)


async def hang_up(errand: Installation) -> dict[str, Any]:
    """SIGHUP; gives what the log said came of it."""
    before = len(errand.events)
    os.kill(errand.pid, signal.SIGHUP)
    told = ("config.applied", "config.refused")
    return await errand.wait_for(
        lambda: next((each for each in errand.events[before:] if each.get("event") in told), None)
    )


async def finished(errand: Installation, number: int, token: str) -> dict[str, Any]:
    """The run as the API tells it, once it has ended."""
    await errand.wait_for(lambda: errand.said("run.finished", number), 30)
    run: dict[str, Any] = (await errand.get(f"/api/runs/{number}", token=token)).json()
    return run


async def test_file_is_read_again_while_a_run_goes_on(errand: Installation, file: Path) -> None:
    token, gate = await errand.command("token", "create", "ci"), errand.home / "gate"
    await errand.comment(f"/job run gated GATE={gate}")
    await errand.wait_for(lambda: errand.said("run.running", 1) or None, 30)
    async for line in errand.log_lines(1, token):
        if line == "ready":
            break
    good = text(file)
    write(file, good.replace("echo first", "echo second").replace("hello: {image", "world: {image"))
    assert (await hang_up(errand))["changed"] == ["gated", "world", "-hello"]

    write(file, good.replace("image: shop, command: echo hello", "image: shp, timeout: 0"))
    mistakes = (await hang_up(errand))["mistakes"]
    assert len(mistakes) == 3
    assert any("there is no image shp; did you mean shop?" in each for each in mistakes)
    assert all(f"{file}:" in each for each in mistakes)

    gate.touch()
    first = await finished(errand, 1, token)
    assert (first["result"], first["version"]) == ("succeeded", 1)
    assert (await errand.get("/api/runs/1/logs", token=token)).text == "ready\nfirst\n"
    await errand.comment(f"/job run gated GATE={gate}\n/job rerun #1\n/job run world")
    assert [(await finished(errand, number, token))["version"] for number in (2, 3, 4)] == [2, 1, 1]
    assert (await errand.get("/api/runs/2/logs", token=token)).text == "ready\nsecond\n"
    assert (await errand.get("/api/runs/3/logs", token=token)).text == "ready\nfirst\n"
    assert "<dt>Version</dt><dd>2</dd>" in (await errand.get("/runs/2", token=token)).text


async def test_what_only_a_start_can_change_is_said(errand: Installation, file: Path) -> None:
    write(file, text(file) + "command: /do\nlimits: {runs: 3}\n")
    assert (await hang_up(errand))["changed"] == []
    kept = [each for each in errand.events if each.get("event") == "config.kept"]
    assert kept[0]["sections"] == ["command", "limits"]


async def test_restart_makes_no_new_version(errand: Installation) -> None:
    token = await errand.command("token", "create", "ci")
    await errand.stop()
    await errand.start()
    await errand.comment("/job run hello")
    assert (await finished(errand, 1, token))["version"] == 1
