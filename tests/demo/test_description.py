"""GitHub's published description of its API, and stand-ins that hold every request against it."""

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from demo.github import GitHubStandIn, Sent
from demo.standins import serving
from tests import description

SHA = "a" * 40


@pytest.fixture(scope="module")
def published() -> description.Description:
    """The description; skipped without it, an error in CI."""
    found = description.load()
    if isinstance(found, str):
        if os.environ.get("CI"):
            pytest.fail(found)
        pytest.skip(found)
    return found


@pytest.fixture
def misfits() -> Iterator[list[str]]:
    """What did not fit, which is no mistake of these tests."""
    yield GitHubStandIn.misfits
    GitHubStandIn.misfits.clear()


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "complaint"),
    [
        ("GET", "/repos/acme/shop/git/ref/heads/feature/x", {}, None, None),
        ("GET", "/repos/acme/shop/commits/main/check-runs", {"filter": "all"}, None, None),
        ("GET", "/repos/acme/shop/commits/main/check-runs", {"filter": "some"}, None, "filter"),
        ("GET", "/repos/acme/shop/issues/1/comments", {"since": "2026-11-29T10:00:00Z"}, None, None),
        ("GET", "/repos/acme/shop/issues/1/comments", {"since": "yesterday"}, None, "since"),
        ("GET", "/repos/acme/shop/issues/1/comments", {"offset": "3"}, None, "offset"),
        ("GET", "/repos/acme/shop/pulls/one", {}, None, "pull_number"),
        ("GET", "/repos/acme/shop/runs", {}, None, "no such operation"),
        ("PUT", "/repos/acme/shop/pulls/1", {}, None, "no such operation"),
        ("POST", "/repos/acme/shop/check-runs", {}, {"name": "test", "head_sha": SHA}, None),
        ("POST", "/repos/acme/shop/check-runs", {}, {"name": "test"}, "head_sha"),
        ("POST", "/repos/acme/shop/check-runs", {}, {"name": "test", "head_sha": SHA, "sha": SHA}, "sha"),
        ("POST", f"/repos/acme/shop/statuses/{SHA}", {}, {"state": "running"}, "state"),
        ("POST", "/repos/acme/shop/issues/1/comments", {}, None, "body"),
        ("GET", "/repos/acme/shop/pulls/1", {}, {"state": "open"}, "no body"),
    ],
)
def test_what_does_not_fit_is_named(
    published: description.Description,
    method: str,
    path: str,
    query: dict[str, str],
    body: Any,
    complaint: str | None,
) -> None:
    found = published.misfit(Sent(method, path, query, body))
    assert found is None if complaint is None else complaint in str(found)


async def test_stand_in_refuses_what_github_would_refuse(
    published: description.Description, misfits: list[str]
) -> None:
    standin = GitHubStandIn()
    standin.add_repository("acme/shop")
    standin.add_person("acme/shop", "ann")
    headers = {"authorization": f"Bearer {standin.add_token('ghp_1', 'ann')}"}
    async with serving(standin) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        fitting = await client.get("/repos/acme/shop/collaborators/ann/permission")
        other = await client.get("/repos/acme/shop/collaborators/ann/permission", params={"level": "write"})
    assert (fitting.status_code, other.status_code) == (200, 422)
    assert [each.rpartition(": ")[2] for each in misfits] == ["there is no query parameter level"]
