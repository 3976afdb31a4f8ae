"""The stand-in for GitHub is as strict as GitHub; its answers fit GitHub's published schema."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
from githubkit_schemas.latest import models
from pydantic import BaseModel

from demo.github import GitHubStandIn
from demo.standins import serving
from tests.clocks import Clock, clock

__all__ = ["clock"]

SHA = "a" * 40
REPO = "/repos/acme/shop"
SECRET = "/repos/acme/secret"


@pytest.fixture
async def github(clock: Clock) -> AsyncIterator[GitHubStandIn]:
    standin = GitHubStandIn(clock=clock)
    async with serving(standin) as url:
        standin.url = url
        standin.add_repository("acme/shop", refs={"main": SHA})
        standin.add_repository("acme/secret", refs={"main": SHA}, private=True)
        standin.add_pull("acme/shop", 7, SHA, "topic")
        standin.add_person("acme/shop", "octocat", "maintain")
        standin.add_person("acme/shop", "reader", "read")
        standin.add_token("ghp_octocat", "octocat")
        standin.add_token("ghp_reader", "reader")
        yield standin


@pytest.fixture
async def http(github: GitHubStandIn) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=github.url, verify=False) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def app_jwt(github: GitHubStandIn, **changes: Any) -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": str(github.app_id), "iat": now - 60, "exp": now + 540, **changes}
    return bearer(jwt.encode(claims, github.private_key, algorithm="RS256"))


async def installation_token(
    github: GitHubStandIn, http: httpx.AsyncClient, **body: Any
) -> tuple[dict[str, str], Any]:
    number = next(iter(github.state.installations))
    path = f"/app/installations/{number}/access_tokens"
    answer = await http.post(path, headers=app_jwt(github), json=body)
    data = answer.json()
    return bearer(data.get("token", "")), data


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer ghp_wrong"}, {"Authorization": "Basic eA=="}, {"Authorization": "Bearer"}],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/app"),
        ("GET", "/user"),
        ("POST", "/app/installations/1/access_tokens"),
        ("GET", f"{REPO}/installation"),
        ("GET", REPO),
        ("GET", f"{REPO}/collaborators/octocat/permission"),
        ("GET", f"{REPO}/pulls/7"),
        ("GET", f"{REPO}/commits/main"),
        ("GET", f"{REPO}/commits/main/check-runs"),
        ("GET", f"{REPO}/issues/7/comments"),
        ("POST", f"{REPO}/issues/7/comments"),
        ("PATCH", f"{REPO}/issues/comments/1"),
        ("POST", f"{REPO}/issues/comments/1/reactions"),
        ("POST", f"{REPO}/statuses/{SHA}"),
        ("POST", f"{REPO}/check-runs"),
        ("PATCH", f"{REPO}/check-runs/1"),
    ],
)
async def test_nothing_is_done_for_who_is_not_known(
    http: httpx.AsyncClient, headers: dict[str, str], method: str, path: str
) -> None:
    answer = await http.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()) == {"message", "documentation_url", "status"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exp": 99}, "'exp'"),
        ({"exp": int(time.time()) + 86_400}, "too far in the future"),
        ({"exp": None}, "'exp'"),
        ({"iat": int(time.time()) + 86_400}, "'iat'"),
        ({"iss": "1"}, "Integration not found"),
    ],
)
async def test_jwt_must_be_of_the_app_and_of_now(
    github: GitHubStandIn, http: httpx.AsyncClient, changes: dict[str, Any], says: str
) -> None:
    claims = {key: value for key, value in changes.items() if value is not None}
    headers = app_jwt(github, **claims)
    if None in changes.values():
        now = int(time.time())
        token = jwt.encode({"iss": str(github.app_id), "iat": now}, github.private_key, algorithm="RS256")
        headers = bearer(token)
    answer = await http.get("/app", headers=headers)
    assert answer.status_code in (401, 404)
    assert says in answer.json()["message"]


async def test_jwt_signed_otherwise_is_no_jwt(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    claims = {"iss": str(github.app_id), "iat": 1, "exp": 2**33}
    for token in (
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
    ):
        answer = await http.get("/app", headers=bearer(token))
        assert (answer.status_code, answer.json()["message"]) == (
            401,
            "A JSON web token could not be decoded",
        )


async def test_installation_token_ends_after_an_hour(
    github: GitHubStandIn, http: httpx.AsyncClient, clock: Clock
) -> None:
    headers, data = await installation_token(github, http)
    models.InstallationToken.model_validate(data)
    assert (await http.get(REPO, headers=headers)).status_code == 200
    clock.ahead = 3601
    assert (await http.get(REPO, headers=headers)).status_code == 401


async def test_installation_token_can_be_made_for_less(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    headers, data = await installation_token(
        github, http, repositories=["shop"], permissions={"contents": "read"}
    )
    assert data["repository_selection"] == "selected"
    assert (await http.get(f"{REPO}/commits/main", headers=headers)).status_code == 200
    assert (await http.get(f"{REPO}/pulls/7", headers=headers)).status_code == 403
    assert (await http.get(f"{SECRET}/commits/main", headers=headers)).status_code == 404
    for body in ({"repositories": ["nope"]}, {"permissions": {"administration": "write"}}):
        _, refused = await installation_token(github, http, **body)
        assert refused["status"] == "422"


async def test_installation_that_is_gone_is_not_found(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    headers, _ = await installation_token(github, http)
    github.uninstall("acme")
    assert (await http.get(REPO, headers=headers)).status_code == 401
    assert (await http.get(f"{REPO}/installation", headers=app_jwt(github))).status_code == 404
    answer = await http.post("/app/installations/1/access_tokens", headers=app_jwt(github))
    assert answer.status_code == 404


async def test_private_repository_is_hidden_from_who_may_not_see_it(http: httpx.AsyncClient) -> None:
    assert (await http.get(SECRET, headers=bearer("ghp_octocat"))).status_code == 404
    assert (await http.get("/repos/acme/none", headers=bearer("ghp_octocat"))).status_code == 404


async def test_reader_may_not_write(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    answer = await http.post(f"{REPO}/issues/7/comments", headers=bearer("ghp_reader"), json={"body": "x"})
    assert answer.status_code == 403
    assert github.comments == []


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [("octocat", "write", "maintain"), ("READER", "read", "read")],
)
async def test_permission_tells_the_base_role_and_the_role(
    http: httpx.AsyncClient, login: str, permission: str, role: str
) -> None:
    answer = await http.get(f"{REPO}/collaborators/{login}/permission", headers=bearer("ghp_octocat"))
    assert (answer.json()["permission"], answer.json()["role_name"]) == (permission, role)
    unknown = await http.get(f"{REPO}/collaborators/nobody/permission", headers=bearer("ghp_octocat"))
    assert unknown.status_code == 404


async def test_answers_fit_githubs_schema(github: GitHubStandIn, http: httpx.AsyncClient) -> None:
    headers, _ = await installation_token(github, http)

    async def fits(
        model: type[BaseModel], method: str, path: str, body: Any = None, as_app: bool = False
    ) -> Any:
        who = app_jwt(github) if as_app else headers
        answer = await http.request(method, path, headers=who, json=body)
        assert answer.status_code < 300, answer.text
        model.model_validate(answer.json())
        return answer.json()

    await fits(models.Integration, "GET", "/app", as_app=True)
    await fits(models.Installation, "GET", f"{REPO}/installation", as_app=True)
    await fits(models.FullRepository, "GET", REPO)
    await fits(models.PullRequest, "GET", f"{REPO}/pulls/7")
    await fits(models.Commit, "GET", f"{REPO}/commits/main")
    comment = await fits(models.IssueComment, "POST", f"{REPO}/issues/7/comments", {"body": "hello"})
    await fits(
        models.Reaction, "POST", f"{REPO}/issues/comments/{comment['id']}/reactions", {"content": "+1"}
    )
    await fits(models.Status, "POST", f"{REPO}/statuses/{SHA}", {"state": "success"})
    check = await fits(models.CheckRun, "POST", f"{REPO}/check-runs", {"name": "x", "head_sha": SHA})
    await fits(models.CheckRun, "PATCH", f"{REPO}/check-runs/{check['id']}", {"conclusion": "neutral"})
    permission = await http.get(f"{REPO}/collaborators/octocat/permission", headers=headers)
    models.SimpleUser.model_validate(permission.json()["user"])


async def test_old_name_leads_to_the_number_until_another_one_takes_it(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    number = github.state.repositories["acme/shop"].id
    github.rename("acme/shop", "acme/store")
    headers = bearer("ghp_octocat")
    read = await http.get(f"{REPO}/pulls/7?a=1", headers=headers)
    assert (read.status_code, read.json()["message"]) == (301, "Moved Permanently")
    assert read.headers["location"] == f"{github.url}/repositories/{number}/pulls/7?a=1"
    written = await http.post(f"{REPO}/issues/7/comments", headers=headers, json={"body": "x"})
    assert written.status_code == 307
    there = await http.get(f"/repositories/{number}/pulls/7", headers=headers)
    assert (
        there.json()["base"]["repo"] | {"id": number, "full_name": "acme/store"}
        == there.json()["base"]["repo"]
    )
    taken = github.add_repository("acme/shop")
    assert taken.id != number
    assert (await http.get(REPO, headers=headers)).json()["id"] == taken.id
    assert (await http.get(f"/repositories/{number}", headers=headers)).json()["full_name"] == "acme/store"


async def test_nobody_hears_where_a_private_repository_went_who_may_not_see_it(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    github.rename("acme/secret", "acme/hidden")
    assert (await http.get(SECRET, headers=bearer("ghp_octocat"))).status_code == 404
    headers, _ = await installation_token(github, http)
    assert (await http.get(SECRET, headers=headers, follow_redirects=True)).json()["name"] == "hidden"


async def test_number_of_a_deleted_repository_never_comes_again(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    number = github.state.repositories["acme/shop"].id
    github.remove("acme/shop")
    assert github.add_repository("acme/shop").id != number
    gone = await http.get(f"/repositories/{number}", headers=bearer("ghp_octocat"))
    assert gone.status_code == 404


async def test_head_of_a_pull_request_has_the_number_of_its_own_repository(
    github: GitHubStandIn, http: httpx.AsyncClient
) -> None:
    github.add_pull("acme/shop", 8, SHA, "theirs", head_repository="mallory/shop")
    pulls = [
        (await http.get(f"{REPO}/pulls/{number}", headers=bearer("ghp_octocat"))).json() for number in (7, 8)
    ]
    assert [pull["head"]["repo"]["id"] == pull["base"]["repo"]["id"] for pull in pulls] == [True, False]
