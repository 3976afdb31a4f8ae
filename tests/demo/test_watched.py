"""Both stand-ins write everything down, fail as told, and can be waited for."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import uvloop

from demo.github import GitHubStandIn
from demo.standins import serving

REPO = "/repos/acme/shop"


@pytest.fixture
async def github() -> AsyncIterator[GitHubStandIn]:
    standin = GitHubStandIn()
    async with serving(standin) as url:
        standin.url = url
        standin.add_repository("acme/shop", refs={"main": "a" * 40})
        standin.add_pull("acme/shop", 7, "a" * 40, "topic")
        for login in ("octocat", "reader"):
            standin.add_person("acme/shop", login)
            standin.add_token(f"ghp_{login}", login)
        yield standin


@pytest.fixture
async def http(github: GitHubStandIn) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=github.url, verify=False) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_limits_are_counted_per_token_and_hour(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    answer = await http.get(REPO, headers=bearer("ghp_octocat"))
    assert (answer.headers["x-ratelimit-remaining"], answer.headers["x-ratelimit-limit"]) == ("4999", "5000")
    for counted in github.state.used:
        github.state.used[counted] = 5000
    limited = await http.get(REPO, headers=bearer("ghp_octocat"))
    assert (limited.status_code, limited.headers["x-ratelimit-remaining"]) == (403, "0")
    assert (await http.get(REPO, headers=bearer("ghp_reader"))).status_code == 200


async def test_faults_come_as_told_and_then_end(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    github.fail("shop$", 502, times=2, method="GET")
    statuses = [(await http.get(REPO, headers=bearer("ghp_octocat"))).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]
    path = f"{REPO}/issues/7/comments"
    github.drop_answer("comments$")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await http.post(path, headers=bearer("ghp_octocat"), json={"body": "posted"})
    assert [comment.body for comment in github.comments] == ["posted"]
    assert github.requests[-1].status == 0


def test_answer_is_dropped_under_uvloop_too() -> None:
    async def ask() -> None:
        standin = GitHubStandIn()
        async with serving(standin) as url, httpx.AsyncClient(base_url=url, verify=False) as client:
            standin.drop_answer("/app$")
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/app")
            assert (await client.get("/app")).status_code == 401

    uvloop.run(ask())


async def test_waiting_ends_with_what_was_waited_for_or_says_that_it_never_came(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    waiting = asyncio.create_task(github.wait_for(lambda: github.comments))
    path = f"{REPO}/issues/7/comments"
    await http.post(path, headers=bearer("ghp_octocat"), json={"body": "hello"})
    assert [comment.body for comment in await waiting] == ["hello"]
    with pytest.raises(TimeoutError):
        await github.wait_for(lambda: github.reactions, 0.01)


async def test_unknown_path_is_githubs_not_found(http: httpx.AsyncClient) -> None:
    for method, path in (("GET", "/nope"), ("DELETE", REPO)):
        answer = await http.request(method, path, headers=bearer("ghp_octocat"))
        assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")
    anonymous = await http.get(REPO, headers={**bearer("ghp_octocat"), "User-Agent": ""})
    assert anonymous.status_code == 403
