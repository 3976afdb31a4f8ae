"""What Slack takes away is told once, by its event or by the first call that meets it."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.bot.house import House
from tests.bot.posting.test_outbox import send


def _told(lines: Any) -> list[str]:
    return [line["error"] for line in lines if line["event"] == "slack.fault"]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0"]}}, "token_revoked"),
        ({"type": "app_uninstalled"}, "account_inactive"),
        ({"type": "channel_archive", "channel": "C9", "user": "U1"}, "is_archived"),
        ({"type": "group_archive", "channel": "C9"}, "is_archived"),
        ({"type": "channel_left", "channel": "C9"}, "not_in_channel"),
        ({"type": "group_left", "channel": "C9"}, "channel_not_found"),
    ],
)
async def test_event_is_told_once(home: House, event: dict[str, Any], error: str) -> None:
    if "channel" in event and error != "channel_not_found":
        event = event | {"channel": home.slack.channels[0].id}
    with capture_logs() as lines:
        await home.tells(event, id="Ev1")
        await home.tells(event, id="Ev2")
    assert _told(lines) == [error]


async def test_tokens_of_people_are_nothing_to_tell(home: House) -> None:
    with capture_logs() as lines:
        await home.tells({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}, id="Ev1")
    assert _told(lines) == []


async def test_archived_channel_stops_its_cards_and_nothing_else(home: House) -> None:
    ops, dev = home.slack.channels[0], home.slack.add_channel("dev")
    ops.archived = True
    mention = {"type": "app_mention", "user": "U0OCTOCAT", "channel": dev.id}
    with capture_logs() as lines:
        await home.tells({"type": "channel_archive", "channel": ops.id}, id="Ev1")
        for number in (2, 3):
            text = "<@U0ERRAND> run deploy SECRETIVE=x\n<@U0ERRAND> run check"
            event = mention | {"text": text, "ts": f"{number}.0"}
            await home.tells(event, id=f"Ev{number}")
            await send(home)
    states = {
        (post.place["channel"], post.state) for post in await home.posts() if post.kind == "slack_message"
    }
    assert states == {("#ops", "failed"), (dev.id, "open")}
    assert {message.channel for message in home.slack.messages if message.user is None} == {dev.id}
    assert _told(lines) == ["is_archived"]
    refused = [line for line in lines if line["event"] == "post.refused" and line["kind"] == "slack_message"]
    assert [line["log_level"] for line in refused] == ["debug", "debug"]
