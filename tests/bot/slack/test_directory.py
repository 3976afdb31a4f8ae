"""What Slack says of people and groups is asked once for all who want to know, and not believed for long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.errors import Refused, RetryLater
from bot.slack import Slack
from bot.slack import directory as module
from bot.slack.directory import SlackGroups, SlackPeople
from demo.slack import SlackStandIn
from demo.standins import serving
from executor.spec import Secret
from tests.clocks import Clock, clock

__all__ = ["clock"]


@dataclass
class Desk:
    standin: SlackStandIn
    people: SlackPeople
    groups: SlackGroups

    def asked(self, method: str) -> int:
        return len([each for each in self.standin.requests if each.path == f"/api/{method}"])


@pytest.fixture
async def desk(clock: Clock) -> AsyncIterator[Desk]:
    standin = SlackStandIn(clock=clock)
    async with serving(standin) as url:
        standin.url = url
        slack = Slack(api_url=f"{url}/api/", bot_token=Secret(standin.token), clock=clock)
        yield Desk(standin, SlackPeople(slack, clock), SlackGroups(slack, clock))
        await slack.close()


async def test_many_who_ask_at_once_are_one_question_which_holds_for_a_minute(
    desk: Desk, clock: Clock
) -> None:
    kim = desk.standin.add_person("kim")
    seen = await asyncio.gather(*(desk.people.person(kim.id) for _ in range(20)))
    assert {each.name for each in seen if each} == {"kim"}
    assert desk.asked("users.info") == 1
    kim.guest = "restricted"
    clock.ahead += module.MINUTE + 1
    person = await desk.people.person(kim.id)
    assert person is not None
    assert person.is_guest
    assert desk.asked("users.info") == 2


async def test_nobody_is_remembered_too(desk: Desk) -> None:
    assert [await desk.people.person("U0NOBODY") for _ in range(3)] == [None] * 3
    assert desk.asked("users.info") == 1


async def test_outage_is_neither_remembered_nor_bridged(desk: Desk, clock: Clock) -> None:
    kim = desk.standin.add_person("kim")
    await desk.people.person(kim.id)
    clock.ahead += module.MINUTE + 1
    desk.standin.say("users.info", "internal_error")
    with pytest.raises(RetryLater):
        await desk.people.person(kim.id)
    assert await desk.people.person(kim.id) is not None


async def test_missing_scope_is_the_operators(desk: Desk) -> None:
    desk.standin.scopes.discard("users:read")
    with pytest.raises(Refused, match="users:read"):
        await desk.people.person(desk.standin.add_person("kim").id)


async def test_members_of_a_group_by_its_handle(desk: Desk, clock: Clock) -> None:
    kim, lee = desk.standin.add_person("kim"), desk.standin.add_person("lee")
    ops = desk.standin.add_group("ops", kim)
    desk.standin.add_group("old", lee).disabled = True
    assert await desk.groups.members("ops") == {kim.id} == await desk.groups.members("@Ops")
    found = await desk.groups.find("@ops")
    assert found is not None
    assert found.id == ops.id
    assert await desk.groups.find("old") is None
    assert await desk.groups.members("old") == frozenset() == await desk.groups.members("none")
    assert (desk.asked("usergroups.list"), desk.asked("usergroups.users.list")) == (1, 1)
    ops.people.append(lee.id)
    assert await desk.groups.members("ops") == {kim.id}
    clock.ahead += module.MINUTE + 1
    assert await desk.groups.members("ops") == {kim.id, lee.id}


async def test_group_that_was_disabled_a_moment_ago_has_nobody(desk: Desk) -> None:
    ops = desk.standin.add_group("ops", desk.standin.add_person("kim"))
    await desk.groups.find("ops")
    ops.disabled = True
    assert await desk.groups.members("ops") == frozenset()


async def test_group_is_not_taken_from_memory_while_slack_does_not_answer(desk: Desk, clock: Clock) -> None:
    desk.standin.add_group("ops", desk.standin.add_person("kim"))
    await desk.groups.members("ops")
    clock.ahead += module.MINUTE + 1
    desk.standin.say("usergroups.list", "service_unavailable")
    with pytest.raises(RetryLater):
        await desk.groups.members("ops")


async def test_member_is_remembered_for_mentions_and_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEMBERS", 2)
    for number in range(3):
        desk.people.remember(f"Login{number}", f"U{number}")
    assert [desk.people.member(f"login{number}") for number in range(3)] == [None, "U1", "U2"]
