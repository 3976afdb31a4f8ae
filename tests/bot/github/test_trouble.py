"""When GitHub limits, breaks, forgets or is slow: told by kind, never repeated, nothing leaked."""

import asyncio
import logging
import socket
import traceback

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

import bot.github.transport as transport
from bot.errors import Refused, RetryLater
from bot.github import GitHub
from demo.github import GitHubStandIn
from demo.standins import serving
from executor.spec import Secret
from tests.bot.github.conftest import SHOP
from tests.clocks import Clock


async def test_twenty_cold_calls_at_once_fetch_one_token(standin: GitHubStandIn, app: GitHub) -> None:
    answers = await asyncio.gather(*(app.permission(SHOP, "octocat") for _ in range(20)))
    assert answers == ["write"] * 20
    assert standin.count("access_tokens") == 1
    assert standin.count("installation$") == 1


async def test_cancelled_asker_does_not_take_the_token_from_the_others(
    standin: GitHubStandIn, app: GitHub
) -> None:
    standin.slow("access_tokens", 0.2)
    first = asyncio.create_task(app.repository(SHOP))
    await standin.wait_for(lambda: standin.count("installation$"))
    second = asyncio.create_task(app.repository(SHOP))
    first.cancel()
    assert (await second).name == SHOP
    assert standin.count("access_tokens") == 1


