"""A repository brings jobs of its own, in a file on its default branch."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo import deliveries
from demo.github import Check
from demo.installation import GITHUB_SECRET, REPOSITORY, Installation, installation
from tests.flows.github.test_checks import card

HERE = Path(__file__).parent
CHECK = "errand / .errand.yaml"
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
    url = f"{errand.beside.github.url}/acme/shop/blob/{commit}/.errand.yaml#L4"
    told = {"repository": "acme/shop", "file": ".errand.yaml", "commit": commit, "line": 4, "url": url}
    assert job["origin"] == told
    assert (await errand.get("/api/runs/1/logs", token=token)).text == "good morning\n"

    # While nothing here listens the file changes; what is stored holds until that is read.
    await errand.stop()
    await errand.commit({".errand.yaml": GOOD + "  more: {image: app, command: cat greeting}\n"})
    await errand.start()
    await read(errand, 2)
    assert (await errand.get("/api/jobs/shop-more", token=token)).json()["changed_by"] == "repository"
    assert (await errand.get("/api/jobs/shop-greet", token=token)).json()["version"] == 1

    await errand.push(await errand.commit({".errand.yaml": "jobs: {}\n"}))
    await read(errand, 3)
    await errand.comment("/job run shop-greet")
    await card(errand, "There is no job `shop-greet`")


WRONG = """\
jobs:
  greet:
    comand: cat greeting
    timeout: 3h
    schedule: {cron: "@daily"}
"""


async def check(errand: Installation, commit: str, conclusion: str) -> Check:
    """The check of the file of a commit."""

    def there() -> Check | None:
        found = [each for each in errand.beside.github.checks if each.head_sha == commit]
        return next((each for each in found if (each.name, each.conclusion) == (CHECK, conclusion)), None)

    return await errand.beside.github.wait_for(there)


async def test_mistake_is_a_failed_check_with_annotations_and_what_was_in_force_stays(
    errand: Installation,
) -> None:
    commit = await errand.commit({".errand.yaml": GOOD, "greeting": "good morning\n"})
    await errand.push(commit)
    good = await check(errand, commit, "success")
    assert good.output["title"] == "Jobs: 1 added"
    assert "- `shop-greet` is new\n  - image: `shop-app`, of `acme/shop`" in str(good.output["summary"])

    commit = await errand.commit({".errand.yaml": WRONG})
    await errand.push(commit)
    wrong = await check(errand, commit, "failure")
    places = [(each["path"], each["start_line"], each["start_column"]) for each in wrong.annotations]
    assert places == [(".errand.yaml", 2, 3), (".errand.yaml", 3, 5), (".errand.yaml", 5, 5)]
    told = [str(each["message"]) for each in wrong.annotations]
    assert told[1] == "jobs.greet.comand: unknown key; did you mean command?"
    assert told[2].startswith("jobs.greet.schedule: schedule is the server's to say")
    await errand.comment("/job run shop-greet --ref main")
    await card(errand, "shop-greet", "succeeded")


async def test_pull_request_gets_a_plan_and_changes_nothing(errand: Installation) -> None:
    github = errand.beside.github
    await errand.push(await errand.commit({".errand.yaml": GOOD}))
    await read(errand, 1)
    changed = GOOD.replace("5m", "7m") + "  second: {command: echo second}\n"
    head = await errand.commit({".errand.yaml": changed}, branch="more")
    github.add_pull(REPOSITORY, 8, head, "more")
    payload = deliveries.pull_request(REPOSITORY, 8, head, "more", private=True)
    sent = deliveries.github(GITHUB_SECRET, "pull_request", str(uuid.uuid4()), payload)
    (await errand.deliver("/webhooks/github", sent)).raise_for_status()
    plan = await check(errand, head, "success")
    assert plan.output["title"] == "Jobs: 1 added, 1 changed"
    for line in (
        "Once this is on the default branch",
        "`shop-second` is new",
        "`shop-greet` changes: `timeout`",
    ):
        assert line in str(plan.output["summary"])
    await errand.comment("/job run shop-second")
    await card(errand, "There is no job `shop-second`")
