"""The Slack stand-in makes an app of Errand's manifest, and no more than that is there."""

import json
from typing import Any

import httpx
import pytest

from bot.config import Config, slack_app
from demo.slack import SlackStandIn

URL = "https://errand.example.com"


def manifest(**more: Any) -> Any:
    return json.loads(json.dumps(slack_app.manifest(Config.model_validate({"url": URL} | more))))


@pytest.fixture
def slack() -> SlackStandIn:
    made = SlackStandIn()
    made.add_channel("ops")
    made.reach(lambda delivery: answer(), "secret")
    made.install(manifest())
    return made


async def answer() -> httpx.Response:
    return httpx.Response(200)


async def test_what_the_manifest_names_is_there(slack: SlackStandIn) -> None:
    assert slack.scopes == set(manifest()["oauth_config"]["scopes"]["bot"])
    await slack.slash("list")
    await slack.shortcut("run_job")
    await slack.message_shortcut(slack.write("x"), "run_job_here")
    await slack.mention("help")
    await slack.open_home()
    await slack.share(f"{URL}/runs/1")
    await slack.archive(slack.channels[0])
    await slack.remove(slack.add_channel("hidden", private=True))
    await slack.revoke("account_inactive")


async def test_what_it_does_not_name_is_not(slack: SlackStandIn) -> None:
    message = slack.write("x")
    for gesture in (
        lambda: slack.slash("list", command="/other"),
        lambda: slack.shortcut("run_job_here"),
        lambda: slack.message_shortcut(message, "run_job"),
        lambda: slack.event({"type": "message", "channel": message.channel}),
        lambda: slack.share("https://example.com/runs/1"),
    ):
        with pytest.raises(LookupError):
            await gesture()


@pytest.mark.parametrize(
    ("part", "change", "complaint"),
    [
        ("display_information", {"name": "x" * 36}, "longer than 35"),
        ("features", {"bot_user": {"display_name": "Errand bot"}}, "no name"),
        ("features", {"slash_commands": [{"command": "/Job", "url": URL}]}, "no slash command"),
        ("features", {"slash_commands": [{"command": "/job"}]}, "no address"),
        ("features", {"unfurl_domains": ["example.com"] * 6}, "no more than 5"),
        ("oauth_config", {"scopes": {"bot": ["chat:write"]}}, "app_mention needs the scope"),
        ("settings", {"interactivity": {"is_enabled": True}}, "interactivity has no address"),
    ],
)
def test_manifest_that_slack_would_refuse_is_refused(
    slack: SlackStandIn, part: str, change: dict[str, Any], complaint: str
) -> None:
    wrong = manifest()
    wrong[part] |= change
    with pytest.raises(ValueError, match=complaint):
        slack.install(wrong)


def test_socket_mode_needs_no_address(slack: SlackStandIn) -> None:
    local = manifest(url="http://127.0.0.1:8000")
    slack.install(local)
    assert slack.socket_mode.enabled