async def test_failed_token_fetch_fails_all_who_wait_and_is_tried_again_by_the_next(
    standin: GitHubStandIn, app: GitHub
) -> None:
    standin.fail("access_tokens", 502)
    answers = await asyncio.gather(*(app.repository(SHOP) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [RetryLater] * 5
    assert (await app.repository(SHOP)).name == SHOP


async def test_token_is_renewed_before_it_ends(standin: GitHubStandIn, app: GitHub, clock: Clock) -> None:
    await app.repository(SHOP)
    clock.ahead = 3600 - 650
    await app.repository(SHOP)
    assert standin.count("access_tokens") == 1
    clock.ahead = 3600 - 300
    await app.repository(SHOP)
    assert standin.count("access_tokens") == 2
    assert all(request.status < 400 for request in standin.requests)


async def test_revoked_token_is_replaced_without_doing_anything_twice(
    standin: GitHubStandIn, app: GitHub
) -> None:
    await app.repository(SHOP)
    standin.revoke_tokens()
    await app.comment(SHOP, 7, "hello")
    assert len(standin.comments) == 1
    assert [request.status for request in standin.requests if request.method == "POST"] == [
        201,
        401,
        201,
        201,
    ]


async def test_reinstalled_app_is_found_again(standin: GitHubStandIn, app: GitHub) -> None:
    await app.repository(SHOP)
    standin.uninstall("acme")
    standin.install("acme")
    assert (await app.repository(SHOP)).name == SHOP


async def test_reinstalled_app_is_found_again_when_only_its_number_is_remembered(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    await app.repository(SHOP)
    standin.uninstall("acme")
    standin.install("acme")
    clock.ahead = 3300  # the token has ended for us, the installation is still believed
    assert (await app.repository(SHOP)).name == SHOP
    assert [request.status for request in standin.requests][3:] == [404, 200, 201, 200]


async def test_app_that_is_not_installed_says_so(standin: GitHubStandIn, app: GitHub) -> None:
    standin.uninstall("acme")
    with pytest.raises(Refused, match="not installed on acme/shop") as caught:
        await app.repository(SHOP)
    assert caught.value.status == "not_installed"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_error_is_for_later_and_the_write_is_not_repeated(
    standin: GitHubStandIn, app: GitHub, status: int
) -> None:
    standin.fail("comments$", status, times=5)
    with pytest.raises(RetryLater):
        await app.comment(SHOP, 7, "hello")
    assert standin.count("comments$", "POST") == 1


async def test_lost_answer_is_for_later_and_the_comment_is_there_to_be_found(
    standin: GitHubStandIn, app: GitHub
) -> None:
    standin.drop_answer("comments$", method="POST")
    with pytest.raises(RetryLater):
        await app.comment(SHOP, 7, "hello <!-- errand:n1 -->")
    assert standin.count("comments$", "POST") == 1
    found = await app.find_comment(SHOP, 7, "<!-- errand:n1 -->")
    assert found is not None
    assert found.number == standin.comments[0].id


async def test_secondary_limit_waits_as_told_and_meanwhile_nothing_is_sent(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    body = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    standin.fail("comments$", 403, headers={"Retry-After": "40"}, body=body)
    with pytest.raises(RetryLater) as caught:
        await app.comment(SHOP, 7, "hello")
    assert caught.value.delay == 40
    asked = len(standin.requests)
    with pytest.raises(RetryLater) as held:
        await app.comment(SHOP, 7, "hello")
    assert held.value.delay is not None
    assert 30 < held.value.delay <= 40
    assert len(standin.requests) == asked
    clock.ahead = 41
    await app.comment(SHOP, 7, "hello")
    assert len(standin.comments) == 1


@pytest.mark.parametrize(
    ("status", "headers", "message", "delay"),
    [
        (403, {}, "You have exceeded a secondary rate limit.", 60),
        (429, {}, "", 60),
        (429, {"Retry-After": "7"}, "", 7),
        (403, {"Retry-After": "999999"}, "", 300),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "", 60),
        (
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999999999"},
            "API rate limit exceeded",
            300,
        ),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, "API rate limit exceeded", 1),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, "API rate limit exceeded", 60),
        (403, {"X-RateLimit-Remaining": "0", "Retry-After": "soon"}, "", 60),
    ],
)
async def test_every_form_of_a_limit_is_for_later_within_minutes(
    standin: GitHubStandIn, app: GitHub, status: int, headers: dict[str, str], message: str, delay: float
) -> None:
    standin.fail(f"{SHOP}$", status, headers=headers, body={"message": message})
    with pytest.raises(RetryLater) as caught:
        await app.repository(SHOP)
    assert caught.value.delay == pytest.approx(delay, abs=1)


async def test_used_up_limit_of_the_stand_in_is_understood(standin: GitHubStandIn, app: GitHub) -> None:
    await app.repository(SHOP)
    for key in standin.state.used:
        standin.state.used[key] = 5000
    with pytest.raises(RetryLater):
        await app.repository(SHOP)


@pytest.mark.parametrize("status", [400, 403, 409, 410, 422, 451])
async def test_other_refusals_are_final(standin: GitHubStandIn, app: GitHub, status: int) -> None:
    standin.fail(f"{SHOP}$", status, body={"message": "no"})
    with pytest.raises(Refused) as caught:
        await app.repository(SHOP)
    assert caught.value.status == status


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000, b"null", b'"x"'])
async def test_answer_that_is_no_json_is_refused_not_crashed_on(
    standin: GitHubStandIn, app: GitHub, body: bytes
) -> None:
    standin.fail(f"{SHOP}$", 200, body=body)
    with pytest.raises(Refused):
        await app.repository(SHOP)


