"""What Errand asks of GitHub and tells it, against the stand-in over HTTP."""

import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import AskerError, ConfigError, Refused, RetryLater
from bot.github import GitHub, PullRequest, Repository
from bot.messages import CheckFields, StatusFields, marker
from demo.entities import number_of
from demo.github import GitHubStandIn
from demo.standins import serving
from executor.spec import Secret

SHA = "a" * 40
SHOP = "acme/shop"
PENDING = StatusFields("pending", "errand / migrate", "is running", "https://errand.example.com/runs/1")


@pytest.fixture
async def standin() -> AsyncIterator[GitHubStandIn]:
    github = GitHubStandIn()
    async with serving(github) as url:
        github.url = url
        github.add_repository(SHOP, refs={"main": SHA, "feature/a#b?c": "b" * 40}, private=True)
        github.add_pull(SHOP, 7, SHA, "topic")
        yield github


@asynccontextmanager
async def connected(standin: GitHubStandIn, token: str | None = None) -> AsyncIterator[GitHub]:
    """A client as the App, or with a token."""
    github = GitHub(
        api_url=standin.url,
        app_id=None if token else str(standin.app_id),
        private_key=None if token else Secret(standin.private_key),
        token=Secret(token) if token else None,
        clone_url="https://github.example.com/{repository}.git",
        clock=time.time,
    )
    try:
        yield github
    finally:
        await github.close()


@pytest.fixture
async def app(standin: GitHubStandIn) -> AsyncIterator[GitHub]:
    async with connected(standin) as github:
        yield github


@pytest.fixture
async def robot(standin: GitHubStandIn) -> AsyncIterator[GitHub]:
    standin.add_person(SHOP, "robot")
    async with connected(standin, standin.add_token("ghp_robot", "robot")) as github:
        yield github


def check(status: str = "queued", conclusion: str | None = None, nonce: str = "n1") -> CheckFields:
    done = "2026-01-31T14:03:09Z" if conclusion else None
    return CheckFields("errand / migrate", status, conclusion, "t", "s", None, None, nonce, None, done)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("read", "read"),
        ("triage", "triage"),
        ("write", "write"),
        ("maintain", "maintain"),
        ("admin", "admin"),
        ("security-reviewer", "write"),  # an organization's own role, based on write
    ],
)
async def test_permission_is_one_of_six_levels(
    standin: GitHubStandIn, app: GitHub, role: str, expected: str
) -> None:
    standin.add_person(SHOP, "octocat", role)
    assert await app.permission(SHOP, "octocat") == expected


@pytest.mark.parametrize("login", ["nobody-here", "", "../../user", "octocat/x", "ö", "a b", "x" * 200])
async def test_unknown_or_impossible_login_has_no_permission(app: GitHub, login: str) -> None:
    assert await app.permission(SHOP, login) == "none"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"permission": "write", "role_name": "read"}, "read"),
        ({"permission": "owner"}, "none"),
        ({"role_name": "maintain"}, "maintain"),
        ({"permission": "read", "role_name": "maintain"}, "read"),
        ({"permission": "write", "role_name": "maintain"}, "maintain"),
        ({"permission": ["admin"]}, "none"),
        ([], "none"),
        ({}, "none"),
    ],
)
async def test_contradicting_or_unknown_permission_counts_as_the_lower(
    standin: GitHubStandIn, app: GitHub, answer: object, expected: str
) -> None:
    standin.fail("/permission$", 200, body=answer)
    assert await app.permission(SHOP, "octocat") == expected


async def test_repository_and_pull_request_are_read(standin: GitHubStandIn, app: GitHub) -> None:
    standin.add_pull(SHOP, 8, "c" * 40, "theirs", head_repository=None)
    number, owner = number_of(SHOP), number_of("acme")
    assert await app.repository(SHOP) == Repository(SHOP, "main", True, number, owner)
    found = PullRequest(
        7, "open", SHA, "topic", SHOP, "main", False, number, number, SHOP, "octocat", False, 0.0, True
    )
    assert await app.pull(SHOP, 7) == found
    assert (await app.pull(SHOP, 8)).head_repository is None


