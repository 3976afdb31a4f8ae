"""Deployments, and what else happens on GitHub, start jobs of the running service and are answered there."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from demo import deliveries, happenings, payloads
from demo.github.state import Deployment
from demo.installation import GITHUB_SECRET, PULL, REPOSITORY, Installation, installation

HERE = Path(__file__).parent
HOSTILE = {"note": "$(touch hacked); `id`", "state": "fine"}


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A running service whose jobs name events."""
    async with installation(
        tmp_path, config=HERE / "app.yaml", sample=HERE.parent / "repository", environ={}
    ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def told(errand: Installation, event: str, payload: dict[str, Any]) -> None:
    """GitHub tells something, as it does, through the App and once more through a webhook."""
    for content in (payload, {name: value for name, value in payload.items() if name != "installation"}):
        sent = deliveries.github(GITHUB_SECRET, event, str(uuid.uuid4()), content)
        (await errand.deliver("/webhooks/github", sent)).raise_for_status()


def of(errand: Installation) -> dict[str, Any]:
    known = errand.beside.github.state.repositories[REPOSITORY]
    return {"private": known.private, "number": known.id}


async def deploys(errand: Installation, environment: str, sha: str, payload: Any) -> tuple[Deployment, Any]:
    """Somebody makes a deployment on GitHub."""
    made = errand.beside.github.add_deployment(REPOSITORY, sha, environment)
    content = happenings.deployment(
        REPOSITORY, made.id, sha, environment, payload=payload, at=errand.clock(), **of(errand)
    )
    return made, content


async def ended(errand: Installation, made: Deployment) -> str:
    """The last state of a deployment, once it is one."""
    return await errand.beside.github.wait_for(
        lambda: made.states[-1] if made.states and made.states[-1] not in ("queued", "in_progress") else None
    )


async def check(errand: Installation, name: str, sha: str) -> tuple[str | None, str | None]:
    """The conclusion of a check, and the address of what it tells of."""
    found = await errand.beside.github.wait_for(
        lambda: next(
            (
                each
                for each in errand.beside.github.checks
                if (each.name, each.head_sha) == (f"errand / {name}", sha) and each.conclusion
            ),
            None,
        )
    )
    return found.conclusion, found.details_url


async def test_deployment_waits_for_its_job_and_stands_as_that_ends(errand: Installation) -> None:
    head = errand.beside.github.state.repositories[REPOSITORY].resolve("main") or ""
    good, payload = await deploys(errand, "production", head, HOSTILE)
    await told(errand, "deployment", payload)
    assert await ended(errand, good) == "success"
    assert good.statuses[-1].environment_url == "https://shop.example.com"
    token = await errand.token("boss", "admin")
    log = (await errand.get("/api/runs/1/logs", token=token)).text
    assert 'to production by deployment: {"note": "$(touch hacked); `id`", "state": "fine"}' in log

    await told(errand, "deployment_status", happenings.deployment_status(payload, 4, "success"))
    assert (await check(errand, "smoke", head))[0] == "success"

    bad, payload = await deploys(errand, "production", head, {"state": "broken"})
    await told(errand, "deployment", payload)
    assert await ended(errand, bad) == "failure"
    assert "migrate #3 failed with exit code 1" in bad.statuses[-1].description

    github = errand.beside.github
    for run, state in ((71, "broken"), (72, "fine")):
        github.state.waiting.add((REPOSITORY, run, "review-1"))
        _, payload = await deploys(errand, "review-1", head, {"state": state})
        rule = happenings.protection_rule(payload, "review-1", run, github.url)
        await told(errand, "deployment_protection_rule", rule)
        await github.wait_for(lambda run=run: (REPOSITORY, run, "review-1") not in github.state.waiting)  # type: ignore[misc]
    assert {each.run: each.state for each in github.reviews if each.state} == {71: "rejected", 72: "approved"}
    runs = (await errand.get("/api/runs", token=token)).json()["runs"]
    assert [(run["number"], run["cause"]) for run in reversed(runs)] == [
        (1, "deployment"),
        (2, "deployment_status"),
        (3, "deployment"),
        (4, "protection_rule"),
        (5, "protection_rule"),
    ]


async def test_other_events_start_their_jobs_once_and_end_what_is_over(errand: Installation) -> None:
    github, about = errand.beside.github, of(errand)
    known = github.state.repositories[REPOSITORY]
    head = known.resolve("main") or ""

    def pull(action: str, sha: str, at: str) -> dict[str, Any]:
        payload = payloads.pull_request(REPOSITORY, PULL, sha, "topic", action=action, private=True)
        payload["repository"]["id"] = payload["pull_request"]["head"]["repo"]["id"] = about["number"]
        payload["pull_request"]["updated_at"] = at
        return payload

    await told(errand, "pull_request", pull("opened", head, "2026-01-01T00:00:00Z"))
    await errand.wait_for(lambda: errand.has_logged("run.running", 1))
    newer = await errand.commit({"README.md": "newer"}, branch="topic")
    await told(errand, "pull_request", pull("synchronize", newer, "2026-01-01T00:00:05Z"))
    await errand.wait_for(lambda: errand.ended([1]) and errand.has_logged("run.running", 2))
    await told(errand, "pull_request", pull("closed", newer, "2026-01-01T00:00:09Z"))
    await errand.wait_for(lambda: errand.ended([2]))
    assert (await check(errand, "preview", head))[0] == "cancelled"

    await told(errand, "workflow_run", happenings.workflow_run(REPOSITORY, 9, head, **about))
    assert (await check(errand, "announce", head))[0] == "success"
    await told(errand, "merge_group", happenings.merge_group(REPOSITORY, newer, **about))
    assert (await check(errand, "announce", newer))[0] == "success"
    neutral = await github.wait_for(
        lambda: next((each for each in github.checks if each.conclusion == "neutral"), None)
    )
    assert (neutral.name, neutral.head_sha) == ("errand / preview", newer)
    content = {"job": "report", "key": "june", "parameters": {"MONTH": "June"}}
    dispatch = happenings.repository_dispatch(REPOSITORY, "errand", content, **about)
    await told(errand, "repository_dispatch", dispatch)
    await errand.wait_for(lambda: errand.ended([5]))
    token = await errand.token("boss", "admin")
    runs = (await errand.get("/api/runs", token=token)).json()["runs"]
    assert [(run["job"], run["cause"], run["result"]) for run in reversed(runs)] == [
        ("preview", "pull_request", "cancelled"),
        ("preview", "pull_request", "cancelled"),
        ("announce", "workflow", "succeeded"),
        ("announce", "merge_group", "succeeded"),
        ("report", "dispatch", "succeeded"),
    ]
