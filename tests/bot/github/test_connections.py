"""The connections to GitHub: which, how many, and what is sent over them again."""

import time

import httpx
import pytest

from bot.errors import RetryLater
from bot.github import GitHub
from bot.github.connections import Connections, connections
from demo.github import GitHubStandIn
from demo.standins import serving
from executor.spec import Secret

SHOP = "acme/shop"


async def test_a_read_goes_out_again_where_a_kept_connection_broke_and_a_write_does_not() -> None:
    standin = GitHubStandIn(clock=time.time)
    standin.add_token("t", "octocat")
    standin.add_repository(SHOP)
    async with serving(standin) as url:
        github = GitHub(api_url=url, token=Secret("t"), clone_url="", clock=time.time)
        await github.repository(SHOP)
        standin.drop_answer(f"{SHOP}$")
        assert (await github.repository(SHOP)).name == SHOP
        standin.drop_answer("comments$", method="POST")
        with pytest.raises(RetryLater, match="RemoteProtocolError"):
            await github.comment(SHOP, 7, "hello")
        await github.close()
    assert standin.count("comments$", "POST") == 1


async def test_a_failure_is_told_as_httpx_tells_it() -> None:
    async with httpx.AsyncClient(transport=Connections(False, 1)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://127.0.0.1:1/")


def test_where_the_environment_names_a_proxy_httpx_keeps_its_own_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    assert connections(False, 8) is None
