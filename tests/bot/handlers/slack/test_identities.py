"""Who may what in Slack: by being listed, and by nothing else that Slack says of somebody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.messages.slack.actions import Action
from tests.bot.handlers.slack.test_presses import press
from tests.bot.house import House, house

LISTED = "U0LISTED"
PEOPLE: dict[str, dict[str, Any]] = {
    "member": {},
    "guest": {"guest": "restricted"},
    "guest of one channel": {"guest": "ultra_restricted"},
    "of another workspace": {"team": "T0OTHER"},
    "of another workspace that we share a channel with": {"team": "T0OTHER", "stranger": False},
    "program": {"bot": True},
    "deactivated": {"deleted": True},
}
WORDS = {
    "member": "who you are on GitHub",
    "guest": "You are a guest",
    "guest of one channel": "You are a guest",
    "of another workspace": "of another Slack workspace",
    "of another workspace that we share a channel with": "of another Slack workspace",
    "program": "Programs in Slack",
    "deactivated": "deactivated",
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes={"slack": {"people": {LISTED: "octocat"}}}) as made:
        yield made


async def test_nobody_may_who_is_not_listed_whoever_they_are(home: House) -> None:
    await home.types("run check")
    for kind, about in PEOPLE.items():
        person = home.slack.add_person(kind, **about)
        for replies in (
            await home.types("run check", user=person.id),
            await home.types("list", user=person.id),
            await home.does(press(home, Action.RUN_CANCEL, "1", user=person.id)),
        ):
            (reply,) = replies
            assert WORDS[kind] in reply, kind
    assert (await home.run(1)).result is None
    with pytest.raises(AssertionError):
        await home.run(2)


async def test_who_is_listed_may_whoever_they_are_and_slack_is_not_asked(home: House) -> None:
    for number, about in enumerate(PEOPLE.values(), start=1):
        home.slack.add_person("listed", id=LISTED, **about)
        await home.types("run check", user=LISTED)
        assert await home.does(press(home, Action.RUN_CANCEL, str(number), user=LISTED)) == []
        assert (await home.run(number)).actor == "slack:octocat"
        assert (await home.run(number)).result == "cancelled"
    assert not [each for each in home.slack.requests if each.path.endswith(("users.info", "auth.test"))]


async def test_lesser_of_what_came_and_what_slack_says_counts(home: House) -> None:
    ours, other = home.slack.add_person("ours"), home.slack.add_person("other", team="T0OTHER")
    for user, team in ((ours.id, "T0OTHER"), (other.id, home.slack.team_id)):
        payload = press(home, Action.RUN_CANCEL, "1", user=user)
        (reply,) = await home.does(payload | {"user": {"id": user, "team_id": team}})
        assert "of another Slack workspace" in reply


async def test_no_is_said_at_once_where_slack_says_nothing(home: House) -> None:
    guest = home.slack.add_person("guest", guest="restricted")
    home.slack.say("users.info", "internal_error")
    (reply,) = await home.types("run check", user=guest.id)
    assert "who you are on GitHub" in reply
    home.slack.scopes.discard("users:read")
    (reply,) = await home.types("run check", user=guest.id)
    assert "who you are on GitHub" in reply


async def test_what_one_started_on_github_is_theirs_in_slack_and_the_other_way_round(home: House) -> None:
    home.github.add_person("acme/shop", "OctoCat", "write")
    await home.says("/job run check", author="OctoCat")
    assert (await home.run(1)).actor == "github:OctoCat"
    (reply,) = await home.types("status", user=LISTED)
    assert "#1" in reply
    (reply,) = await home.types("cancel", user=LISTED)
    assert "is being stopped" in reply
    assert (await home.run(1)).stop_by == "slack:octocat"


async def test_lock_that_one_closed_on_github_is_theirs_in_slack(home: House) -> None:
    home.github.add_person("acme/shop", "hubot", "write")
    await home.says('/job lock check "first"', author="octocat")
    (reply,) = await home.types('lock check "second"', user=LISTED)
    assert "already" not in reply
    (reply,) = await home.says('/job lock check "third"', author="hubot")
    assert "already" in reply
