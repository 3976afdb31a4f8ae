"""What Slack is asked about the app itself."""

import time
from collections.abc import AsyncIterator

import pytest

from bot.slack.people import Channel, Group
from bot.slack.review import Absent, Questions, SlackReview, review
from demo.slack import SlackStandIn
from demo.standins import serving
from executor.spec import Secret


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    standin = SlackStandIn()
    async with serving(standin) as url:
        standin.url = url
        yield standin


async def _asked(slack: SlackStandIn, **questions: tuple[str, ...]) -> SlackReview:
    return await review(f"{slack.url}/api/", (Secret(slack.token), None), Questions(**questions), time.time)


async def test_channels_are_found_in_a_long_list_by_name_and_by_id(slack: SlackStandIn) -> None:
    for number in range(1100):
        slack.add_channel(f"c-{number}")
    hidden = slack.add_channel("hidden", private=True, member=False)
    last = slack.channels[1099]
    seen = (await _asked(slack, channels=("#c-0", last.id, "#c-1099", hidden.id, "#none"))).channels
    assert [each.name if isinstance(each, Channel) else each.error for each in seen.values()] == [
        "c-0",
        "c-1099",
        "c-1099",
        "channel_not_found",
        "channel_not_found",
    ]
    lists = [each for each in slack.requests if each.path == "/api/conversations.list"]
    assert len(lists) == 2


async def test_nothing_is_asked_that_nobody_wants_to_know(slack: SlackStandIn) -> None:
    await _asked(slack)
    assert {each.path for each in slack.requests} == {"/api/auth.test"}


async def test_groups_are_known_by_handle_and_by_id_while_they_are_in_use(slack: SlackStandIn) -> None:
    group = slack.add_group("ops")
    seen = (await _asked(slack, groups=("ops", group.id, "none"))).groups
    assert isinstance(seen["ops"], Group)
    assert seen["ops"] == seen[group.id]
    assert seen["none"] == Absent("no_such_subteam", "")
    slack.scopes.discard("usergroups:read")
    denied = (await _asked(slack, groups=("ops",))).groups["ops"]
    assert isinstance(denied, Absent)
    assert denied.error == "missing_scope"
