"""Members who are known by an address that Slack has confirmed and an organization on GitHub vouches for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.access.people import Membership
from bot.errors import RetryLater
from bot.events.slack_facts import SlackAsker
from bot.handlers.slack.identities import Identity
from bot.messages.slack.actions import Action
from tests.bot.handlers.slack.test_presses import press
from tests.bot.house import House, house

KIM = "kim@acme.com"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """`Kim` writes to the shop, and has a verified address there; U0OCTOCAT is `octocat` as always."""
    changes = {"slack": {"email_domains": ["acme.com"]}, "github": {"repositories": ["acme/*", "*/tools"]}}
    async with house(tmp_path, changes=changes) as made:
        made.github.add_person("acme/shop", "Kim", "write")
        made.github.add_member("acme", "Kim", KIM, domains=["acme.com"])
        made.github.add_member("acme", "octocat", "octocat@acme.com")
        for installation in made.github.state.installations.values():
            installation.permissions["members"] = "read"
        yield made


async def of(home: House, user: str, team: str | None = None) -> Identity:
    return await home.bot.slack_identities.of(SlackAsker(user, team))


async def test_member_is_their_account_through_every_door(home: House) -> None:
    kim = home.slack.add_person("kim", email="Kim@Acme.com")
    await home.types("run check", user=kim.id)
    assert (await home.run(1)).actor == "slack:Kim"
    assert await home.does(press(home, Action.RUN_CANCEL, "1", user=kim.id)) == []
    assert (await home.run(1)).result == "cancelled"


@pytest.mark.parametrize(
    ("about", "membership"),
    [
        ({"email": None}, Membership.MEMBER),
        ({"email": "lee@acme.com"}, Membership.UNMATCHED),
        ({"email": "kim@example.com"}, Membership.ELSEWHERE),
        ({"email": "kim@mail.acme.com"}, Membership.ELSEWHERE),
        ({"email": "kim@acme.com.example.com"}, Membership.ELSEWHERE),
        ({"email": "kim@example.com@acme.com"}, Membership.ELSEWHERE),
        ({"email": '"x@y" <kim@acme.com>'}, Membership.ELSEWHERE),
        ({"email": "\u212aim@acme.com"}, Membership.ELSEWHERE),
        ({"email": "kim@acme.com\n"}, Membership.ELSEWHERE),
        ({"email": "kim+x@acme.com"}, Membership.UNMATCHED),
        ({"email": "octocat@acme.com"}, Membership.TAKEN),
        ({"email": KIM, "guest": "restricted"}, Membership.GUEST),
        ({"email": KIM, "guest": "ultra_restricted"}, Membership.GUEST),
        ({"email": KIM, "team": "T0OTHER"}, Membership.STRANGER),
        ({"email": KIM, "team": "T0OTHER", "stranger": False}, Membership.STRANGER),
        ({"email": KIM, "bot": True}, Membership.PROGRAM),
        ({"email": KIM, "deleted": True}, Membership.GONE),
    ],
)
async def test_everybody_else_is_nobody(home: House, about: dict[str, Any], membership: Membership) -> None:
    somebody = home.slack.add_person("somebody", **about)
    assert await of(home, somebody.id) == Identity(None, membership)


async def test_table_of_a_member_whose_address_fits(home: House) -> None:
    kim = home.slack.add_person("kim", email=KIM)
    assert await of(home, kim.id, "T0ACME") == Identity("Kim")
    assert await of(home, kim.id, "T0OTHER") == Identity(None, Membership.STRANGER)
    home.slack.scopes.discard("users:read.email")
    assert await of(home, kim.id) == Identity(None)


async def test_address_that_slack_has_not_confirmed_is_nobodys(home: House) -> None:
    kim = home.slack.add_person("kim", email=KIM)
    shape = {"id": kim.id, "team_id": kim.team, "profile": {"email": KIM}, "is_email_confirmed": False}
    home.slack.fail("users.info", 200, body={"ok": True, "user": shape})
    assert await of(home, kim.id) == Identity(None, Membership.UNCONFIRMED)


async def test_two_accounts_with_one_address_are_nobody(home: House) -> None:
    home.github.add_member("acme", "Kim2", KIM)
    kim = home.slack.add_person("kim", email=KIM)
    assert await of(home, kim.id) == Identity(None, Membership.AMBIGUOUS)


async def test_list_wins_over_an_address(home: House) -> None:
    home.slack.add_person("octocat", id="U0OCTOCAT", email=KIM)
    assert await of(home, "U0OCTOCAT") == Identity("octocat")


async def test_while_slack_or_github_do_not_say_nobody_is_anybody(home: House) -> None:
    kim = home.slack.add_person("kim", email=KIM)
    home.slack.say("users.info", "internal_error")
    with pytest.raises(RetryLater):
        await of(home, kim.id)
    home.github.fail("/graphql$", 502)
    with pytest.raises(RetryLater):
        await of(home, kim.id)
    assert await of(home, kim.id) == Identity("Kim")


async def test_app_that_may_not_read_members_knows_nobody(home: House) -> None:
    for installation in home.github.state.installations.values():
        del installation.permissions["members"]
    kim = home.slack.add_person("kim", email=KIM)
    assert await of(home, kim.id) == Identity(None)


async def test_account_without_a_right_has_none(home: House) -> None:
    home.github.add_member("acme", "lee", "lee@acme.com")
    lee = home.slack.add_person("lee", email="lee@acme.com")
    (reply,) = await home.types("run check", user=lee.id)
    assert "write access" in reply


async def test_who_was_known_by_an_address_can_be_mentioned(home: House) -> None:
    kim, bot = home.slack.add_person("kim", email=KIM), home.bot
    assert bot.slack_people is not None
    await bot.slack_identities.of(SlackAsker(kim.id))
    assert bot.slack_people.member("kim") == kim.id
