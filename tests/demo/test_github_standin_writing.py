"""What is written at the stand-in of GitHub is checked as GitHub does it."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from demo.github import GitHubStandIn
from tests.demo.test_github_standin import REPO, SHA, bearer, clock, github, http, installation_token

__all__ = ["clock", "github", "http"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"body": ""}, 422),
        ({"body": "  \n"}, 422),
        ({"body": 1}, 422),
        ({"body": "x" * 65_537}, 422),
        ({"body": "x" * 65_536}, 201),
    ],
)
async def test_comment_must_say_something_within_the_limit(
    http: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    answer = await http.post(f"{REPO}/issues/7/comments", headers=bearer("ghp_octocat"), json=body)
    assert answer.status_code == status
    elsewhere = await http.post(f"{REPO}/issues/8/comments", headers=bearer("ghp_octocat"), json=body)
    assert elsewhere.status_code == 404


async def test_broken_json_is_a_bad_request(http: httpx.AsyncClient) -> None:
    for content in (b"{", b"[]", b"\xff"):
        path = f"{REPO}/issues/7/comments"
        answer = await http.post(path, headers=bearer("ghp_octocat"), content=content)
        assert answer.status_code == 400


async def test_comments_come_in_pages_with_links(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    for number in range(65):
        github.add_comment("acme/shop", 7, "octocat", f"{number}")
    path = f"{REPO}/issues/7/comments"
    first = await http.get(path, headers=bearer("ghp_octocat"))
    assert [comment["body"] for comment in first.json()] == [str(number) for number in range(30)]
    assert first.links["last"]["url"].endswith("page=3")
    assert set(first.links) == {"next", "last"}
    third = await http.get(first.links["last"]["url"], headers=bearer("ghp_octocat"))
    assert len(third.json()) == 5
    assert set(third.links) == {"prev", "first"}
    beyond = await http.get(path, params={"page": 4, "per_page": 100}, headers=bearer("ghp_octocat"))
    assert beyond.json() == []


async def test_reaction_is_one_of_eight_and_the_same_again_is_200(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    comment = github.add_comment("acme/shop", 7, "reader", "x")
    path = f"{REPO}/issues/comments/{comment.id}/reactions"
    statuses = [
        (await http.post(path, headers=bearer("ghp_octocat"), json={"content": content})).status_code
        for content in ("eyes", "eyes", "rocket", "thumbsup")
    ]
    assert statuses == [201, 200, 201, 422]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "pending"}, 201),
        ({"state": "done"}, 422),
        ({}, 422),
        ({"state": "pending", "description": "x" * 141}, 422),
        ({"state": "pending", "description": "x" * 140}, 201),
        ({"state": "pending", "description": "✅ \U0001f600"}, 422),
        ({"state": "pending", "context": "x" * 256}, 422),
        ({"state": "pending", "target_url": "javascript:alert(1)"}, 422),
    ],
)
async def test_status_fields_are_checked(
    http: httpx.AsyncClient, fields: dict[str, Any], status: int
) -> None:
    answer = await http.post(f"{REPO}/statuses/{SHA}", headers=bearer("ghp_octocat"), json=fields)
    assert answer.status_code == status


async def test_status_needs_a_whole_sha_and_room(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    async def post(sha: str) -> int:
        path = f"{REPO}/statuses/{sha}"
        return (await http.post(path, headers=bearer("ghp_octocat"), json={"state": "error"})).status_code

    assert [await post(sha) for sha in ("main", SHA[:10], "b" * 40)] == [422, 422, 422]
    assert await post(SHA) == 201
    github.statuses.extend(github.statuses * 999)
    assert await post(SHA) == 422


OUTPUT = {"title": "t", "summary": "s"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 201),
        ({"status": "in_progress", "started_at": "2026-01-31T14:03:09Z"}, 201),
        ({"status": "completed"}, 422),
        ({"status": "completed", "conclusion": "success"}, 201),
        ({"conclusion": "success"}, 201),
        ({"conclusion": "stale"}, 422),
        ({"status": "waiting"}, 422),
        ({"completed_at": "2026-01-31T14:03:09Z"}, 422),
        ({"started_at": "yesterday"}, 422),
        ({"output": {"title": "t"}}, 422),
        ({"output": OUTPUT}, 201),
        ({"output": {**OUTPUT, "text": "x" * 65_536}}, 422),
        ({"output": {**OUTPUT, "text": "x" * 65_535}}, 201),
        ({"output": {**OUTPUT, "more": "x"}}, 422),
        ({"output": "x"}, 422),
        ({"details_url": "x"}, 422),
        ({"name": ""}, 422),
        ({"head_sha": "main"}, 422),
        ({"colour": "red"}, 422),
    ],
)
async def test_check_fields_are_checked(
    github: GitHubStandIn, http: httpx.AsyncClient, fields: Mapping[str, Any], status: int
) -> None:
    headers, _ = await installation_token(github, http)
    answer = await http.post(
        f"{REPO}/check-runs", headers=headers, json={"name": "x", "head_sha": SHA, **fields}
    )
    assert answer.status_code == status
    assert len(github.checks) == (status == 201)


async def test_checks_are_listed_newest_of_each_name_unless_all_are_asked_for(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    headers, _ = await installation_token(github, http)
    for name in ("x", "x", "y"):
        await http.post(f"{REPO}/check-runs", headers=headers, json={"name": name, "head_sha": SHA})
    path = f"{REPO}/commits/main/check-runs"
    counts = [
        (await http.get(path, params=params, headers=headers)).json()["total_count"]
        for params in ({}, {"filter": "all"}, {"check_name": "x"}, {"app_id": "1"})
    ]
    assert counts == [2, 3, 1, 0]
    person = await http.post(f"{REPO}/check-runs", headers=bearer("ghp_octocat"), json={})
    assert person.json()["message"] == "You must authenticate via a GitHub App."
