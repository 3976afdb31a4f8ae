"""Deliveries become facts, or are ignored with a reason."""

import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events
from bot.events.pushes import LARGE, LISTED_COMMITS
from bot.tables import Delivery

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def delivery(event: str, body: bytes, *, source: str = "github", media_type: str = JSON) -> Delivery:
    return Delivery(
        key=f"{source}:1", source=source, event=event, media_type=media_type, body=body, received_at=0.0
    )


def push(**changes: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main",
        "after": "a" * 40,
        "deleted": False,
        "repository": {"full_name": "acme/shop", "private": True, "default_branch": "main"},
        "sender": {"login": "octocat", "type": "User"},
    } | changes


def comment(**changes: Any) -> dict[str, Any]:
    return {
        "action": "created",
        "issue": {"number": 7, "pull_request": {"url": "https://api.github.com/..."}},
        "comment": {"id": 99, "body": "/job list", "user": {"login": "octocat", "type": "User"}},
        "repository": {"full_name": "acme/shop", "private": False, "default_branch": "main"},
    } | changes


def read(event: str, payload: object) -> events.Event:
    return events.read(delivery(event, json.dumps(payload).encode()))


def test_push_of_a_branch_is_read_from_json_and_from_a_form() -> None:
    wanted = events.Push(
        "acme/shop",
        "release/1",
        "main",
        "a" * 40,
        "octocat",
        False,
        unclear="a new branch",
        after="a" * 40,
    )
    payload = push(ref="refs/heads/release/1")
    assert read("push", payload) == wanted
    form = urlencode({"payload": json.dumps(payload)}).encode()
    assert events.read(delivery("push", form, media_type=FORM)) == wanted


@pytest.mark.parametrize("ref", ["refs/notes/v1", "refs/pull/7/head", "refs/heads/" + "x" * 300])
def test_push_of_what_is_no_branch_and_no_tag_is_ignored(ref: str) -> None:
    assert isinstance(read("push", push(ref=ref)), events.Ignored)


@pytest.mark.parametrize("changes", [{"deleted": True}, {"after": "0" * 40}], ids=str)
def test_push_that_deletes_a_branch_is_known_as_that(changes: dict[str, Any]) -> None:
    event = read("push", push(**changes))
    assert isinstance(event, events.Push)
    assert event.deleted


@pytest.mark.parametrize("head", [{"id": "b" * 40}, None, {"id": "x"}, "b"], ids=str)
def test_tag_means_its_commit_and_not_the_tag_as_an_object(head: object) -> None:
    fact = read("push", push(ref="refs/tags/v1", head_commit=head))
    assert isinstance(fact, events.Push)
    assert (fact.ref, fact.tag, fact.changed) == ("tags/v1", True, None)
    assert fact.commit == ("b" if head == {"id": "b" * 40} else "a") * 40


def _commit(sha: str, **paths: Any) -> dict[str, Any]:
    return {"id": sha * 40, "added": [], "removed": [], "modified": []} | paths


KNOWN = {
    "before": "9" * 40,
    "commits": [_commit("b", added=["x"]), _commit("a", removed=["y"], modified=["z"])],
}


def test_changed_paths_are_those_of_all_commits() -> None:
    fact = read("push", push(**KNOWN))
    assert isinstance(fact, events.Push)
    assert (fact.changed, fact.unclear) == (frozenset("xyz"), "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"forced": True}, "a forced push"),
        ({"created": True}, "a new branch"),
        ({"before": "0" * 40}, "a new branch"),
        ({"commits": []}, "no commits are listed"),
        ({"commits": "x"}, "no commits are listed"),
        ({"commits": [_commit("b")]}, "more commits than are listed"),
        ({"commits": [_commit("a")] * LISTED_COMMITS}, "more commits than are listed"),
        ({"commits": ["x", _commit("a")]}, "a commit without its list of paths"),
        ({"commits": [_commit("a", added=[1])]}, "a commit without its list of paths"),
        ({"commits": [_commit("a", added=[str(n) for n in range(3000)])]}, "3000 paths or more"),
    ],
)  # fmt: skip
def test_what_changed_is_not_known_where_the_payload_does_not_tell_all(
    changes: dict[str, Any], why: str
) -> None:
    fact = read("push", push(**(KNOWN | changes)))
    assert isinstance(fact, events.Push)
    assert (fact.changed, fact.unclear) == (None, why)