async def test_answer_beyond_the_size_limit_is_cut_off(
    standin: GitHubStandIn, app: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ANSWER_BYTES", 10_000)
    standin.fail(f"{SHOP}$", 200, body=b" " * 20_000)
    with pytest.raises(RetryLater):
        await app.repository(SHOP)


async def test_slow_github_is_given_up(
    standin: GitHubStandIn, app: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.repository(SHOP)
    monkeypatch.setattr(transport, "CALL_SECONDS", 0.1)
    standin.slow(f"{SHOP}$", 0.5)
    with pytest.raises(RetryLater, match="no answer"):
        await app.repository(SHOP)


async def test_github_that_is_not_there_is_for_later(clock: Clock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        github = GitHub(
            api_url=f"http://127.0.0.1:{taken.getsockname()[1]}",
            token=Secret("t"),
            clone_url="",
            clock=clock,
        )
        with pytest.raises(RetryLater):
            await github.repository(SHOP)
        await github.close()


async def test_renamed_repository_is_followed_for_reads_and_kept_writes_only(
    standin: GitHubStandIn, app: GitHub
) -> None:
    standin.fail("old$", 301, headers={"Location": f"{standin.url}/repos/{SHOP}"})
    standin.add_repository("acme/old")
    assert (await app.repository("acme/old")).name == SHOP
    moved = f"{standin.url}/repos/{SHOP}/issues/7/comments"
    standin.fail("old/issues/7/comments$", 307, headers={"Location": moved})
    await app.comment("acme/old", 7, "hello")
    assert len(standin.comments) == 1
    standin.fail("old/issues/7/comments$", 301, headers={"Location": moved})
    with pytest.raises(Refused, match="redirected"):
        await app.comment("acme/old", 7, "hello")


async def test_old_name_is_asked_for_and_leads_to_the_number(standin: GitHubStandIn, app: GitHub) -> None:
    number = standin.state.repositories[SHOP].id
    standin.rename(SHOP, "acme/store")
    assert (await app.repository(SHOP)).number == number
    await app.comment(SHOP, 7, "hello")
    assert standin.comments[-1].repository == "acme/store"
    assert standin.count(f"^/repositories/{number}/issues/7/comments$", "POST") == 1


async def test_redirect_on_the_same_host_stays_below_the_api(clock: Clock) -> None:
    """On Enterprise Server the host serves more than the API; none of it is shown a token."""
    seen: list[str] = []

    async def enterprise(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await Response(status_code=301, headers={"Location": "/pages/evil"})(scope, receive, send)

    async with serving(enterprise) as url:
        github = GitHub(api_url=f"{url}/api/v3", token=Secret("t"), clone_url="", clock=clock)
        with pytest.raises(Refused, match="redirected"):
            await github.repository(SHOP)
        await github.close()
    assert seen == [f"/api/v3/repos/{SHOP}"]


@pytest.mark.parametrize(
    "location", ["http://evil.example.com/x", "//evil.example.com/x", "", "http://[", "/repos"]
)
async def test_redirect_elsewhere_or_in_a_circle_is_refused(
    standin: GitHubStandIn, app: GitHub, location: str
) -> None:
    standin.fail("/repos", 302, headers={"Location": location}, times=10, method="GET")
    with pytest.raises(Refused):
        await app.repository(SHOP)


async def test_no_error_shows_a_token(
    standin: GitHubStandIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = "ghp_do_not_show"
    standin.add_token(secret, "octocat")
    github = GitHub(api_url=standin.url, token=Secret(secret), clone_url="", clock=clock)
    standin.fail(f"{SHOP}$", 500)
    standin.fail(f"{SHOP}$", 422)
    standin.drop_answer(f"{SHOP}$", times=2)
    texts = [repr(github), str(vars(github))]
    for _ in range(3):
        try:
            await github.repository(SHOP)
        except (RetryLater, Refused) as error:
            texts += ["".join(traceback.format_exception(error)), repr(error)]
    broken = GitHub(api_url=standin.url, token=Secret(secret + "\n"), clone_url="", clock=clock)
    with pytest.raises((RetryLater, Refused)) as caught:
        await broken.repository(SHOP)
    texts += ["".join(traceback.format_exception(caught.value)), caplog.text]
    assert len(texts) == 10
    assert not any(secret in text for text in texts)
    await github.close()
    await broken.close()


async def test_api_below_a_path_as_on_github_enterprise(clock: Clock) -> None:
    seen: list[str] = []

    async def enterprise(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen.append(f"{request.method} {request.url.path} {request.headers['authorization']}")
        answer: Response = PlainTextResponse('{"default_branch": "main"}')
        await answer(scope, receive, send)

    async with serving(enterprise) as url:
        github = GitHub(api_url=f"{url}/api/v3", token=Secret("t"), clone_url="", clock=clock)
        assert (await github.repository(SHOP)).default_branch == "main"
        await github.close()
    assert seen == ["GET /api/v3/repos/acme/shop Bearer t"]


async def test_connections_are_shared_between_tasks(standin: GitHubStandIn, app: GitHub) -> None:
    await app.repository(SHOP)
    for _ in range(5):
        await asyncio.create_task(app.repository(SHOP))
    ports = {request.client[1] for request in standin.requests if request.client}
    assert len(ports) == 1
