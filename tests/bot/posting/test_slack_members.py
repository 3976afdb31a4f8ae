"""Mentions: of who is listed or was known by an address, of groups, and what guests are called on a card."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.posting.callees import Callees
from bot.posting.slack_members import SlackMembers
from tests.bot.house import House, house
from tests.bot.posting.quiet import said


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def test_member_of_an_actor(home: House) -> None:
    bot = home.bot
    assert bot.slack_people is not None
    members = SlackMembers(home.tools.registry, bot.slack_people)
    bot.slack_people.remember("Kim", "U0KIM")
    bot.slack_people.remember("octocat", "U0OTHER")
    told = {
        "slack:octocat": "U0OCTOCAT",
        "github:OctoCat": "U0OCTOCAT",
        "github:kim": "U0KIM",
        "slack:U012AB3CD": "U012AB3CD",
        "github:U012AB3CD": None,
        "github:nobody": None,
        "token:octocat": None,
        "terminal:octocat": None,
        "schedule": None,
    }
    assert {actor: members.of_actor(actor) for actor in told} == told


async def test_callees_are_mentioned_and_a_minute_is_one_question(home: House) -> None:
    group = home.slack.add_group("ops")
    bot = home.bot
    callees = Callees(SlackMembers(home.tools.registry, bot.slack_people), bot.slack_groups)
    who = [
        "github:octocat",
        "slack:@ops",
        "slack:@none",
        "slack:U012AB3CD",
        "github:hubot",
        f"slack:{group.id}",
    ]
    said = f"<@U0OCTOCAT> <!subteam^{group.id}> @none <@U012AB3CD> hubot"
    assert [await callees.mentions(who) for _ in range(2)] == [said, said]
    assert len([each for each in home.slack.requests if each.path.endswith("usergroups.list")]) == 1


async def test_group_that_slack_does_not_tell_of_is_named(home: House) -> None:
    home.slack.add_group("ops")
    home.slack.scopes.discard("usergroups:read")
    bot = home.bot
    callees = Callees(SlackMembers(home.tools.registry, bot.slack_people), bot.slack_groups)
    assert [await callees.mentions(["slack:@ops"]) for _ in range(2)] == ["@ops", "@ops"]
    assert len([each for each in home.slack.requests if each.path.endswith("usergroups.list")]) == 1


@pytest.mark.parametrize(
    ("about", "words"),
    [({}, None), ({"guest": "restricted"}, "guest"), ({"team": "T0OTHER"}, "of another workspace")],
)
async def test_what_somebody_is_in_words(home: House, about: dict[str, str], words: str | None) -> None:
    kim = home.slack.add_person("kim", **about)
    members = SlackMembers(home.tools.registry, home.bot.slack_people)
    assert await members.in_words(kim.id) == words
    home.slack.say("users.info", "internal_error")
    assert await SlackMembers(home.tools.registry, home.bot.slack_people).in_words(kim.id) is None


async def test_card_says_that_a_listed_guest_is_one(home: House) -> None:
    home.slack.add_person("octocat", id="U0OCTOCAT", guest="restricted")
    await home.types("run check")
    await said(home)
    (message,) = home.slack.messages
    assert "<@U0OCTOCAT> (guest)" in str(message.blocks)
