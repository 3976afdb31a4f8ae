"""Buttons and reviews become facts, or are ignored with a reason, whatever is missing or null."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events
from bot.tables import Delivery
from demo import checks, reviews

RUN = checks.check_run("acme/shop", 5, "a" * 40, external_id="run:1:n", sender="octocat", button="cancel")
SUITE = checks.check_suite("acme/shop", "a" * 40, sender="octocat")
ON_LINE = reviews.review_comment("acme/shop", 7, 9, "octocat", "/job list", in_reply_to=8)
REVIEW = reviews.review("acme/shop", 7, 9, "octocat", "/job list")
PAYLOADS = {
    "check_run": RUN,
    "check_suite": SUITE,
    "pull_request_review_comment": ON_LINE,
    "pull_request_review": REVIEW,
}


def read(event: str, payload: object) -> events.Event:
    body = json.dumps(payload).encode()
    media, at = "application/json", 0.0
    sent = Delivery(key="k", source="github", event=event, media_type=media, body=body, received_at=at)
    return events.read(sent)


def test_buttons_are_read() -> None:
    run, suite = read("check_run", RUN), read("check_suite", SUITE)
    assert isinstance(run, events.CheckRequest)
    assert isinstance(suite, events.CheckRequest)
    assert (run.external_id, run.button, run.sender) == ("run:1:n", "cancel", "octocat")
    assert "4711" in run.apps
    assert (suite.external_id, suite.button, suite.commit) == (None, "rerun", "a" * 40)


def test_comment_on_a_line_knows_its_thread_and_a_review_has_none() -> None:
    on_line, review = read("pull_request_review_comment", ON_LINE), read("pull_request_review", REVIEW)
    assert isinstance(on_line, events.Comment)
    assert isinstance(review, events.Comment)
    assert (on_line.kind, on_line.thread, on_line.pull) == ("review_comment", 8, 7)
    assert (review.kind, review.thread, review.comment) == ("review", None, 9)


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("check_run", {"action": "created"}),
        ("check_run", {"action": "frobnicated"}),
        ("check_run", {"sender": None}),
        ("check_run", {"sender": {"login": "renovate[bot]", "type": "Bot"}}),
        ("check_run", {"check_run": None}),
        ("check_run", {"check_run": {"head_sha": "main"}}),
        ("check_suite", {"action": "requested"}),
        ("check_suite", {"check_suite": {"head_sha": None}}),
        ("pull_request_review", {"action": "dismissed"}),
        ("pull_request_review", {"review": {"id": 9, "body": "/job list", "user": None}}),
        ("pull_request_review_comment", {"action": "edited"}),
        ("pull_request_review_comment", {"pull_request": None}),
    ],
)
def test_what_asks_for_nothing_is_ignored(event: str, changes: dict[str, Any]) -> None:
    assert isinstance(read(event, PAYLOADS[event] | changes), events.Ignored)


@given(st.data())
def test_missing_and_null_fields_break_nothing(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(PAYLOADS)))
    payload: dict[str, Any] = json.loads(json.dumps(PAYLOADS[event]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = payload
        while True:
            name = data.draw(st.sampled_from(sorted(at))) if at else ""
            if isinstance(at.get(name), dict) and data.draw(st.booleans()):
                at = at[name]
                continue
            at[name] = data.draw(st.sampled_from([None, 0, -1, "", "x", [], {}, [None], 2**70]))
            break
    assert read(event, payload) is not None