@pytest.mark.parametrize("media_type", [JSON, FORM])
@pytest.mark.parametrize("odd", ["x", "\ud800"])
def test_commits_of_a_large_push_are_passed_over_and_all_else_is_read(media_type: str, odd: str) -> None:
    commits = [_commit("a", added=["src/" + "x" * 200] * 20, message=odd)] * 1200
    body = json.dumps(push(**(KNOWN | {"commits": commits}))).encode()
    assert len(body) > LARGE
    small = read("push", push(**KNOWN))
    assert isinstance(small, events.Push)
    if media_type == FORM:
        body = urlencode({"payload": body.decode()}).encode()
    fact = events.read(delivery("push", body, media_type=media_type))
    unread = replace(small, changed=None, unclear="more than 4 MiB")
    whole = replace(small, changed=frozenset({"src/" + "x" * 200}), unclear="")
    assert fact == (unread if odd == "x" else whole)  # half a character is read by the slower reader


def test_large_push_is_read_in_a_fraction_of_what_all_of_it_would_take() -> None:
    commits = [_commit("a", added=[f"src/{number}/{of}" for of in range(60)]) for number in range(8000)]
    body = json.dumps(push(**(KNOWN | {"commits": commits}))).encode()
    begin = time.thread_time()
    json.loads(body)
    whole, begin = time.thread_time() - begin, time.thread_time()
    events.read(delivery("push", body))
    assert time.thread_time() - begin < whole / 2


def test_repository_whose_visibility_is_unknown_counts_as_private() -> None:
    fact = read("push", push(repository={"full_name": "acme/shop"}))
    assert isinstance(fact, events.Push)
    assert not fact.public


def test_new_comment_on_a_pull_request_is_read() -> None:
    assert read("issue_comment", comment()) == events.Comment(
        "acme/shop", 7, 99, "octocat", "/job list", public=True
    )


def test_comment_on_an_issue_and_one_of_an_outsider_are_told_apart() -> None:
    fact = read("issue_comment", comment(issue={"number": 7}))
    assert isinstance(fact, events.Comment)
    assert (fact.on_issue, fact.outsider) == (True, False)
    body = {"id": 9, "body": "/job", "user": {"login": "x"}, "author_association": "NONE"}
    fact = read("issue_comment", comment(comment=body))
    assert isinstance(fact, events.Comment)
    assert (fact.on_issue, fact.outsider) == (False, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "edited"},
        {"action": "deleted"},
        {"comment": {"id": 99, "body": "/job list", "user": {"login": "x[bot]", "type": "Bot"}}},
        {"comment": {"id": 99, "body": "/job list", "user": None}},
        {
            "comment": {
                "id": 99,
                "body": "/job list",
                "user": {"login": "octocat"},
                "performed_via_github_app": {"id": 1},
            }
        },
    ],
    ids=str,
)
def test_comment_that_is_old_or_elsewhere_or_written_by_a_program_is_ignored(changes: dict[str, Any]) -> None:
    assert isinstance(read("issue_comment", comment(**changes)), events.Ignored)


def test_event_nobody_listens_to_is_ignored_with_its_name() -> None:
    assert read("star", {}) == events.Ignored("nothing here listens to star")


@given(
    event=st.sampled_from(["push", "issue_comment"]),
    body=st.binary(max_size=200) | st.just(b"[" * 100_000) | st.just(b'{"a":' * 50_000),
    media_type=st.sampled_from([JSON, FORM]),
)
def test_bytes_that_mean_nothing_are_ignored(event: str, body: bytes, media_type: str) -> None:
    assert isinstance(events.read(delivery(event, body, media_type=media_type)), events.Ignored)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    event=st.sampled_from(["push", "issue_comment"]),
    key=st.sampled_from(
        [
            "forced",
            "created",
            "before",
            "commits",
            "head_commit",
            "ref",
            "after",
            "deleted",
            "repository",
            "sender",
            "action",
            "issue",
            "comment",
        ]
    ),
    value=_json,
)
def test_field_of_another_shape_never_raises(event: str, key: str, value: object) -> None:
    payload = push() if event == "push" else comment()
    read(event, payload | {key: value})
