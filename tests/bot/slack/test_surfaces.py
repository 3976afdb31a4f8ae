"""Forms, Homes, threads, ephemeral messages, unfolded links, people and channels, against the stand-in."""

import asyncio
import time
from typing import Any

import pytest

from bot.errors import KnownFault, Refused, RetryLater
from bot.slack import Slack
from bot.slack.calls import CONCURRENT_CALLS
from demo.slack import SlackStandIn
from tests.clocks import Clock

USER = "U012AB3CD"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}


def _modal(title: str) -> dict[str, Any]:
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [SECTION]}


async def test_form_is_shown_once_for_a_trigger_and_replaced(standin: SlackStandIn, bot: Slack) -> None:
    trigger = standin.trigger(USER)
    view = await bot.open_view(trigger, _modal("Run"))
    await bot.update_view(view, _modal("Wait"))
    (shown,) = standin.views
    assert [each["title"]["text"] for each in shown.history] == ["Run", "Wait"]
    with pytest.raises(Refused) as caught:
        await bot.open_view(trigger, _modal("Run"))
    assert caught.value.status == "exchanged_trigger_id"
    with pytest.raises(Refused) as caught:
        await bot.update_view(view, _modal("Late"), hash="of-another-time")
    assert caught.value.status == "hash_conflict"


async def test_trigger_that_is_too_old_is_refused(standin: SlackStandIn, bot: Slack, clock: Clock) -> None:
    trigger = standin.trigger(USER)
    clock.ahead = 4
    with pytest.raises(Refused) as caught:
        await bot.open_view(trigger, _modal("Run"))
    assert caught.value.status == "expired_trigger_id"


async def test_limited_edits_hold_no_form(standin: SlackStandIn, bot: Slack) -> None:
    channel, ts = await bot.post("#ops", "hello", None, "n1")
    standin.limit("chat.update", retry_after=30)
    with pytest.raises(RetryLater):
        await bot.update(channel, ts, "bye", None)
    assert await bot.open_view(standin.trigger(USER), _modal("Run"))


async def test_form_does_not_wait_behind_messages(standin: SlackStandIn, bot: Slack) -> None:
    number = CONCURRENT_CALLS + 1
    standin.slow("chat.postMessage", 5.0, times=number)
    posts = [asyncio.create_task(bot.post("#ops", "hello", None, f"n{each}")) for each in range(number)]
    await asyncio.sleep(0)  # in which each takes its turn, or waits for one
    assert await bot.open_view(standin.trigger(USER), _modal("Run"))
    assert not any(post.done() for post in posts)
    for post in posts:
        post.cancel()
    await asyncio.gather(*posts, return_exceptions=True)


async def test_home_is_shown(standin: SlackStandIn, bot: Slack) -> None:
    await bot.publish_home(USER, {"type": "home", "blocks": [SECTION]})
    assert standin.count("views.publish") == 1


async def test_message_in_a_thread_is_found_there(standin: SlackStandIn, bot: Slack) -> None:
    channel, ts = await bot.post("#ops", "card", None, "n1")
    _, below = await bot.post(channel, "tail", None, "n2", thread=ts)
    assert standin.messages[-1].thread_ts == ts
    assert await bot.find(channel, "n2", time.time(), thread=ts) == (channel, below)
    assert await bot.find(channel, "n1", time.time()) == (channel, ts)
    assert await bot.find(channel, "n3", time.time(), thread=ts) is None


async def test_message_below_one_that_is_gone_is_told_once(standin: SlackStandIn, bot: Slack) -> None:
    channel, _ = await bot.post("#ops", "card", None, "n1")
    with pytest.raises(KnownFault) as caught:
        await bot.post(channel, "tail", None, "n2", thread="1.000001")
    assert caught.value.status == "thread_not_found"


async def test_ephemeral_message_is_seen_by_one(standin: SlackStandIn, bot: Slack) -> None:
    await bot.post_ephemeral(standin.channels[0].id, USER, "only you", [SECTION])
    (said,) = standin.ephemerals
    assert (said.user, said.text, said.blocks) == (USER, "only you", [SECTION])


async def test_answer_to_a_button_takes_the_place_of_its_message(standin: SlackStandIn, bot: Slack) -> None:
    channel, _ = await bot.post("#ops", "card", None, "n1")
    url = standin.response_url(channel, USER, standin.messages[0])
    await bot.respond(url, "new", [SECTION], replace_original=True)
    assert [text for text, _ in standin.messages[0].history] == ["card", "new"]
    await bot.respond(standin.response_url(channel, USER), "for all", in_channel=True)
    assert standin.messages[-1].text == "for all" or standin.ephemerals[-1].response_type == "in_channel"


async def test_link_unfolds_by_its_message(standin: SlackStandIn, bot: Slack) -> None:
    message = standin.write("see https://errand.test/runs/1", user=USER, channel=standin.channels[0])
    await bot.unfurl(message.channel, message.ts, {"https://errand.test/runs/1": {"blocks": [SECTION]}})
    assert set(message.unfurls) == {"https://errand.test/runs/1"}


async def test_person_is_told_with_what_they_are(standin: SlackStandIn, bot: Slack) -> None:
    guest = standin.add_person("guest", guest=True)
    stranger = standin.add_person("stranger", team="T0OTHER")
    member = await bot.person(USER)
    assert (member.is_guest, member.is_stranger, member.email) == (False, False, "octocat@example.com")
    assert (await bot.person(guest.id)).is_guest
    assert (await bot.person(stranger.id)).is_stranger
    with pytest.raises(Refused) as caught:
        await bot.person("U0NOBODY")
    assert caught.value.status == "user_not_found"


async def test_groups_have_handles_and_members(standin: SlackStandIn, bot: Slack) -> None:
    made = standin.add_group("ops", USER)
    (group,) = await bot.groups()
    assert (group.id, group.handle, group.is_disabled) == (made.id, "ops", False)
    assert await bot.group_members(group.id) == {USER}


async def test_channel_is_told_by_name_and_by_id(standin: SlackStandIn, bot: Slack) -> None:
    standin.add_channel("quiet", member=False)
    ops, quiet = [await bot.channel(name) for name in ("#ops", "#quiet")]
    assert ops is not None
    assert quiet is not None
    assert (ops.id, ops.is_member, quiet.is_member) == (standin.channels[0].id, True, False)
    assert await bot.channel("#nowhere") is None
    assert await bot.channel_name(ops.id) == "#ops"


async def test_scopes_are_those_of_the_token(standin: SlackStandIn, bot: Slack) -> None:
    standin.scopes.discard("links:write")
    assert await bot.scopes() == standin.scopes
