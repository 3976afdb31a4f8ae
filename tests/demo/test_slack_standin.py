"""The stand-in for Slack is as strict as Slack, above all about blocks."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from demo.slack import SlackStandIn
from demo.standins import serving, standins
from tests.clocks import Clock, clock

__all__ = ["clock"]

OCTOCAT = "U012AB3CD"
LONG = {"type": "mrkdwn", "text": "x" * 3000}


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackStandIn]:
    standin = SlackStandIn(clock=clock)
    standin.add_channel("ops")
    async with serving(standin) as url:
        standin.url = url
        yield standin


@pytest.fixture
async def http(slack: SlackStandIn) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {slack.token}"}
    async with httpx.AsyncClient(base_url=slack.url, headers=headers, verify=False) as client:
        yield client


async def call(http: httpx.AsyncClient, method: str, **arguments: Any) -> Any:
    answer = await http.post(f"/api/{method}", json=arguments)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(
    ("authorization", "error"), [("", "not_authed"), ("Bearer xoxb-wrong", "invalid_auth")]
)
async def test_token_is_checked(http: httpx.AsyncClient, authorization: str, error: str) -> None:
    http.headers["Authorization"] = authorization
    assert await call(http, "auth.test") == {"ok": False, "error": error}


async def test_arguments_come_as_json_form_or_query(slack: SlackStandIn, http: httpx.AsyncClient) -> None:
    blocks = [{"type": "divider"}]
    fields = {"channel": "#ops", "text": "x"}
    await http.post("/api/chat.postMessage", json={**fields, "blocks": blocks})
    await http.post("/api/chat.postMessage", data={**fields, "blocks": json.dumps(blocks)})
    await http.get("/api/chat.postMessage", params={**fields, "blocks": json.dumps(blocks)})
    assert [message.history for message in slack.messages] == [[("x", blocks)]] * 3
    broken = await http.post("/api/chat.postMessage", data={**fields, "blocks": "["})
    assert broken.json()["error"] == "invalid_json"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "#ops"}, "no_text"),
        ({"channel": "#ops", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "#ops", "text": 5}, "invalid_arguments"),
        ({"channel": "#ops", "text": "x", "blocks": [{"type": "nope"}]}, "invalid_blocks"),
        ({"channel": "#ops", "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"channel": "#ops", "blocks": [{"type": "section", "text": LONG}] * 5}, "msg_blocks_too_long"),
        ({"channel": "#quiet", "text": "x"}, "not_in_channel"),
        ({"channel": "#hidden", "text": "x"}, "channel_not_found"),
        ({"channel": "#old", "text": "x"}, "is_archived"),
    ],
)
async def test_what_slack_would_refuse_is_refused(
    slack: SlackStandIn, http: httpx.AsyncClient, arguments: dict[str, Any], error: str
) -> None:
    slack.add_channel("quiet", member=False)
    slack.add_channel("hidden", member=False, private=True)
    slack.add_channel("old", archived=True)
    assert (await call(http, "chat.postMessage", **arguments))["error"] == error
    assert slack.messages == []


async def test_update_takes_ids_and_own_messages_only(slack: SlackStandIn, http: httpx.AsyncClient) -> None:
    posted = await call(http, "chat.postMessage", channel="#ops", text="x")
    where = {"channel": posted["channel"], "ts": posted["ts"], "text": "y"}
    assert (await call(http, "chat.update", **{**where, "channel": "#ops"}))["error"] == "channel_not_found"
    assert (await call(http, "chat.update", **{**where, "ts": "1.2"}))["error"] == "message_not_found"
    assert (await call(http, "chat.update", **where))["text"] == "y"
    assert (await call(http, "chat.update", **where, blocks=[{"type": "divider"}]))["ok"]
    await call(http, "chat.update", **where)
    assert slack.messages[0].blocks == [{"type": "divider"}]  # what a call does not name stays
    assert (await call(http, "chat.update", **where, blocks=[]))["ok"]
    assert slack.messages[0].blocks == []
    slack.channels[0].archived = True
    assert (await call(http, "chat.update", **where))["error"] == "is_inactive"
    slack.channels[0].archived = False
    slack.messages[0].bot_id = "B0OTHER"
    assert (await call(http, "chat.update", **where))["error"] == "cant_update_message"


async def test_history_shows_metadata_only_when_asked_and_comes_in_pages(
    slack: SlackStandIn, http: httpx.AsyncClient
) -> None:
    metadata = {"event_type": "errand_post", "event_payload": {"nonce": "n1"}}
    for number in range(3):
        await call(http, "chat.postMessage", channel="#ops", text=f"{number}", metadata=metadata)
    channel = slack.channels[0].id
    first = await call(http, "conversations.history", channel=channel, limit=2, include_all_metadata=True)
    assert [message["text"] for message in first["messages"]] == ["2", "1"]
    assert first["messages"][0]["metadata"] == metadata
    cursor = first["response_metadata"]["next_cursor"]
    rest = await call(http, "conversations.history", channel=channel, limit=2, cursor=cursor)
    assert ["metadata" in message for message in rest["messages"]] == [False]
    assert rest["has_more"] is False
    later = await call(http, "conversations.history", channel=channel, oldest=f"{time.time() + 60}")
    assert later["messages"] == []


async def test_scope_that_is_missing_is_named(slack: SlackStandIn, http: httpx.AsyncClient) -> None:
    slack.scopes.discard("channels:history")
    refused = await call(http, "conversations.history", channel=slack.channels[0].id)
    assert (refused["error"], refused["needed"]) == ("missing_scope", "channels:history")
    assert (await call(http, "chat.nope"))["error"] == "unknown_method"


async def test_ephemeral_message_is_for_one_person(slack: SlackStandIn, http: httpx.AsyncClient) -> None:
    await call(http, "chat.postEphemeral", channel="#ops", user=OCTOCAT, text="x")
    assert [(each.user, each.text) for each in slack.ephemerals] == [(OCTOCAT, "x")]
    assert slack.messages == []
    assert (await call(http, "chat.postEphemeral", channel="#ops", text="x"))["error"] == "invalid_arguments"
    elsewhere = slack.add_person("ada")
    slack.channels[0].people = {OCTOCAT}
    for user in ("U0NOBODY", elsewhere.id):
        refused = await call(http, "chat.postEphemeral", channel="#ops", user=user, text="x")
        assert refused["error"] == "user_not_in_channel"


async def test_limit_is_a_429_with_the_seconds(slack: SlackStandIn, http: httpx.AsyncClient) -> None:
    slack.limit("auth.test", retry_after=7)
    answer = await http.post("/api/auth.test")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["error"]) == (
        429,
        "7",
        "ratelimited",
    )
    assert (await http.post("/api/auth.test")).json()["ok"] is True


async def test_response_url_works_five_times_within_half_an_hour(
    slack: SlackStandIn, http: httpx.AsyncClient, clock: Clock
) -> None:
    url, late = slack.response_url("C1", "U1"), slack.response_url("C1", "U1")
    answers = [await http.post(url, json={"text": "x"}) for _ in range(6)]
    assert [answer.text for answer in answers] == ["ok"] * 5 + ["used_url"]
    clock.ahead = 1801
    assert (await http.post(late, json={"text": "x"})).text == "expired_url"
    assert (await http.post(f"{slack.url}/commands/T/1/x", json={"text": "x"})).status_code == 404
    fresh = slack.response_url("C1", "U1")
    assert (await http.post(fresh, content=b"x")).text == "invalid_payload"
    assert (await http.post(fresh, json={})).text == "no_text"


async def test_both_stand_ins_start_together() -> None:
    async with standins() as beside, httpx.AsyncClient(verify=False) as client:
        assert beside.slack_url.endswith("/api/")
        assert (await client.get(f"{beside.github_url}/app")).status_code == 401
        assert (await client.get(f"{beside.slack_url}auth.test")).json()["error"] == "not_authed"
