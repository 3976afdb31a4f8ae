"""What GitHub counts: how much is left is known, and nothing is asked for in vain or too early."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.errors import RetryLater
from bot.github import GitHub
from bot.github.transport import Call, Transport
from bot.telemetry.metrics import REGISTRY
from demo.github import GitHubStandIn
from demo.standins import serving
from tests.bot.github.conftest import SHOP
from tests.clocks import Clock


async def test_graphql_of_an_enterprise_server_is_beside_the_rest_api(clock: Clock) -> None:
    seen: list[str] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await PlainTextResponse("{}")(scope, receive, send)

    async with serving(answer) as url:
        for api in (f"{url}/api/v3", f"{url}/"):
            transport = Transport(api, clock)
            await transport.send(Call("POST", "graphql", body={"query": "{viewer{login}}"}), None, "nobody")
            await transport.close()
    assert seen == ["/api/graphql", "/graphql"]


async def test_what_did_not_change_is_not_counted(standin: GitHubStandIn, app: GitHub) -> None:
    first = await app.repository(SHOP)
    await app.repository(SHOP)
    standin.state.repositories[SHOP].default_branch = "next"
    assert (first.default_branch, (await app.repository(SHOP)).default_branch) == ("main", "next")
    asked = [request for request in standin.requests if request.path == f"/repos/{SHOP}"]
    assert [request.status for request in asked] == [200, 304, 200]
    token = asked[0].headers["authorization"]
    assert sum(used for (who, *_), used in standin.state.used.items() if who == token) == 2


async def test_quota_that_is_left_is_shown_and_none_is_not_asked_for(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    await app.repository(SHOP)
    labels = {"credential": "installation", "resource": "core"}
    assert REGISTRY.get_sample_value("errand_github_rate_remaining", labels) == 4999
    for key in standin.state.used:
        standin.state.used[key] = 4999
    await app.permission(SHOP, "octocat")
    assert REGISTRY.get_sample_value("errand_github_rate_remaining", labels) == 0
    asked = len(standin.requests)
    with pytest.raises(RetryLater) as caught:
        await app.repository(SHOP)
    assert len(standin.requests) == asked
    assert caught.value.delay is not None
    assert caught.value.delay <= 300
    clock.ahead = 3601
    await app.repository(SHOP)


async def test_secondary_limits_in_a_row_are_waited_for_longer(
    standin: GitHubStandIn, app: GitHub, clock: Clock
) -> None:
    delays = []
    for _ in range(4):
        standin.fail("comments$", 403, body={"message": "You have exceeded a secondary rate limit."})
        with pytest.raises(RetryLater) as caught:
            await app.comment(SHOP, 7, "hello")
        delays.append(caught.value.delay)
        clock.ahead += 301
    assert delays == [60, 120, 240, 300]
    await app.comment(SHOP, 7, "hello")
