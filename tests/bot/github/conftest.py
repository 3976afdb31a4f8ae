"""A GitHub whose time tests may put forward, and the App that asks it."""

from collections.abc import AsyncIterator

import pytest

from bot.github import GitHub
from demo.github import GitHubStandIn
from demo.standins import serving
from executor.spec import Secret
from tests.clocks import Clock, clock

__all__ = ["clock"]

SHA = "a" * 40
SHOP = "acme/shop"


@pytest.fixture
async def standin(clock: Clock) -> AsyncIterator[GitHubStandIn]:
    github = GitHubStandIn(clock=clock)
    async with serving(github) as url:
        github.url = url
        github.add_repository(SHOP, refs={"main": SHA})
        github.add_person(SHOP, "octocat")
        github.add_pull(SHOP, 7, SHA, "topic")
        yield github


@pytest.fixture
async def app(standin: GitHubStandIn, clock: Clock) -> AsyncIterator[GitHub]:
    github = GitHub(
        api_url=standin.url,
        app_id=str(standin.app_id),
        private_key=Secret(standin.private_key),
        clone_url="",
        clock=clock,
    )
    yield github
    await github.close()
