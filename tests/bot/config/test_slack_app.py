"""What the Slack app of an `app.yaml` may do and hears: all that it needs, and nothing else."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from bot.config import Config, slack_app
from bot.messages.slack.actions import Shortcut
from demo.slack import SlackStandIn

PUBLIC = "https://errand.example.com"
SOCKET = {"bot_token": "xoxb-1", "app_token": "xapp-1"}


def manifest(**more: Any) -> Any:
    return slack_app.manifest(Config.model_validate({"url": PUBLIC} | more))


def scopes(**more: Any) -> set[str]:
    return {*manifest(**more)["oauth_config"]["scopes"]["bot"]}


def test_links_are_unfolded_only_where_slack_can_know_them() -> None:
    assert manifest()["features"]["unfurl_domains"] == ["errand.example.com"]
    assert {"links:read", "links:write"} <= scopes()
    for url in (
        "http://127.0.0.1:8000",
        "https://10.1.2.3",
        "https://errand",
        "http://errand.internal",
        "https://errand.lan",
    ):
        made = manifest(url=url)
        assert "unfurl_domains" not in made["features"]
        assert not {"links:read", "links:write"} & scopes(url=url)
        assert "link_shared" not in made["settings"]["event_subscriptions"]["bot_events"]


def test_addresses_and_groups_are_asked_for_only_where_the_file_needs_them() -> None:
    slack: dict[str, Any] = {"bot_token": "xoxb-1"}
    assert not {"users:read.email", "usergroups:read"} & scopes(slack=slack)
    assert "users:read.email" in scopes(slack=slack | {"email_domains": ["example.com"]})
    for who, needed in (("slack:@ops", True), ("slack:U012AB3CD", False), ("github:octocat", False)):
        job = {"name": "a", "command": "true", "notify": {"who": [who]}}
        assert ("usergroups:read" in scopes(jobs={"a": job})) is needed
        if not who.startswith("github:"):
            ruled = {"name": "a", "command": "true", "allow": [who]}
            assert ("usergroups:read" in scopes(jobs={"a": ruled})) is needed


@pytest.mark.parametrize(
    ("url", "reached"),
    [
        (PUBLIC, True),
        ("https://93.184.216.34:8443", True),
        ("http://errand.example.com", False),
        ("https://127.0.0.1", False),
        ("https://192.168.1.5", False),
        ("https://errand.local", False),
        ("https://errand.corp", False),
        ("https://errand.home.arpa", False),
        ("https://errand", False),
        ("https://corp.example.com", True),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]", True),
        ("https://[fd00::1]", False),
    ],
)
def test_socket_mode_is_for_what_slack_does_not_reach(url: str, reached: bool) -> None:
    made = manifest(url=url)
    assert made["settings"]["socket_mode_enabled"] is not reached
    assert ("request_url" in made["settings"]["interactivity"]) is reached


def test_socket_mode_takes_no_address_of_ours() -> None:
    made = manifest(slack=SOCKET)
    assert made["settings"]["socket_mode_enabled"] is True
    assert "/webhooks/" not in json.dumps(made)
    assert made["settings"]["event_subscriptions"]["bot_events"] == list(slack_app.events(Config(url=PUBLIC)))


@pytest.mark.parametrize(
    ("command", "word"), [("/job", "/job"), ("!Job", "/job"), (".run", "/run"), ("x-1", "/x-1")]
)
def test_slash_command_is_the_word_of_the_file(command: str, word: str) -> None:
    (made,) = manifest(command=command)["features"]["slash_commands"]
    assert made["command"] == word


def test_shortcuts_are_those_that_open_a_form() -> None:
    assert {each["callback_id"] for each in manifest()["features"]["shortcuts"]} == {*Shortcut}


def test_every_event_has_its_scope() -> None:
    assert {event.scope for event in slack_app.EVENTS} - {None} <= {scope.name for scope in slack_app.SCOPES}


def test_manifest_stays_within_what_slack_takes() -> None:
    made = manifest()
    shown, features = made["display_information"], made["features"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert all(len(each["name"]) <= 24 for each in features["shortcuts"])
    assert all(len(each["description"]) <= 150 for each in features["shortcuts"])
    assert len(manifest(command="/" + "a" * 31)["features"]["slash_commands"][0]["command"]) <= 32


def test_manifest_is_of_the_types_that_slack_publishes() -> None:
    for config in ({}, {"slack": SOCKET}, {"url": "http://127.0.0.1:8000"}):
        for hear in SlackStandIn.listeners:  # asked at the end of the run, with all that was sent
            hear("apps.manifest.create", {"manifest": manifest(**config)})


def test_link_holds_the_whole_manifest() -> None:
    made = manifest()
    parts = urlsplit(slack_app.link(made))
    fields = parse_qs(parts.query, strict_parsing=True)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "api.slack.com", "/apps")
    assert fields["new_app"] == ["1"]
    assert json.loads(fields["manifest_json"][0]) == made


def test_yaml_says_what_each_scope_is_for_and_is_the_same_manifest() -> None:
    config = Config.model_validate({"url": PUBLIC, "slack": SOCKET})
    text = slack_app.written(config)
    assert YAML(typ="safe").load(text) == slack_app.manifest(config)
    assert all(f"{scope.name} " in text and scope.reason in text for scope in slack_app.scopes(config))
