"""Tags that hooks choose for jobs, and single commands: with Podman and a registry, over HTTP."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.installation import Installation, Where, installation
from demo.watched import PATIENCE
from tests.podman import Podman
from tests.registry import Registry, registry

__all__ = ["registry"]

pytestmark = pytest.mark.container

HERE = Path(__file__).parent


@pytest.fixture
def contained(podman: Podman, registry: Registry, tmp_path: Path) -> Iterator[Where]:
    """An installation whose image is in a registry, as `v1` and `v2`, which print different words."""
    for tag, word in (("v1", "apple"), ("v2", "cherry")):
        (tmp_path / "Dockerfile").write_text(f"FROM {podman.image}\nRUN echo {word} > /word\n")
        made = podman.run("build", "-q", str(tmp_path)).splitlines()[-1]
        podman.run("push", "-q", made, f"{registry.host}/acme/tools:{tag}")
        podman.run("rmi", "--force", made)
    environ = {
        "PODMAN_ROOT": podman.arguments[1],
        "PODMAN_RUNROOT": podman.arguments[3],
        "REGISTRY": registry.host,
        **{name: os.environ[name] for name in ("CONTAINERS_CONF", "CONTAINERS_REGISTRIES_CONF")},
        "REGISTRY_AUTH_FILE": str(registry.auth),
    }
    yield Where(config=HERE / "tags.yaml", sample=HERE.parent / "repository", environ=environ)
    podman.run("rm", "--all", "--force", "--time", "0")


@pytest.fixture
async def errand(tmp_path: Path, contained: Where) -> AsyncIterator[Installation]:
    async with installation(tmp_path / "errand", **contained) as made:
        made.on_event = print  # shown when a test fails
        yield made


class Boss:
    """An admin who asks, and waits for what came of it."""

    def __init__(self, errand: Installation, client: httpx.AsyncClient) -> None:
        self.errand = errand
        self.client = client

    async def ended(self, answer: httpx.Response) -> tuple[dict[str, Any], str]:
        """The run that was answered, when it has ended, and its log."""
        assert answer.status_code == 201, answer.text
        number = answer.json()["number"]
        await self.errand.wait_for(lambda: self.errand.ended([number]))
        run = await self.client.get(f"/api/runs/{number}")
        return run.json(), (await self.client.get(f"/api/runs/{number}/logs")).text

    async def start(self, **body: Any) -> tuple[dict[str, Any], str]:
        return await self.ended(await self.client.post("/api/jobs/taste/start", json=body))

    async def execute(self, **body: Any) -> tuple[dict[str, Any], str]:
        return await self.ended(await self.client.post("/api/exec", json={"image": "tools", **body}))


@pytest.fixture
async def boss(errand: Installation) -> AsyncIterator[Boss]:
    token = await errand.token("boss", "admin")
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=errand.url, headers=headers, timeout=PATIENCE) as client:
        yield Boss(errand, client)


async def test_tag_moves_for_everybody_until_it_is_dropped(
    errand: Installation, boss: Boss, registry: Registry
) -> None:
    made = await boss.client.post("/api/hooks", json={"job": "taste", "name": "ci"})
    hook = {"x-deploy-hook-token": made.json()["token"]}

    async def call(path: str, **body: Any) -> httpx.Response:
        async with httpx.AsyncClient(base_url=errand.url, headers=hook, timeout=PATIENCE) as client:
            return await client.post(path, json=body)

    assert (await boss.start())[1] == "apple\n"
    moved = await call("/hooks/taste?run=false", imageTag="v2")
    assert (moved.status_code, moved.json()["image_tag"]["reference"]) == (
        200,
        f"{registry.host}/acme/tools:v2",
    )
    assert (await boss.client.get("/api/runs")).json()["runs"][0]["number"] == 1  # nothing was run
    await errand.comment("/job run taste")
    await errand.wait_for(lambda: errand.ended([2]))
    assert (await boss.client.get("/api/runs/2/logs")).text == "cherry\n"
    assert (await boss.start(image_tag="v1"))[1] == "apple\n"  # for that run only
    assert (await boss.start())[1] == "cherry\n"
    again = (await boss.ended(await boss.client.post("/api/runs/1/rerun", json={})))[1]
    assert again == "apple\n"  # exactly as it was
    assert (await boss.client.delete("/api/jobs/taste/tag")).status_code == 204
    assert (await boss.client.get("/api/jobs/taste")).json()["image_tag"] is None
    assert (await boss.start())[1] == "apple\n"
    run, log = await boss.ended(await call("/hooks/taste?wait=60", imageTag="v2"))
    assert (run["result"], log) == ("succeeded", "cherry\n")


async def test_tag_that_is_not_there_is_an_error_that_names_it(boss: Boss, registry: Registry) -> None:
    run, _ = await boss.start(image_tag="v9")
    assert (run["result"], run["reason"], run["exit_code"]) == ("error", "ImageMissing", None)
    assert f"{registry.host}/acme/tools:v9" in run["message"]
    refused = await boss.client.post("/api/jobs/taste/start", json={"image_tag": "../other:v1"})
    assert refused.status_code == 422


async def test_single_commands_of_images_that_are_named(boss: Boss, registry: Registry) -> None:
    run, log = await boss.execute(command=["sh", "-c", "pwd; cat /word; exit 7"], workdir="/bin")
    assert (run["job"], run["result"], run["exit_code"], log) == ("exec", "failed", 7, "/bin\napple\n")
    run, log = await boss.execute(image=f"{registry.host}/acme/tools:v2", command="cat /word")
    assert (run["result"], log) == ("succeeded", "cherry\n")
    again, log = await boss.ended(await boss.client.post("/api/runs/2/rerun"))
    assert (again["rerun_of"], again["digest"], log) == (2, run["digest"], "cherry\n")
    run, _ = await boss.execute(command="sleep 60", timeout="1s")
    assert run["result"] == "timed_out"
    started = await boss.client.post("/api/exec", json={"image": "tools", "command": "sleep 600"})
    number = started.json()["number"]
    await boss.errand.wait_for(lambda: boss.errand.has_logged("run.running", number))
    assert (await boss.client.post(f"/api/runs/{number}/cancel")).status_code == 200
    assert (await boss.ended(started))[0]["result"] == "cancelled"
    for image in (f"{registry.host}/acme/other:v1", "docker.io/library/alpine", "deployment/web", "x"):
        refused = await boss.client.post("/api/exec", json={"image": image, "command": "true"})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/image"), image
    runs = (await boss.client.get("/api/runs?job=exec")).json()["runs"]
    assert [run["number"] for run in runs] == [5, 4, 3, 2, 1]
