"""What Slack sends becomes facts, whatever is missing in it."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.events import slack
from bot.events.facts import Ignored
from bot.events.fields import Unreadable
from bot.events.slack_facts import (
    SlackAsker,
    SlackCommand,
    SlackForm,
    SlackHome,
    SlackLinks,
    SlackMention,
    SlackPress,
    SlackRevoked,
    SlackShortcut,
    SlackSpot,
)

ADA = {"id": "U1", "team_id": "T1"}
COMMAND = {
    "command": "/job",
    "text": "run hello NAME=x",
    "trigger_id": "1.2.3",
    "user_id": "U1",
    "team_id": "T1",
    "channel_id": "C1",
    "channel_name": "ops",
    "response_url": "https://hooks.slack.com/commands/1",
}
PRESS = {
    "type": "block_actions",
    "trigger_id": "1.2.3",
    "user": ADA,
    "team": {"id": "T9"},
    "channel": {"id": "C1", "name": "ops"},
    "container": {"type": "message", "message_ts": "5.6", "channel_id": "C1", "thread_ts": "4.4"},
    "response_url": "https://hooks.slack.com/actions/1",
    "actions": [{"type": "button", "action_id": "run.cancel", "value": "142", "action_ts": "7.8"}],
}
FORM = {
    "type": "view_submission",
    "user": ADA,
    "view": {
        "id": "V1",
        "callback_id": "run",
        "private_metadata": "{}",
        "state": {
            "values": {
                "a": {"value": {"type": "plain_text_input", "value": "x"}},
                "b": {"value": {"type": "static_select", "selected_option": {"value": "y"}}},
                "c": {"value": {"type": "checkboxes", "selected_options": [{"value": "true"}]}},
                "d": {"value": {"type": "datepicker", "selected_date": "2026-11-29"}},
                "e": {"value": {"type": "plain_text_input", "value": None}},
                "f": {"value": {"type": "checkboxes", "selected_options": []}},
            }
        },
    },
}
MENTION = {"type": "app_mention", "user": "U1", "user_team": "T1", "channel": "C1", "ts": "1.1", "text": "hi"}
LINKS = {
    "type": "link_shared",
    "user": "U1",
    "channel": "C1",
    "message_ts": "1.1",
    "unfurl_id": "x",
    "source": "composer",
    "links": [{"url": "https://errand.test/runs/1", "domain": "errand.test"}, {"domain": "no"}, 3],
}


def event(about: dict[str, Any]) -> dict[str, Any]:
    return {"type": "event_callback", "event_id": "Ev1", "event": about}


def test_form_and_json_of_a_command_are_the_same() -> None:
    form = slack.payload("application/x-www-form-urlencoded", urlencode(COMMAND).encode())
    assert form == slack.payload("application/json", json.dumps(COMMAND).encode()) == COMMAND


def test_field_payload_of_a_form_is_what_was_sent() -> None:
    body = urlencode({"payload": json.dumps(PRESS)}).encode()
    assert slack.payload("application/x-www-form-urlencoded", body) == PRESS


FACTS = [
    (
        COMMAND,
        SlackCommand(
            "1.2.3",
            SlackAsker("U1", "T1"),
            SlackSpot("C1", "ops", response_url="https://hooks.slack.com/commands/1"),
            "run hello NAME=x",
        ),
    ),
    (
        PRESS,
        SlackPress(
            "1.2.3",
            SlackAsker("U1", "T1"),
            "run.cancel",
            "142",
            "7.8",
            SlackSpot("C1", "ops", "5.6", "4.4", "https://hooks.slack.com/actions/1"),
        ),
    ),
    (
        FORM,
        SlackForm(
            "V1",
            SlackAsker("U1", "T1"),
            "run",
            "{}",
            {"a": "x", "b": "y", "c": ("true",), "d": "2026-11-29", "e": None, "f": ()},
        ),
    ),
    (
        {"type": "shortcut", "callback_id": "run_job", "trigger_id": "1", "user": ADA},
        SlackShortcut("1", SlackAsker("U1", "T1"), "run_job"),
    ),
    (
        {
            "type": "message_action",
            "callback_id": "run_job_here",
            "trigger_id": "1",
            "user": {"id": "U1"},
            "channel": {"id": "C1", "name": "ops"},
            "message_ts": "3.3",
        },
        SlackShortcut("1", SlackAsker("U1"), "run_job_here", SlackSpot("C1", "ops", "3.3")),
    ),
    (event(MENTION), SlackMention("Ev1", SlackAsker("U1", "T1"), SlackSpot("C1", message="1.1"), "hi")),
    (event({"type": "app_home_opened", "user": "U1", "tab": "home"}), SlackHome("Ev1", SlackAsker("U1"))),
    (
        event(LINKS),
        SlackLinks(
            "Ev1",
            SlackAsker("U1"),
            SlackSpot("C1", message="1.1"),
            ("https://errand.test/runs/1",),
            is_draft=True,
            is_shared=True,  # as Slack does not say that it is not
        ),
    ),
    (event({"type": "tokens_revoked", "tokens": {"bot": ["U9"]}}), SlackRevoked("Ev1", "tokens_revoked")),
    (
        event({"type": "tokens_revoked", "tokens": {"oauth": ["U9"]}}),
        Ignored("tokens of people, which Errand has none of"),
    ),
    (event({"type": "channel_archive", "channel": "C1"}), SlackRevoked("Ev1", "channel_archive", "C1")),
]


@pytest.mark.parametrize(("sent", "fact"), FACTS, ids=lambda each: type(each).__name__)
def test_what_is_sent_is_read(sent: dict[str, Any], fact: object) -> None:
    assert slack.read(sent) == fact


@pytest.mark.parametrize(
    "sent",
    [
        event(MENTION | {"bot_id": "B1"}),
        event(MENTION | {"subtype": "message_changed"}),
        event({"type": "app_home_opened", "user": "U1", "tab": "messages"}),
        event({"type": "message", "user": "U1"}),
        {"type": "view_closed", "user": ADA},
        {"type": "workflow_step_edit"},
    ],
)
def test_what_concerns_nobody_here_is_ignored(sent: dict[str, Any]) -> None:
    assert isinstance(slack.read(sent), Ignored)


@given(
    sent=st.sampled_from([each for each, _ in FACTS]),
    path=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    value=st.none() | st.integers() | st.text() | st.just([]) | st.just({}),
)
def test_whatever_stands_somewhere_it_is_read_or_told_what_is_missing(
    sent: dict[str, Any], path: list[int], value: object
) -> None:
    spoiled = json.loads(json.dumps(sent))
    inside: Any = spoiled
    for step in path[:-1]:
        keys = list(inside) if isinstance(inside, dict) else range(len(inside)) if inside else []
        if not keys or not isinstance(inside[keys[step % len(keys)]], dict | list):
            break
        inside = inside[keys[step % len(keys)]]
    if isinstance(inside, dict) and inside:
        inside[list(inside)[path[-1] % len(inside)]] = value
    with suppress(Unreadable):
        slack.read(spoiled)


def test_form_brings_the_address_of_the_channel_that_was_chosen_in_it() -> None:
    urls = [{"channel_id": "C1", "block_id": "channel", "response_url": "https://hooks.slack.com/app/1"}]
    assert slack.read_form({**FORM, "response_urls": urls}).response_url == "https://hooks.slack.com/app/1"
    nothing: list[Any] = [[], None, ["x"], [{}], [{"response_url": 7}]]
    assert [slack.read_form({**FORM, "response_urls": each}).response_url for each in nothing] == [None] * 5
