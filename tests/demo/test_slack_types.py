"""What stand-ins for Slack are sent is held against Slack's published types; what does not fit is named."""

import os
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from demo.slack import SlackStandIn
from demo.slack.doors import Sending
from tests import slack_types

TEXT = {"type": "mrkdwn", "text": "x"}
PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "action_id": "a", "text": PLAIN}
WHERE = {"channel": "C1", "text": "x"}


def complaints(*heard: tuple[str, dict[str, Any]]) -> list[str]:
    """What the types say of these; skipped where they cannot be asked, an error in CI."""
    collection = slack_types.Collection()
    for kind, body in heard:
        collection.hear(kind, body)
    misfits = slack_types.check(collection.pieces.values())
    if isinstance(misfits, str):
        if os.environ.get("CI"):
            pytest.fail(misfits)
        pytest.skip(misfits)
    return misfits


def test_what_fits_is_not_complained_of() -> None:
    axes = {"categories": ["#1"]}
    series = [{"name": "s", "data": [{"label": "#1", "value": 1.5}]}]
    chart = {"type": "line", "series": series, "axis_config": axes}
    blocks = [
        {"type": "section", "text": TEXT, "accessory": BUTTON},
        {"type": "actions", "elements": [BUTTON, {**BUTTON, "style": "danger", "value": "1"}]},
        {"type": "data_visualization", "title": "x", "chart": chart},
        {"type": "data_table", "caption": "x", "rows": [[{"type": "raw_text", "text": "x"}]] * 2},
    ]
    fitting: list[tuple[str, dict[str, Any]]] = [
        ("chat.postMessage", {**WHERE, "blocks": blocks, "thread_ts": "1.2"}),
        ("views.publish", {"user_id": "U1", "view": {"type": "home", "blocks": []}}),
        ("response_url", {"text": "x", "replace_original": True}),
        ("response_action", {"response_action": "errors", "errors": {"b": "x"}}),
        ("conversations.history", {"channel": "C1", "limit": "100", "include_all_metadata": "1"}),
    ]
    assert complaints(*fitting) == []


def test_wrong_message_is_named_with_the_test_and_the_reason() -> None:
    wrong = [
        {"type": "section", "text": {**TEXT, "emoji": True}},
        {"type": "actions", "elements": [{**BUTTON, "text": TEXT}]},
        {"type": "header", "text": PLAIN, "label": "x"},
        {"type": "data_visualization", "title": 5, "chart": {"type": "pie", "segments": []}},
        {"type": "nope"},
    ]
    misfits = complaints(
        ("chat.postMessage", {**WHERE, "blocks": wrong}),
        ("chat.postMessage", {**WHERE, "unfurl_links": "no"}),
    )
    here = "tests/demo/test_slack_types.py::test_wrong_message_is_named_with_the_test_and_the_reason"
    assert all(here in each for each in misfits)
    assert [each.partition(" ")[0] for each in misfits] == ["block"] * 5 + ["chat.postMessage"]
    assert all("does not exist" in misfits[each] for each in (0, 2))


def test_view_answer_and_options_are_asked_as_well() -> None:
    modal = {"type": "modal", "title": TEXT, "blocks": [{"type": "input", "element": BUTTON, "label": PLAIN}]}
    misfits = complaints(
        ("views.open", {"trigger_id": "1.2.x", "view": modal}),
        ("response_action", {"response_action": "errors", "errors": {"b": 1}}),
        ("block_suggestion", {"options": [{"text": TEXT, "value": "x"}]}),
    )
    kinds = {each.partition(" ")[0] for each in misfits}
    assert kinds == {"block", "modal", "views.open", "response_action", "block_suggestion"}


async def test_what_the_stand_in_sends_is_what_slack_would() -> None:
    slack, heard = SlackStandIn(), list[tuple[str, dict[str, Any]]]()

    async def door(sending: Sending) -> httpx.Response:
        heard.append(("event", sending.payload["event"]))
        return httpx.Response(200)

    slack.door = door
    channel, hidden = slack.add_channel("ops"), slack.add_channel("hidden", private=True)
    await slack.mention("help")
    await slack.mention("help", thread=slack.messages[0].ts)
    await slack.open_home()
    await slack.share("https://errand.example.com/runs/1")
    for place in (channel, hidden):
        await slack.archive(place)
        await slack.remove(place)
    await slack.revoke("account_inactive")
    assert len(heard) == 10
    assert complaints(*heard) == []
    assert complaints(("event", {"type": "app_mention", "user": "U1"})) != []


def test_every_shape_is_asked_once() -> None:
    collection = slack_types.Collection()
    for number in range(100):
        block = {"type": "section", "text": {"type": "mrkdwn", "text": f"{number}"}}
        collection.hear("chat.update", {"channel": f"C{number}", "ts": "1.2", "blocks": [block] * 3})
    assert [each.kind for each in collection.pieces.values()] == ["block", "chat.update"]
    other = slack_types.Collection()
    other.take_over(collection.handed_over())
    assert other.pieces == collection.pieces


@pytest.mark.parametrize(
    ("answer", "ci", "failed"),
    [
        ([], "true", False),
        (["block in t: no"], "", True),
        ("npm is missing", "true", True),
        ("no npm", "", False),
    ],
)
def test_run_fails_at_its_end(
    monkeypatch: pytest.MonkeyPatch, answer: list[str] | str, ci: str, failed: bool
) -> None:
    monkeypatch.setattr(SlackStandIn, "listeners", [])
    monkeypatch.setattr(slack_types, "check", lambda pieces: answer)
    monkeypatch.setenv("CI", ci)
    session: Any = SimpleNamespace(config=SimpleNamespace(), exitstatus=0)
    plugin = slack_types.AtTheEnd()
    for hear in SlackStandIn.listeners:
        hear("chat.postMessage", WHERE)
    plugin.pytest_sessionfinish(session)
    assert (session.exitstatus == pytest.ExitCode.TESTS_FAILED) is failed
    assert plugin.complaint == (answer if isinstance(answer, str) else "\n".join(answer))


def test_worker_hands_over_what_it_has_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlackStandIn, "listeners", [])
    worker, controller = slack_types.AtTheEnd(), slack_types.AtTheEnd()
    worker.collection.hear("chat.postMessage", WHERE)
    node = SimpleNamespace(workeroutput={})
    session: Any = SimpleNamespace(config=node, exitstatus=0)
    worker.pytest_sessionfinish(session)
    controller.pytest_testnodedown(node)
    assert controller.collection.pieces == worker.collection.pieces
    assert session.exitstatus == 0
