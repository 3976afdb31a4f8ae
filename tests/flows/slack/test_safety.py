"""Who is not Slack is turned away; what Slack takes away is told once and stops nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from demo.installation import Installation
from demo.slack import SlackStandIn
from demo.slack.doors import HttpDoor, Sending, signed

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIVE_MINUTES = 300.0


def _told(errand: Installation, event: str) -> list[str]:
    return [str(each["error"]) for each in errand.events if each.get("event") == event]


def _tried(slack: SlackStandIn, name: str) -> bool:
    """Whether a message with this name has come, also one that was not taken."""
    return any(each.path.endswith("/chat.postMessage") and name in str(each.body) for each in slack.requests)


async def _runs(errand: Installation, name: str) -> None:
    """A run of `hello` with this name, from the command to its end."""
    before = sum(each.get("event") == "run.finished" for each in errand.events)
    await errand.slash(f"run hello NAME={name}")
    await errand.wait_for(lambda: sum(each.get("event") == "run.finished" for each in errand.events) > before)


@pytest.mark.parametrize("kind", ["slash_commands", "interactive", "events_api"])
async def test_request_of_somebody_else_or_of_another_time_is_turned_away(
    errand: Installation, kind: str
) -> None:
    slack = errand.beside.slack
    door = slack.door
    assert isinstance(door, HttpDoor)
    sending = Sending(kind, {"type": "block_actions", "trigger_id": f"1.2.{kind}", "event_id": f"Ev{kind}"})
    late = signed(sending, door.secret, slack.clock() - FIVE_MINUTES - 5)
    early = signed(sending, door.secret, slack.clock() + FIVE_MINUTES + 5)
    forged = signed(sending, "a-guess", slack.clock())
    right = signed(sending, door.secret, slack.clock())
    changed = replace(right, body=right.body + b" ")
    bare = replace(right, headers={**right.headers, "X-Slack-Signature": ""})
    for delivery in (late, early, forged, changed, bare):
        assert (await errand.deliver("/webhooks/slack", delivery)).status_code == 401
    assert (await errand.deliver("/webhooks/slack", right)).status_code == 200


async def test_response_url_of_somebody_else_is_never_called(errand: Installation) -> None:
    slack, github = errand.beside.slack, errand.beside.github
    await errand.slash("list")
    payload: dict[str, Any] = dict(slack.sent[-1].payload)
    for number, address in enumerate((f"{github.url}/steal", "https://hooks.slack.com@127.0.0.1/steal")):
        fields = {"trigger_id": f"9.9.{number}", "response_url": address}
        await slack.send("slash_commands", payload | fields)
    await errand.wait_for(lambda: len(_told(errand, "post.refused")) == 2)
    assert all("not Slack's" in each for each in _told(errand, "post.refused"))
    assert github.count("steal") == 0


async def test_bot_that_is_thrown_out_of_a_channel_is_told_once_until_it_is_back(
    errand: Installation,
) -> None:
    slack = errand.beside.slack
    channel, before, mended = slack.channels[0], _told(errand, "slack.fault"), _told(errand, "slack.mended")
    await _runs(errand, "Ada")
    await slack.remove(channel)
    for name in ("Bea", "Cleo"):
        await _runs(errand, name)
    await slack.wait_for(lambda: sum("/invite" in each.text for each in slack.ephemerals) >= 2)
    channel.member = True
    await _runs(errand, "Dora")
    await slack.wait_for(lambda: any("Dora" in str(each.blocks) for each in slack.messages))
    await errand.wait_for(lambda: _told(errand, "slack.mended") == [*mended, "not_in_channel"])
    assert _told(errand, "slack.fault") == [*before, "not_in_channel"]


async def test_revoked_token_is_told_once_and_runs_go_on(errand: Installation) -> None:
    slack = errand.beside.slack
    before = len(_told(errand, "slack.fault"))
    await slack.revoke()
    for name in ("Enid", "Fay"):
        await _runs(errand, name)
        await slack.wait_for(lambda name=name: _tried(slack, name))  # type: ignore[misc]
    slack.credentials.ended = None
    await _runs(errand, "Gwen")
    await slack.wait_for(lambda: any("Gwen" in str(each.blocks) for each in slack.messages))
    assert _told(errand, "slack.fault")[before:] == ["token_revoked"]
    assert not any("Enid" in str(each.blocks) for each in slack.messages)
