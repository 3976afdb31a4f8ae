"""A repository is renamed, and somebody else takes its name, while the service runs."""

import uuid
from typing import Any

import httpx

from demo import deliveries
from demo.installation import GITHUB_SECRET, PERSON, PULL, REPOSITORY, Installation

STORE = "acme/store"


async def told(errand: Installation, event: str, payload: dict[str, Any]) -> None:
    sent = deliveries.github(GITHUB_SECRET, event, str(uuid.uuid4()), payload)
    (await errand.deliver("/webhooks/github", sent)).raise_for_status()


async def commented(errand: Installation, name: str, body: str) -> None:
    """Somebody comments on a pull request of the repository that has this name now."""
    known = errand.beside.github.state.repositories[name]
    made = errand.beside.github.add_comment(name, PULL, PERSON, body)
    payload = deliveries.issue_comment(
        name, PULL, made.id, PERSON, body, private=True, at=errand.clock(), number=known.id
    )
    await told(errand, "issue_comment", payload)


async def test_renamed_repository_goes_on_and_who_takes_its_name_starts_nothing(errand: Installation) -> None:
    github = errand.beside.github
    number = github.state.repositories[REPOSITORY].id
    await errand.push(await errand.commit({"README.md": "new"}))
    await errand.wait_for(lambda: errand.has_logged("build.finished", 1))

    github.rename(REPOSITORY, STORE)
    moved = errand.origin.with_name("store.git")
    errand.origin.rename(moved)
    errand.origin = moved
    github.state.repositories[STORE].git = moved
    commit = await errand.commit({"README.md": "newer"})
    payload = deliveries.push(STORE, commit, private=True, at=errand.clock() + 2, number=number)
    await told(errand, "push", payload)
    await github.wait_for(
        lambda: any(
            (each.repository, each.head_sha, each.conclusion) == (STORE, commit, "success")
            for each in github.checks
        )
    )
    await commented(errand, STORE, "/job run hello")
    card = await github.wait_for(
        lambda: next((each for each in github.comments if "succeeded" in each.body), None)
    )
    assert (card.repository, card.issue) == (STORE, PULL)
    (line,) = [each for each in errand.events if each.get("event") == "repository.renamed"]
    assert line["why"] == f"write {STORE} for {REPOSITORY} in app.yaml"

    taken = github.add_repository(REPOSITORY, refs={"main": commit}, private=True)
    github.add_person(REPOSITORY, PERSON, "admin")
    github.add_pull(REPOSITORY, PULL, commit, "main")
    await commented(errand, REPOSITORY, "/job run hello")
    refusal = await github.wait_for(
        lambda: next((each for each in github.comments if "are not run here" in each.body), None)
    )
    assert refusal.repository == REPOSITORY
    async with httpx.AsyncClient(base_url=errand.url, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {await errand.token('boss', 'admin')}"
        runs = (await client.get("/api/runs")).json()["runs"]
        assert [run["number"] for run in runs] == [1]
        shop = (await client.get("/api/repositories")).json()["repositories"][-1]
        assert (shop["number"], shop["current_name"], shop["rival"]) == (number, STORE, taken.id)
    assert not [each for each in github.requests if each.path == f"/repos/{REPOSITORY}"]
