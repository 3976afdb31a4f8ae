"""A Home that somebody looks at follows what runs, and nothing is done while nobody looks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.handlers.slack import viewers
from bot.workers import homes
from demo.watched import PATIENCE, Received
from tests.bot.handlers.slack.hands import OCTOCAT, let_in, text_of
from tests.bot.house import House


@pytest.fixture
async def following(home: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house whose bot follows Homes, without waiting between two of them."""
    monkeypatch.setattr(viewers, "SPACING", 0.0)
    bot = let_in(home)
    assert bot.slack is not None
    task = asyncio.create_task(bot.slack.follower.run())
    yield home
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def publications(home: House) -> list[Received]:
    """Every Home that Slack was sent, also those that it did not take."""
    return [each for each in home.slack.requests if each.path.endswith("/views.publish")]


async def becomes(home: House, user: str, words: str) -> None:
    """Wait until a Home says so."""
    await home.slack.wait_for(lambda: words in text_of(home.slack.homes[user].blocks), PATIENCE)


async def test_home_follows_a_run_that_begins_and_ends(following: House) -> None:
    home = following
    await home.slack.open_home(user=OCTOCAT)
    await home.types("run check")
    await becomes(home, OCTOCAT, "is waiting")
    await home.types("cancel #1")
    await becomes(home, OCTOCAT, "Nothing runs now")


async def test_first_change_is_shown_without_gathering_others(
    following: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homes, "GATHERING", 3600.0)
    home = following
    await home.slack.open_home(user=OCTOCAT)
    await home.slack.wait_for(lambda: len(home.slack.homes[OCTOCAT].history) == 2)
    await home.types("run check")
    await becomes(home, OCTOCAT, "is waiting")


async def test_home_that_another_bot_shows_by_now_is_left_to_that(following: House) -> None:
    home = following
    await home.slack.open_home(user=OCTOCAT)
    await home.slack.wait_for(lambda: len(home.slack.homes[OCTOCAT].history) == 2)
    let_in(home)
    await home.slack.open_home(user=OCTOCAT)
    await home.types("run check")
    await home.slack.wait_for(lambda: len(publications(home)) == 4)
    assert len(home.slack.homes[OCTOCAT].history) == 3
