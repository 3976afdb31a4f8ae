"""Who may what in Slack: by being listed, and by nothing else that Slack says of somebody."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.messages.slack.actions import Action, Form
from bot.store import runs
from bot.tables import Run
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


async def types(home: House, user: str) -> list[str]:
    return await home.types("run check", user=user)


async def asks_for_a_list(home: House, user: str) -> list[str]:
    return await home.types("list", user=user)


async def types_what_opens_a_form(home: House, user: str) -> list[str]:
    return await home.types("run deploy", user=user)


async def mentions(home: House, user: str) -> list[str]:
    channel, text = home.slack.channels[0].id, f"<@{home.slack.bot_user}> run check"
    event = {"type": "app_mention", "user": user, "text": text, "ts": home.slack.stamp(), "channel": channel}
    return await home.tells(event)


async def types_nothing(home: House, user: str) -> list[str]:
    return await home.types("", user=user)


async def opens_home(home: House, user: str) -> list[str]:
    about = {"tab": "home", "channel": "D1", "event_ts": home.slack.stamp()}
    said = await home.tells({"type": "app_home_opened", "user": user, **about})
    return [*said, str(home.slack.homes[user].blocks)]


async def presses_on_home(home: House, user: str) -> list[str]:
    await opens_home(home, user)
    payload = press(home, Action.JOB_PAUSE, "check", user=user)
    del payload["channel"], payload["response_url"]
    view = {"id": home.slack.homes[user].id, "type": "home"}
    about = {"container": {"type": "view", "view_id": view["id"]}, "view": view}
    return await home.does(payload | about | {"trigger_id": home.slack.trigger(user)})


async def presses(home: House, user: str) -> list[str]:
    return await home.does(press(home, Action.RUN_CANCEL, "1", user=user))


async def presses_run(home: House, user: str) -> list[str]:
    payload = press(home, Action.JOB_RUN, "check", user=user)
    return await home.does(payload | {"trigger_id": home.slack.trigger(user)})


async def submits(home: House, user: str) -> list[str]:
    view = {"type": "modal", "id": f"V{user}", "callback_id": Form.RUN, "state": {"values": {}}}
    view["private_metadata"] = json.dumps({"job": "check", "channel": home.slack.channels[0].id})
    urls = [{"response_url": home.slack.response_url(home.slack.channels[0].id, user)}]
    asker = {"id": user, "team_id": home.slack.team_id}
    return await home.does(
        {"type": "view_submission", "user": asker, "view": view, "response_urls": urls, "trigger_id": "1.v"}
    )


async def chooses_a_shortcut(home: House, user: str) -> list[str]:
    asker = {"id": user, "team_id": home.slack.team_id}
    about = {"callback_id": "run_job", "trigger_id": home.slack.trigger(user)}
    return await home.does({"type": "shortcut", "user": asker, **about})


async def chooses_a_shortcut_of_a_message(home: House, user: str) -> list[str]:
    channel = home.slack.channels[0]
    return await home.does(
        {
            "type": "message_action",
            "callback_id": "run_job_here",
            "trigger_id": home.slack.trigger(user),
            "user": {"id": user, "team_id": home.slack.team_id},
            "channel": {"id": channel.id, "name": channel.name},
            "message": {"ts": "5.6"},
            "message_ts": "5.6",
            "response_url": home.slack.response_url(channel.id, user),
        }
    )


DOORS = (
    types,
    asks_for_a_list,
    types_what_opens_a_form,
    mentions,
    types_nothing,
    opens_home,
    presses_on_home,
    presses,
    presses_run,
    submits,
    chooses_a_shortcut,
    chooses_a_shortcut_of_a_message,
)


async def test_nobody_may_who_is_not_listed_through_any_door(home: House) -> None:
    await home.types("run check", user=LISTED)
    (run,) = await runs_of(home)
    for kind, about in PEOPLE.items():
        person = home.slack.add_person(kind, **about)
        for door in DOORS:
            seen = len(home.slack.views)
            said = " ".join(await door(home, person.id))
            said += str([view.blocks for view in home.slack.views[seen:]])
            assert WORDS[kind] in said, (kind, door.__name__)
            assert "publish" not in said, (kind, door.__name__)
    assert [each.identity for each in await runs_of(home)] == [run.identity]
    assert (await home.run(run.identity)).result is None
    assert not [view for view in home.slack.views if view.content.get("submit")]


async def test_who_is_listed_comes_in_through_every_door(home: House) -> None:
    home.slack.add_person("listed", id=LISTED, guest="restricted")
    await types(home, LISTED)
    for door in DOORS[1:]:
        seen = len(home.slack.views)
        said = " ".join(await door(home, LISTED)) + str([view.blocks for view in home.slack.views[seen:]])
        assert "You are a guest" not in said, door.__name__
        assert "slack.people" not in said, door.__name__


async def runs_of(home: House) -> list[Run]:
    return await home.store.read(runs.page)


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
