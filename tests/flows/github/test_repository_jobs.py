"""A repository brings jobs of its own, in a file on its default branch."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.installation import Installation, installation
from tests.flows.github.test_checks import card

HERE = Path(__file__).parent
GOOD = """\
images:
  app: {build: {}}
jobs:
  greet:
    image: app
    command: cat greeting
    timeout: 5m
"""


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A running service that has one job, and lets the repository define its own."""
    async with installation(
        tmp_path, config=HERE / "repository_jobs.yaml", sample=HERE.parent / "repository", environ={}
    ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def read(errand: Installation, count: int) -> None:
    """Wait until the file was read so often."""

    def told() -> bool:
        return [each.get("event") for each in errand.events].count("repository.read") == count

    await errand.wait_for(told)


async def test_pushed_file_brings_a_job_that_runs_until_another_push_takes_it_away(
    errand: Installation,
) -> None:
    commit = await errand.commit({".errand.yaml": GOOD, "greeting": "good morning\n"})
    await errand.push(commit)
    await read(errand, 1)
    await errand.comment("/job run shop-greet --ref main")
    await card(errand, "shop-greet", "succeeded")
    token = await errand.token("reader")
    job = (await errand.get("/api/jobs/shop-greet", token=token)).json()
    assert (job["source"], job["changed_by"]) == ("repository", "github:octocat")
    assert (await errand.get("/api/runs/1/logs", token=token)).text == "good morning\n"

    await errand.push(await errand.commit({".errand.yaml": "jobs: {}\n"}))
    await read(errand, 2)
    await errand.comment("/job run shop-greet")
    await card(errand, "There is no job `shop-greet`")