async def test_answer_that_lacks_what_is_needed_is_refused_and_the_rest_may_lack(
    standin: GitHubStandIn, app: GitHub
) -> None:
    standin.fail(f"{SHOP}$", 200, body={"default_branch": "trunk", "new": {"unknown": [1]}})
    assert await app.repository(SHOP) == Repository(SHOP, "trunk", True)
    standin.fail(f"{SHOP}$", 200, body={"default_branch": None})
    with pytest.raises(Refused, match="default branch"):
        await app.repository(SHOP)


@pytest.mark.parametrize(("ref", "sha"), [("main", SHA), ("feature/a#b", None), ("feature/a#b?c", "b" * 40)])
async def test_branch_names_reach_github_whole(app: GitHub, ref: str, sha: str | None) -> None:
    if sha is None or "?" in ref:  # git allows no question mark, so nobody is asked
        with pytest.raises(AskerError):
            await app.commit(SHOP, ref)
    else:
        assert (await app.commit(SHOP, ref)).sha == sha


async def test_commits_of_a_real_repository(tmp_path: Path, standin: GitHubStandIn, app: GitHub) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Mona", "-c", "user.email=mona@example.com"]
        argv = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "one")
    first = git("rev-parse", "HEAD")
    for name in ("feature/x#y", "release/1.0/check-runs", "grün%2F", "a+b&c=d"):
        git("branch", name)
    git("tag", "-a", "v1", "-m", "one")
    standin.add_repository("acme/real", git=tmp_path)
    for ref in (
        "main",
        "v1",
        "feature/x#y",
        "release/1.0/check-runs",
        "grün%2F",
        "a+b&c=d",
        first,
        first[:8],
    ):
        assert (await app.commit("acme/real", ref)).sha == first, ref
    for ref in ("nope", "0" * 40, "refs/heads/nope"):
        with pytest.raises(AskerError, match="has no branch, tag or commit"):
            await app.commit("acme/real", ref)


@pytest.mark.parametrize(
    "ref", ["", "-x", "a b", "a..b", "a~1", "a^{tree}", "x:y", "@{u}", "a\n", "/a", "a/", "a.lock", "x" * 300]
)
async def test_impossible_ref_is_answered_without_a_request(
    standin: GitHubStandIn, app: GitHub, ref: str
) -> None:
    with pytest.raises(AskerError, match="no name"):
        await app.commit(SHOP, ref)
    assert standin.requests == []


@pytest.mark.parametrize(
    "name",
    ["shop", "acme/shop/x", "acme/..", "../x", "acme/sh op", "acme/shop?x", "acme/%2e", "-a/b", "a/b\n"],
)
async def test_what_is_no_repository_name_never_enters_a_url(
    standin: GitHubStandIn, app: GitHub, name: str
) -> None:
    for call in (app.repository(name), app.comment(name, 7, "x"), app.permission(name, "o"), app.clone(name)):
        with pytest.raises(Refused):
            await call
    assert standin.requests == []


async def test_clone_token_of_an_app_reads_one_repository_only(standin: GitHubStandIn, app: GitHub) -> None:
    url, token = await app.clone(SHOP)
    assert url == "https://github.example.com/acme/shop.git"
    assert token is not None
    made = standin.state.tokens[token.reveal()]
    assert made.permissions == {"contents": "read"}
    assert made.repositories == frozenset({SHOP})
    assert (await app.clone(SHOP))[1] == token
    async with connected(standin, token.reveal()) as limited:
        with pytest.raises(Refused, match="403"):
            await limited.comment(SHOP, 7, "x")


async def test_clone_without_an_app_uses_the_token_or_nothing(robot: GitHub, standin: GitHubStandIn) -> None:
    assert (await robot.clone(SHOP))[1] == Secret("ghp_robot")
    nobody = GitHub(api_url=standin.url, clone_url="x/{repository}", clock=time.time)
    assert await nobody.clone(SHOP) == ("x/acme/shop", None)
    assert not nobody.is_app


async def found(github: GitHub) -> int | None:
    comment = await github.find_comment(SHOP, 7, marker("n1"))
    return None if comment is None else comment.number


async def test_comment_is_posted_found_and_updated(standin: GitHubStandIn, app: GitHub) -> None:
    made = await app.comment(SHOP, 7, f"hello\n\n{marker('n1')}")
    assert await app.find_comment(SHOP, 7, marker("n1"), since=time.time()) == made
    assert await app.find_comment(SHOP, 7, marker("n2")) is None
    await app.update_comment(SHOP, made.number, "bye")
    assert [comment.history[-1] for comment in standin.comments] == ["bye"]
    with pytest.raises(Refused):
        await app.update_comment(SHOP, made.number + 1, "bye")


async def test_quote_of_our_comment_by_somebody_else_is_not_ours(
    standin: GitHubStandIn, app: GitHub, robot: GitHub
) -> None:
    standin.add_comment(SHOP, 7, "octocat", f"> quoted\n{marker('n1')}")
    assert await found(app) is None
    ours = standin.add_comment(SHOP, 7, "Robot", marker("n1"))
    assert await found(robot) == ours.id
    assert await found(app) is None


async def test_newest_comment_is_found_on_the_last_page_first(standin: GitHubStandIn, app: GitHub) -> None:
    for number in range(320):
        standin.add_comment(SHOP, 7, standin.bot_login, marker("n1") if number in (3, 310) else "x")
    assert await found(app) == standin.comments[310].id
    assert standin.count("issues/7/comments", "GET") == 2
    standin.comments[310].history.append("gone")
    assert await found(app) == standin.comments[3].id


async def test_workflow_token_is_known_by_its_bot(standin: GitHubStandIn, robot: GitHub) -> None:
    standin.fail("/user$", 403, body={"message": "Resource not accessible by integration"})
    ours = standin.add_comment(SHOP, 7, "github-actions[bot]", marker("n1"))
    assert await found(robot) == ours.id


async def test_same_reaction_twice_is_one(standin: GitHubStandIn, app: GitHub) -> None:
    comment = standin.add_comment(SHOP, 7, "octocat", "/job run x")
    for content in ("eyes", "eyes", "rocket"):
        await app.react(SHOP, comment.id, content)
    assert [each.content for each in standin.reactions] == ["eyes", "rocket"]


async def test_check_is_created_found_and_updated(standin: GitHubStandIn, app: GitHub) -> None:
    assert app.is_app
    await app.create_check(SHOP, SHA, check(nonce="other"))
    made = await app.create_check(SHOP, SHA, check())
    await app.update_check(SHOP, made, check("in_progress"))
    await app.update_check(SHOP, made, check("completed", "failure"))
    assert await app.find_check(SHOP, SHA, "n1") == made
    assert await app.find_check(SHOP, SHA, "n3") is None
    assert standin.checks[-1].history == [("queued", None), ("in_progress", None), ("completed", "failure")]


async def test_check_is_found_among_many_of_the_same_name(standin: GitHubStandIn, app: GitHub) -> None:
    made = [await app.create_check(SHOP, SHA, check(nonce=f"n{number}")) for number in range(105)]
    assert await app.find_check(SHOP, SHA, "n0") == made[0]
    assert await app.find_check(SHOP, SHA, "n104") == made[104]


async def test_status_is_set_with_a_token(standin: GitHubStandIn, robot: GitHub) -> None:
    await robot.set_status(SHOP, SHA, PENDING)
    assert [(each.state, each.context) for each in standin.statuses] == [("pending", "errand / migrate")]
    with pytest.raises(Refused, match="GitHub App"):
        await robot.create_check(SHOP, SHA, check())
    with pytest.raises(Refused, match="No commit found"):
        await robot.set_status(SHOP, "d" * 40, PENDING)


@pytest.mark.parametrize(
    "key", ["", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_unusable_private_key_is_told_at_start(key: str) -> None:
    with pytest.raises(ConfigError, match="private_key"):
        GitHub(api_url="http://x", app_id="1", private_key=Secret(key), clone_url="", clock=time.time)


async def test_private_key_with_escaped_line_ends_works(standin: GitHubStandIn) -> None:
    key = Secret(standin.private_key.replace("\n", "\\n"))
    github = GitHub(
        api_url=standin.url, app_id=str(standin.app_id), private_key=key, clone_url="", clock=time.time
    )
    assert (await github.repository(SHOP)).default_branch == "main"
    await github.close()


async def test_call_after_close_opens_again_or_fails_plainly(standin: GitHubStandIn, app: GitHub) -> None:
    await app.close()
    standin.fail(f"{SHOP}$", 503)
    with pytest.raises(RetryLater):
        await app.repository(SHOP)
